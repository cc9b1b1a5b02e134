"""Occluders: they leave the wanted share of the subject visible, touch nothing and are not products."""

from dataclasses import replace

import numpy as np
import pytest

from blendgen.annotate import annotate
from blendgen.develop.develop import Developer
from blendgen.draw import polytope
from blendgen.draw.shot import draw_shot
from blendgen.engine.flat import FlatEngine
from blendgen.errors import SpecError
from blendgen.geometry.projection import inverse_rigid, transform_points
from blendgen.models.label_names import label_names
from blendgen.pipeline import Pipeline, Task
from blendgen.spec.output import Output
from tests.conftest import make_class_table, make_product, make_spec


@pytest.fixture
def covered(shapes):
    """The small catalogue with a plate and a bar that reach in."""
    plate = make_product("occluder plate", "box", (0.5, 0.4, 0.002))
    bar = make_product("occluder bar", "box", (1.2, 0.02, 0.02))
    return replace(shapes, occluders=(plate, bar))


def spec_of(visible, elevation, **occluders):
    return make_spec(
        resolution=[96, 96],
        occluders={"catalog": "shapes", "visible_fraction": visible, **occluders},
        camera={"elevation_deg": elevation, "frame_fill": 0.6},
    )


@pytest.mark.parametrize("elevation", [pytest.param(15, marks=pytest.mark.slow), 45, 85])
@pytest.mark.parametrize("band", [[0.3, 0.5], [0.7, 0.9]])
def test_the_rendered_share_lies_in_the_asked_band(covered, elevation, band):
    spec = spec_of({"uniform": band}, elevation)
    pipeline = Pipeline(spec, covered, make_class_table(covered), FlatEngine(covered), Developer(None, 1))
    attempts = []
    for index in range(8):
        (frame,) = pipeline.frames(Task(index, (index,)))
        attempts.append(frame.shot.attempt)
        assert band[0] <= frame.labels.objects[0].visible_fraction <= band[1]
    assert np.mean(attempts) <= 0.5  # what the draw foretells mostly holds


@pytest.mark.parametrize("elevation", [pytest.param(15, marks=pytest.mark.slow), 60])
def test_they_hang_clear_of_the_things_the_surface_and_the_camera(covered, elevation):
    spec = spec_of(0.5, elevation, count=2)
    for index in range(10):
        shot = draw_shot(spec, covered, make_class_table(covered), index)
        camera_m = inverse_rigid(shot.camera.world_to_camera)[:3, 3]
        assert 1 <= len(shot.occluders) <= 2
        for occluder in shot.occluders:
            body = polytope.of_product(covered.product(occluder.product)).placed(occluder.object_to_world)
            assert body.corners_m[:, 2].min() >= -0.001
            assert (body.normals @ camera_m > body.offsets_m).any()
            for placed in shot.products:
                points = transform_points(placed.object_to_world, covered.product(placed.product).hull_m)
                apart = (points @ body.normals.T).min(axis=0) > body.offsets_m
                assert apart.any()


def test_without_occluders_a_shot_is_as_before(covered):
    plain = make_spec(resolution=[96, 96])
    none = make_spec(resolution=[96, 96], occluders={"catalog": "shapes", "count": 0})
    some = make_spec(resolution=[96, 96], occluders={"catalog": "shapes", "count": 1})
    class_table = make_class_table(covered)
    for index in range(5):
        before = draw_shot(plain, covered, class_table, index)
        assert draw_shot(none, covered, class_table, index) == before
        with_one = draw_shot(some, covered, class_table, index)
        assert with_one.occluders and with_one.visible_band == (0.5, 0.9)
        assert with_one.model_copy(update={"occluders": (), "visible_band": (0.0, 1.0)}) == before


def test_both_bands_hold_and_those_that_exclude_each_other_are_refused(covered):
    both = {"placement": {"visible_fraction": [0.6, 1]}, "occluders": {"catalog": "shapes"}}
    shot = draw_shot(make_spec(resolution=[96, 96], **both), covered, make_class_table(covered), 0)
    assert shot.visible_band == (0.6, 0.9)
    both["occluders"] = {"catalog": "shapes", "visible_fraction": {"uniform": [0.1, 0.3]}}
    with pytest.raises(SpecError, match="does not overlap"):
        make_spec(**both)


def test_they_are_background_in_the_masks(covered):
    shot = draw_shot(spec_of(0.5, 70), covered, make_class_table(covered), 1)
    film = FlatEngine(covered).render(shot)
    assert set(np.unique(film.instance_id)) == {0, 1}
    labels = annotate(film, shot, label_names(covered, {}), Output())
    assert labels.objects[0].visible_fraction < 0.8
