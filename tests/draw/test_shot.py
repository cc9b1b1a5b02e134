"""What draw promises: balance, independence of parameters, products on the surface and apart."""

from collections import Counter

import numpy as np
import pytest
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from blendgen.draw.arrangement import Arrangement
from blendgen.draw.assignment import assigned_split, subject_variant
from blendgen.draw.placement import THINNEST_M
from blendgen.draw.products import uniform_rotation
from blendgen.draw.shot import draw_exposures, draw_shot
from blendgen.errors import CatalogError
from blendgen.geometry.projection import inverse_rigid, transform_points
from blendgen.models.class_table import build_class_table
from blendgen.models.product import Catalog, StablePose
from blendgen.scene.kinds.surfaces import SURFACE_RIM_M
from tests.conftest import make_class_table, make_product, make_spec

SECTIONS = {
    "lighting": {"lighting": {"lamps": {"count": 2, "distance_m": {"uniform": [3, 4]}}}},
    "placement": {"placement": {"yaw_deg": {"uniform": [10, 20]}}},
    "surface": {"surface": {"kind": "paper", "wear": 0.1}},
    "exposure": {"exposure": {"camera_ev": 1}},
}


def test_a_shot_depends_on_seed_and_index_and_attempt(shapes):
    class_table = make_class_table(shapes)
    shots = {
        draw_shot(make_spec(seed=seed), shapes, class_table, index, attempt).model_dump_json()
        for seed in (0, 1)
        for index in (0, 1)
        for attempt in (0, 1)
    }
    assert len(shots) == 8


def test_a_redraw_keeps_subject_and_split(shapes):
    class_table, spec = make_class_table(shapes), make_spec()
    first, second = (draw_shot(spec, shapes, class_table, 5, attempt) for attempt in (0, 1))
    assert first.split == second.split
    assert first.products[0].label == second.products[0].label
    assert first.camera != second.camera


@pytest.mark.parametrize("changed", SECTIONS)
def test_changing_one_section_leaves_what_belongs_to_the_others(shapes, changed):
    class_table = make_class_table(shapes)
    before, after = make_spec(products_per_image=2), make_spec(products_per_image=2, **SECTIONS[changed])
    for index in range(10):
        one, two = (draw_shot(spec, shapes, class_table, index) for spec in (before, after))
        unchanged = {
            "lighting": {"products", "surface", "camera", "split", "render_seed", "environment"},
            "placement": {"surface", "environment", "split", "render_seed"},
            "surface": {"split", "render_seed", "environment"},
            "exposure": set(type(one).model_fields),
        }[changed]
        assert one.model_dump(include=unchanged) == two.model_dump(include=unchanged)


def test_changing_the_range_of_one_parameter_leaves_every_other(shapes):
    class_table = make_class_table(shapes)
    before = draw_shot(make_spec(), shapes, class_table, 4)
    after = draw_shot(make_spec(camera={"roll_deg": {"uniform": [0, 1]}}), shapes, class_table, 4)
    assert before.camera.azimuth_deg == after.camera.azimuth_deg
    assert before.camera.elevation_deg == after.camera.elevation_deg
    assert before.camera.focal_length_mm == after.camera.focal_length_mm
    assert before.products == after.products and before.lamps == after.lamps


def test_classes_and_colourways_are_balanced():
    catalog = Catalog(
        tuple(make_product(f"p{i}", "box", (0.1, 0.1, 0.1), ["#000000"] * (1 + i)) for i in range(3))
    )
    spec, class_table = make_spec(), make_class_table(catalog)
    subjects = [subject_variant(class_table, spec.seed, index) for index in range(180)]
    assert set(Counter(subject.label for subject in subjects).values()) == {60}
    colours = Counter((subject.label, subject.colorway) for subject in subjects)
    for label, count in (("p0", 1), ("p1", 2), ("p2", 3)):
        assert {n for (name, _), n in colours.items() if name == label} == {60 // count}


def test_splits_are_as_stated_within_each_class_at_any_length(shapes):
    spec, class_table = make_spec(splits={"train": 0.7, "val": 0.2, "test": 0.1}), make_class_table(shapes)
    counts = Counter()
    for index in range(2000):
        counts[
            subject_variant(class_table, spec.seed, index).label,
            assigned_split(class_table, spec.seed, index, spec.splits),
        ] += 1
        if index in (199, 999, 1999):
            for label in class_table.classes:
                for split, share in spec.splits.items():
                    assert counts[label, split] == pytest.approx(share * (index + 1) / 2, abs=3)


def test_a_data_set_can_grow_without_changing_what_was_there(shapes):
    class_table = make_class_table(shapes)
    for index in range(10):
        assert draw_shot(make_spec(images=10), shapes, class_table, index) == draw_shot(
            make_spec(images=100000), shapes, class_table, index
        )


def test_labels_follow_the_rule():
    product = make_product("a", "box", (1, 1, 1), ["#000000", "#ffffff"], folder="kind")
    assert build_class_table([("model", product)]).classes == ("a",)
    assert build_class_table([("colorway", product)]).classes == ("c0", "c1")
    assert build_class_table([("model+colorway", product)]).classes == ("a+c0", "a+c1")
    assert build_class_table([("folder", product)]).classes == ("kind",)
    with pytest.raises(CatalogError, match="sub-folder"):
        build_class_table([("folder", make_product("b", "box", (1, 1, 1)))])


@pytest.mark.parametrize("pose", ["resting", "upright", "free"])
def test_products_touch_the_surface_and_not_each_other(pose):
    tipped = StablePose(((1, 0, 0), (0, 0, -1), (0, 1, 0)), 0.5)
    plate = make_product("plate", "box", (0.15, 0.07, 0.01))
    plate = type(plate)(**{**plate.__dict__, "stable_poses": (*plate.stable_poses, tipped)})
    catalog = Catalog((plate, make_product("ball", "sphere", (0.05, 0.05, 0.05))))
    spec = make_spec(products_per_image=4, placement={"pose": pose, "gap_m": 0.002}, surface={"width_m": 2})
    for index in range(60):
        shot = draw_shot(spec, catalog, make_class_table(catalog), index)
        clouds = [
            transform_points(p.object_to_world, catalog.product(p.product).hull_m) for p in shot.products
        ]
        for number, cloud in enumerate(clouds):
            assert cloud[:, 2].min() == pytest.approx(0, abs=1e-9)
            for other in clouds[:number]:
                assert separated(cloud[:, :2], other[:, :2])


def separated(one, two):
    """Whether a side of either convex outline has the other wholly outside."""
    for first, second in ((one, two), (two, one)):
        equations = ConvexHull(first).equations
        if np.any((second @ equations[:, :2].T + equations[:, 2]).min(axis=0) > 0):
            return True
    return False


def test_what_lies_on_a_belt_is_within_its_width(shapes):
    spec = make_spec(products_per_image=3, surface={"width_m": 0.3, "yaw_deg": 30})
    across = np.array([np.cos(np.radians(30)), np.sin(np.radians(30))])
    for index in range(50):
        shot = draw_shot(spec, shapes, make_class_table(shapes), index)
        for placed in shot.products:
            points = transform_points(placed.object_to_world, shapes.product(placed.product).hull_m)
            assert np.abs(points[:, :2] @ across).max() <= shot.surface.width_m / 2 + 1e-9


def test_free_orientations_are_uniform():
    rng = np.random.default_rng(1)
    rotations = np.array([uniform_rotation(*rng.random(3)) for _ in range(5000)])
    assert np.allclose(rotations @ rotations.transpose(0, 2, 1), np.eye(3), atol=1e-12)
    assert np.abs(rotations.mean(axis=0)).max() < 0.03
    assert (rotations[:, :, 2].T @ rotations[:, :, 2] / 5000) == pytest.approx(np.eye(3) / 3, abs=0.02)
    angle = Rotation.from_matrix(rotations).magnitude()
    # density of the angle of a uniform rotation: (1 - cos) / pi
    assert (angle < np.pi / 2).mean() == pytest.approx((np.pi / 2 - 1) / np.pi, abs=0.02)


def test_poses_come_with_their_probability():
    product = make_product("a", "box", (0.1, 0.1, 0.1))
    poses = (StablePose(((1, 0, 0), (0, 1, 0), (0, 0, 1)), 0.75),
             StablePose(((1, 0, 0), (0, 0, -1), (0, 1, 0)), 0.25))  # fmt: skip
    catalog = Catalog((type(product)(**{**product.__dict__, "stable_poses": poses}),))
    spec, class_table = make_spec(placement={"yaw_deg": 0}), make_class_table(catalog)
    upright = [
        draw_shot(spec, catalog, class_table, index).products[0].object_to_world[2][2] == 1
        for index in range(400)
    ]
    assert np.mean(upright) == pytest.approx(0.75, abs=0.06)


@pytest.mark.parametrize("kind", ["belt_rubber", "wood_table"])
@pytest.mark.parametrize("offset", [-1, 1])
def test_at_the_utmost_offset_products_stay_off_the_rim(shapes, kind, offset):
    spec = make_spec(surface={"kind": kind, "width_m": 0.4}, placement={"offset": offset})
    for index in range(20):
        shot = draw_shot(spec, shapes, make_class_table(shapes), index)
        points = Arrangement(shot.products).points(shapes)
        assert np.abs(points[:, 0]).max() <= shot.surface.width_m / 2 - SURFACE_RIM_M + 1e-9


def test_a_surface_is_wide_enough_for_what_lies_on_it():
    wide = Catalog((make_product("wide", "box", (1.9, 1.2, 0.3)),))
    shot = draw_shot(make_spec(surface={"kind": "wood_table"}), wide, make_class_table(wide), 0)
    assert shot.surface.width_m / 2 > np.linalg.norm([1.9, 1.2]) / 2


def test_a_sheet_without_thickness_lies_a_hair_above_the_surface():
    """On it, neither would be in front."""
    card = Catalog((make_product("card", "box", (0.08, 0.06, 0.0)),))
    shot = draw_shot(make_spec(), card, make_class_table(card), 0)
    assert Arrangement(shot.products).points(card)[:, 2] == pytest.approx(THINNEST_M)


def test_upright_sheets_find_room_next_to_each_other():
    card = Catalog((make_product("card", "box", (0.08, 0.0, 0.06)),))
    shot = draw_shot(
        make_spec(products_per_image=3, placement={"pose": "upright"}), card, make_class_table(card), 0
    )
    assert len(shot.products) == 3


def test_a_low_camera_stays_above_the_surface(shapes):
    spec = make_spec(camera={"elevation_deg": {"uniform": [1, 10]}, "subject_offset": {"disk": 1}})
    for index in range(60):
        camera = draw_shot(spec, shapes, make_class_table(shapes), index).camera
        assert inverse_rigid(camera.world_to_camera)[2, 3] > 0


def test_large_products_hold_no_lamp():
    large = Catalog((make_product("large", "sphere", (4.0, 4.0, 4.0)),))
    for index in range(30):
        shot = draw_shot(make_spec(), large, make_class_table(large), index)
        points = Arrangement(shot.products).points(large)
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
        for lamp in shot.lamps:
            assert np.linalg.norm(np.array(lamp.lamp_to_world)[:3, 3] - middle) > 2.0


def test_lamps_stand_where_drawn_and_face_the_products(shapes):
    spec = make_spec(lighting={"lamps": {"count": 3, "distance_m": 1.5, "elevation_deg": 40}})
    shot = draw_shot(spec, shapes, make_class_table(shapes), 2)
    points = np.concatenate(
        [transform_points(p.object_to_world, shapes.product(p.product).hull_m) for p in shot.products]
    )
    target = (points.min(axis=0) + points.max(axis=0)) / 2
    distance = 1.5 + np.linalg.norm(np.ptp(points, axis=0)) / 2
    for lamp in shot.lamps:
        pose = np.array(lamp.lamp_to_world)
        towards = pose[:3, 3] - target
        assert np.linalg.norm(towards) == pytest.approx(distance)
        assert np.degrees(np.arcsin(towards[2] / distance)) == pytest.approx(40)
        assert pose[:3, 2] == pytest.approx(towards / distance)


def test_a_ring_light_shines_where_the_camera_looks(shapes):
    spec = make_spec(lighting={"lamps": {"count": 1, "kind": "ring", "size_m": 0.1}})
    for index in range(5):
        shot = draw_shot(spec, shapes, make_class_table(shapes), index)
        (lamp,), pose = shot.lamps, inverse_rigid(shot.camera.world_to_camera)
        lamp_to_world = np.array(lamp.lamp_to_world)
        assert lamp_to_world[:3, 3] == pytest.approx(pose[:3, 3])
        assert lamp_to_world[:3, 2] == pytest.approx(-pose[:3, 2])
        assert lamp.reference_distance_m == shot.camera.distance_m
        assert lamp.size_m == pytest.approx((0.1, 0.06))


def test_tint_moves_lamps_towards_green_or_magenta_and_keeps_their_brightness(shapes):
    from blendgen.geometry.color import luminance

    gains = []
    for tint in (-1, 0, 1):
        spec = make_spec(
            exposure={"lamp_tint": tint, "lamp_ev": 0, "lamp_temperature_k": 6500},
            lighting={"lamps": {"count": 1}},
        )
        shot = draw_shot(spec, shapes, make_class_table(shapes), 0)
        gains.append(np.array(draw_exposures(spec, shot, [0])[0].group_gain["lamp_0"]))
    assert [luminance(gain) for gain in gains] == pytest.approx([1, 1, 1])
    magenta, plain, green = (gain[1] / gain[0] for gain in gains)
    assert magenta * 2 ** (1 / 3) == pytest.approx(plain) == pytest.approx(green / 2 ** (1 / 3))


def test_the_meter_counts_a_sheet_that_shines(shapes):
    """However dim the rest: the sheet stays within a stop of white."""
    spec = make_spec(
        surface={"kind": "backlit_sheet"},
        exposure={"environment_ev": -6, "backlight_ev": {"uniform": [-3, 3]}, "camera_ev": 0},
        lighting={"lamps": {"count": 0}},
    )
    for index in range(10):
        shot = draw_shot(spec, shapes, make_class_table(shapes), index)
        (exposure,) = draw_exposures(spec, shot, [index])
        assert 0.5 < exposure.group_gain["emission"][1] * exposure.camera_gain < 1.0


def test_the_meter_makes_a_white_level_patch_one_whatever_the_lights(shapes):
    from blendgen.draw.exposure import incident_light
    from blendgen.geometry.color import luminance

    spec = make_spec(
        exposure={"camera_ev": 0, "white_balance": 1, "lamp_ev": {"uniform": [-5, 5]}},
        lighting={"lamps": {"count": 3}},
    )
    for index in range(20):
        shot = draw_shot(spec, shapes, make_class_table(shapes), index)
        (exposure,) = draw_exposures(spec, shot, [index])
        light = incident_light(shot, exposure.group_gain) * exposure.camera_gain
        assert luminance(light) == pytest.approx(1)
        assert light * np.array(exposure.white_balance_gain) == pytest.approx([1, 1, 1])


def test_groups_to_which_the_spec_leaves_no_choice_are_steady(shapes):
    from blendgen.draw.exposure import steady_groups

    def steady(exposure, lighting=None):
        given = {
            "environment_ev": 0,
            "environment_temperature_k": 6500,
            "lamp_ev": 0,
            "lamp_temperature_k": 5000,
            "lamp_tint": 0,
        } | exposure
        spec = make_spec(exposure=given, lighting=lighting or {"lamps": {"count": 2}}, exposures_per_shot=4)
        shot = draw_shot(spec, shapes, make_class_table(shapes), 0)
        steady = steady_groups(spec, shot)
        drawn = draw_exposures(spec, shot, range(4))
        for group in steady & drawn[0].group_gain.keys():  # and so it is
            assert len({e.group_gain[group] for e in drawn}) == 1
        return steady & drawn[0].group_gain.keys()

    assert steady({}) == {"environment", "emission", "lamp_0", "lamp_1"}
    assert steady({"lamp_ev": {"uniform": [-1, 1]}}) == {"environment", "emission"}
    assert steady({"environment_ev": {"uniform": [-1, 1]}}) == {"emission", "lamp_0", "lamp_1"}
    flashes = {"lamps": {"count": 2, "strobe": 1}}
    assert steady({"time_s": 0.01, "strobe_s": 0.001}, flashes) == {
        "environment",
        "emission",
        "lamp_0",
        "lamp_1",
    }
    assert steady({"time_s": {"uniform": [0.001, 0.01]}, "strobe_s": 0.0005}, flashes) == set()
