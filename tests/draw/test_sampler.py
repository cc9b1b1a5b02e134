from typing import Annotated

import pytest

from blendgen.draw import backdrop, condition, exposure, lighting, surface
from blendgen.draw.shot import draw_exposures, draw_shot
from blendgen.spec.distributions import Distribution, Uniform
from blendgen.spec.fields import number
from tests.golden import shots
from tests.golden.stand_ins import stand_ins

TRIAL = Annotated[Distribution, number(2, 3)]


def with_trial(model, annotation, default):
    """A model with one more field."""
    fields = {"__annotations__": {"trial": annotation}, "trial": default, "__module__": __name__}
    return type(model)(model.__name__, (model,), fields)


@pytest.mark.parametrize(
    ("path", "module", "name", "drawn"),
    [
        (("surface",), surface, "Surface", lambda shot, _: shot.surface),
        (("surface", "photos"), surface, "SurfacePhoto", lambda shot, _: shot.surface.photo),
        (("backdrop",), backdrop, "Backdrop", lambda shot, _: shot.backdrop),
        (("lighting", "environment"), lighting, "Environment", lambda shot, _: shot.environment),
        (("condition",), condition, "Condition", lambda shot, _: shot.products[0].condition),
        (("exposure",), exposure, "Exposure", lambda _, exposure: exposure),
        (("sensor",), exposure, "Sensor", lambda _, exposure: exposure.sensor),
    ],
)
def test_a_new_parameter_is_sampled_where_the_value_has_a_field_of_its_name(
    path, module, name, drawn, monkeypatch
):
    """In draw, nothing has to be added for it."""
    monkeypatch.setattr(module, name, with_trial(getattr(module, name), float, 0.0))
    spec = shots.SPECS.spec("free")
    spec = replaced(spec, path, lambda section: extended(section))
    catalog, classes = stand_ins(spec)
    shot = draw_shot(spec, catalog, classes, 0)
    (taken,) = draw_exposures(spec, shot, [0])
    assert 2 < drawn(shot, taken).trial < 3


def extended(section):
    section_type = with_trial(type(section), TRIAL, Uniform(2, 3))
    return section_type.model_construct(**{**dict(section), "trial": Uniform(2, 3)})


def replaced(section, path, change):
    if not path:
        return change(section)
    name, *rest = path
    return section.model_copy(update={name: replaced(getattr(section, name), rest, change)})
