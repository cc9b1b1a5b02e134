"""Piles: at rest, apart, on the floor and within the walls; drawn again the same way."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog

from blendgen.draw import polytope
from blendgen.draw.arrangement import walls
from blendgen.draw.physics import Body, settle
from blendgen.draw.shot import draw_shot
from blendgen.draw.visibility import sight_of
from blendgen.errors import SpecError
from blendgen.geometry.projection import inverse_rigid, transform_points
from tests.conftest import make_class_table, make_product, make_spec, with_measured
from tests.hollow_models import box_corners


def pile_spec(**changes):
    values = {"products_per_image": 5, "placement": {"arrangement": "pile", "spread": 0.5}, **changes}
    return make_spec(**values)


def bodies(shot, catalog):
    things = (*shot.products, *shot.distractors)
    return [polytope.of_product(catalog.product(t.product)).placed(t.object_to_world) for t in things]


def meet(one, other) -> bool:
    """Whether two polytopes share a point, by linear programming."""
    sides, offsets = np.vstack([one.normals, other.normals]), np.concatenate([one.offsets_m, other.offsets_m])
    return linprog(np.zeros(3), A_ub=sides, b_ub=offsets, bounds=(None, None)).status == 0


@pytest.mark.parametrize(
    "container",
    [None, pytest.param({"width_m": 0.25, "length_m": 0.3, "height_m": 0.2}, marks=pytest.mark.slow)],
)
def test_nothing_meets_anything_and_all_rests_on_something(shapes, container):
    catalog = replace(shapes, distractors=(make_product("distractor bar", "box", (0.12, 0.01, 0.01)),))
    boxed = {"container": container} if container else {}
    spec = pile_spec(distractors={"catalog": "shapes", "count": 2}, **boxed)
    for index in range(6):
        shot = draw_shot(spec, catalog, make_class_table(catalog), index)
        lying = bodies(shot, catalog)
        assert len(lying) == 7
        for number, body in enumerate(lying):
            assert not any(meet(body, other) for other in lying[:number])
            assert not container or not any(meet(body, wall) for wall in walls(shot.container)[:4])
        points = [b.corners_m for b in lying]
        floor = shot.container.wall_m if container else 0.0
        assert floor < min(p[:, 2].min() for p in points) < floor + 0.0004
        for body in lying:  # let down by a millimetre, each meets the floor or what it lies on
            lower = body.placed(np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, -0.002], [0, 0, 0, 1.0]]))
            below = [other for other in lying if other is not body]
            below += walls(shot.container) if container else []
            assert lower.corners_m[:, 2].min() < floor or any(meet(lower, other) for other in below)


def test_in_a_container_all_lies_between_the_walls(shapes):
    spec = pile_spec(container={"width_m": 0.2, "length_m": 0.2})
    for index in range(10):
        shot = draw_shot(spec, shapes, make_class_table(shapes), index)
        yaw = np.radians(shot.container.yaw_deg)
        for placed in shot.products:
            middle = transform_points(placed.object_to_world, shapes.product(placed.product).hull_m).mean(
                axis=0
            )
            aside = middle[:2] - shot.container.middle_m
            local = [aside @ (np.cos(yaw), np.sin(yaw)), aside @ (-np.sin(yaw), np.cos(yaw))]
            assert np.all(np.abs(local) < np.array(shot.container.size_m[:2]) / 2)


def test_a_container_is_wide_enough_for_what_lies_in_it(shapes):
    spec = pile_spec(products_per_image=1, container={"width_m": 0.03, "length_m": 0.03})
    shot = draw_shot(spec, shapes, make_class_table(shapes), 0)
    extent = np.ptp(shapes.product(shot.products[0].product).hull_m[:, :2], axis=0).max()
    assert min(shot.container.size_m[:2]) >= extent


def test_a_pile_is_the_same_when_drawn_again_and_differs_by_index(shapes):
    spec, class_table = pile_spec(), make_class_table(shapes)
    shots = [draw_shot(spec, shapes, class_table, index) for index in (3, 4, 3)]
    assert shots[0] == shots[2] != shots[1]


def test_products_lie_over_one_another_where_they_fall_onto_one_spot(shapes):
    tight = draw_shot(
        pile_spec(placement={"arrangement": "pile", "spread": 0}), shapes, make_class_table(shapes), 1
    )
    assert max(b.corners_m[:, 2].max() for b in bodies(tight, shapes)) > 0.065


@pytest.mark.slow
def test_the_subject_lies_as_free_as_asked(shapes):
    placement = {"arrangement": "pile", "spread": 0.2, "visible_fraction": [0.8, 1.0]}
    spec = pile_spec(placement=placement, camera={"elevation_deg": 80})
    for index in range(12):
        shot = draw_shot(spec, shapes, make_class_table(shapes), index)
        first, *others = bodies(shot, shapes)
        assert sight_of(first, others, shot.camera).visible_fraction >= 0.8
        assert shot.visible_band == (0.8, 1.0)


def test_a_light_and_a_heavy_body_settle_apart():
    """Sizes that differ by a factor of twenty."""
    small, large = (polytope.enclosing(make_product("p", "box", s).hull_m) for s in ((0.01,) * 3, (0.2,) * 3))
    falling = [Body(large, np.eye(3), np.zeros(2)), Body(small, np.eye(3), np.array([0.05, 0.0]))]
    poses = settle(falling, [], 0.0)
    assert not meet(large.placed(poses[0]), small.placed(poses[1]))
    assert poses[1][2, 3] == pytest.approx(0.2, abs=0.001)
    turned = inverse_rigid(poses[0])[:3, :3] @ poses[0][:3, :3]
    assert turned == pytest.approx(np.eye(3), abs=1e-12)


def slide_m(slope_deg):
    """How far downhill a slab comes to rest from where it falls onto a slope."""
    slope = np.radians(slope_deg)
    tilt = np.eye(4)
    tilt[:3, :3] = [[np.cos(slope), 0, np.sin(slope)], [0, 1, 0], [-np.sin(slope), 0, np.cos(slope)]]
    tilt[2, 3] = 0.04
    slab = Body(polytope.box((-0.04, -0.04, -0.01), (0.04, 0.04, 0.01)), tilt[:3, :3], np.zeros(2))
    plank = polytope.box((-0.2, -0.1, -0.02), (0.2, 0.1, 0.0)).placed(tilt)
    (pose,) = settle([slab], [plank], 0.0)
    return pose[0, 3]


def test_a_body_stays_on_a_slope_below_the_angle_of_friction_and_slides_down_above():
    """A coefficient of 0.6 holds up to 31 degrees."""
    assert slide_m(30) == pytest.approx(0, abs=0.002)
    assert slide_m(32) > 0.02


def test_a_container_without_a_pile_and_a_band_upside_down_are_refused():
    with pytest.raises(SpecError, match=r"container needs placement\.arrangement: pile"):
        make_spec(container={})
    with pytest.raises(SpecError, match="must have 0 <= low < high <= 1"):
        make_spec(placement={"visible_fraction": [0.9, 0.2]})
    with pytest.raises(SpecError, match="must be two numbers"):
        make_spec(placement={"visible_fraction": 0.5})


def open_box():
    """A product that consists of a bottom and four walls, each 10 mm thick."""
    sizes = [(0.2, 0.2, 0.01), *[(0.01, 0.2, 0.1)] * 2, *[(0.2, 0.01, 0.1)] * 2]
    places = [(0, 0, 0), (-0.095, 0, 0), (0.095, 0, 0), (0, -0.095, 0), (0, 0.095, 0)]
    parts = tuple(box_corners(size) + place for size, place in zip(sizes, places, strict=True))
    return with_measured(make_product("open box", "box", (0.2, 0.2, 0.1)), convex_parts_m=parts)


def settled(*products):
    """Their polytopes at rest, each fallen onto the first."""
    around = [polytope.of_product(product) for product in products]
    poses = settle([Body(one, np.eye(3), np.zeros(2)) for one in around], [], 0.0)
    return [one.placed(pose) for one, pose in zip(around, poses, strict=True)]


def test_what_falls_into_an_open_box_lies_on_its_bottom():
    cube = make_product("cube", "box", (0.05, 0.05, 0.05))
    _, inside = settled(open_box(), cube)
    assert inside.corners_m[:, 2].min() == pytest.approx(0.01, abs=0.001)
    _, on_top = settled(with_measured(open_box(), convex_parts_m=()), cube)
    assert on_top.corners_m[:, 2].min() == pytest.approx(0.1, abs=0.001)


def test_nothing_meets_the_walls_of_what_it_lies_in():
    around, *inside = settled(
        open_box(), *[make_product(f"c{i}", "box", (0.06, 0.05, 0.04)) for i in range(4)]
    )
    for number, one in enumerate(inside):
        assert not any(meet(one, other) for other in (*around.parts, *inside[:number]))


def test_what_lies_in_an_open_box_is_visible_from_above_and_hidden_from_the_side(shapes):
    around, inside = settled(open_box(), make_product("cube", "box", (0.05, 0.05, 0.05)))
    for elevation_deg, expected in ((90, 1.0), (5, 0.0)):
        spec = make_spec(camera={"elevation_deg": elevation_deg})
        camera = draw_shot(spec, shapes, make_class_table(shapes), 0).camera
        assert sight_of(inside, [around], camera).visible_fraction == expected
