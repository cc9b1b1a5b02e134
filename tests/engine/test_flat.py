import numpy as np
import pytest

from blendgen.engine.flat import FlatEngine
from tests.engine import conformance, label_conformance


@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
def test_conformance(shapes, check):
    check(FlatEngine(shapes), shapes.product("box"), shapes.product("sphere"))


def test_depth_is_infinite_where_nothing_was_hit(shapes):
    camera = conformance.make_camera(elevation_deg=2)
    film = FlatEngine(shapes).render(
        conformance.make_shot([conformance.place(1, shapes.product("box"))], camera)
    )
    assert np.isinf(film.depth_m[0]).all() and not film.instance_id[0].any()


def test_lamps_at_unit_gain_give_a_white_horizontal_patch_a_radiance_of_one(shapes):
    levels = conformance.level_patch(FlatEngine(shapes), shapes.product("sphere"))
    assert levels["lamp_0"] / 0.18 == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("check", label_conformance.CHECKS, ids=lambda check: check.__name__)
def test_optional_labels(shapes, check):
    catalog = label_conformance.with_keypoints(shapes)
    engine = FlatEngine(catalog, label_conformance.EVERYTHING)
    check(engine, catalog.product("box"), catalog.product("sphere"))
