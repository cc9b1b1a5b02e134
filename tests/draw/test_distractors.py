"""Distractors: next to the products and each other, on the surface, without a label."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from blendgen.draw.shot import draw_shot
from blendgen.geometry.projection import transform_points
from blendgen.pipeline import Pipeline, Task
from tests.conftest import make_class_table, make_product, make_spec

pytestmark = pytest.mark.slow


@pytest.fixture
def cluttered(shapes):
    """The small catalogue with two kinds of things to lie about."""
    things = (
        make_product("distractor bar", "box", (0.2, 0.01, 0.01), ["#101010", "#f0f0f0"]),
        make_product("distractor ball", "sphere", (0.03, 0.03, 0.03)),
    )
    return replace(shapes, distractors=things)


def spec_of(**changes):
    return make_spec(
        products_per_image=2,
        distractors={"catalog": "shapes", "count": 5},
        surface={"kind": "belt_rubber", "width_m": 0.7},
        **changes,
    )


def outlines(shot, catalog):
    """Corners seen from above of all that lies there."""
    points = [
        transform_points(p.object_to_world, catalog.product(p.product).hull_m)[:, :2]
        for p in (*shot.products, *shot.distractors)
    ]
    return [outline[ConvexHull(outline).vertices] for outline in points]


def apart(one, two) -> bool:
    """Separating axis of two convex outlines."""
    for corners in (one, two):
        sides = np.roll(corners, -1, axis=0) - corners
        for normal in np.column_stack([sides[:, 1], -sides[:, 0]]):
            a, b = one @ normal, two @ normal
            if a.max() < b.min() or b.max() < a.min():
                return True
    return False


def test_nothing_touches_anything_and_all_lies_on_the_belt(cluttered):
    counts = []
    for index in range(40):
        shot = draw_shot(spec_of(), cluttered, make_class_table(cluttered), index)
        lying = outlines(shot, cluttered)
        for i, one in enumerate(lying):
            assert np.abs(one[:, 0]).max() < shot.surface.width_m / 2
            assert all(apart(one, two) for two in lying[:i])
        counts.append(len(shot.distractors))
    assert max(counts) == 5 and np.mean(counts) > 2


def test_the_rest_of_a_shot_does_not_know_of_the_clutter(cluttered):
    for index in range(10):
        with_clutter = draw_shot(spec_of(), cluttered, make_class_table(cluttered), index)
        plain = make_spec(products_per_image=2, surface={"kind": "belt_rubber", "width_m": 0.7})
        without = draw_shot(plain, cluttered, make_class_table(cluttered), index)
        assert with_clutter.model_copy(update={"distractors": ()}) == without


def test_models_and_colourways_are_all_used(cluttered):
    shots = [draw_shot(spec_of(), cluttered, make_class_table(cluttered), i) for i in range(20)]
    drawn = {(d.product, d.colorway) for shot in shots for d in shot.distractors}
    assert drawn == {("distractor bar", "c0"), ("distractor bar", "c1"), ("distractor ball", "c0")}


def test_clutter_has_no_label_but_can_hide(cluttered, flat_pipeline):
    from blendgen.engine.flat import FlatEngine

    spec = spec_of(camera={"elevation_deg": 12})
    plain = flat_pipeline(spec)
    pipeline = Pipeline(spec, cluttered, make_class_table(cluttered), FlatEngine(cluttered), plain.developer)
    least = 1.0
    for index in range(12):
        (frame,) = pipeline.frames(Task(index, (index,)))
        assert len(frame.labels.objects) == 2
        assert set(np.unique(frame.labels.instance_id)) <= {0, 1, 2}
        least = min(least, *(label.visible_fraction for label in frame.labels.objects))
    assert least < 1.0
