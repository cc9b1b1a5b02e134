"""Overhead and free cameras: mounted within tolerance, products whole in the frame, any direction."""

import numpy as np
import pytest

from blendgen.draw.arrangement import Arrangement, walls
from blendgen.draw.camera import draw_camera
from blendgen.draw.mount import draw_mounted
from blendgen.draw.sampler import Sampler
from blendgen.draw.shot import draw_shot
from blendgen.draw.sweep import Sweep
from blendgen.errors import GeometryError
from blendgen.geometry.projection import camera_rotation, inverse_rigid, project, transform_points
from blendgen.models.product import Catalog
from blendgen.scene.kinds.surfaces import SURFACE_RIM_M
from tests.conftest import make_class_table, make_product, make_spec
from tests.spec.test_load import MINIMAL, problems

pytestmark = pytest.mark.slow


@pytest.fixture
def shapes() -> Catalog:
    """A flat box and a tall one."""
    sizes = {"flat": (0.15, 0.07, 0.01), "tall": (0.05, 0.06, 0.12)}
    return Catalog(tuple(make_product(name, "box", size) for name, size in sizes.items()))


def shots(catalog, count, camera, **changes):
    spec = make_spec(camera={"rig": "overhead", **camera}, **changes)
    return [draw_shot(spec, catalog, make_class_table(catalog), index) for index in range(count)]


def pixels(camera, points):
    """Where the hull and the lines between its points are in the image."""
    marks = np.concatenate([points, *((one + points) / 2 for one in points)])
    return project(marks, camera.intrinsics, camera.world_to_camera, camera.distortion)


def test_products_are_whole_in_the_frame_of_a_lens_that_distorts(shapes):
    camera = {
        "rig": "overhead",
        "height_m": {"uniform": [0.7, 1.4]},
        "tilt_deg": {"uniform": [0, 35]},
        "subject_offset": {"disk": 1},
        "focal_length_mm": {"uniform": [35, 60]},
        "distortion": {"k1": {"uniform": [-0.25, 0.1]}, "p1": 0.002},
    }
    spec, hulls = make_spec(camera=camera), [product.hull_m for product in shapes.products]
    belt = shots(shapes, 1, {})[0].surface
    for index in range(300):
        points = hulls[index % 2]
        taken, shift = draw_mounted(spec, points, points, belt, Sampler(0, index, 0))
        points_px = pixels(taken, points + [*shift, 0])
        assert points_px.min() >= -1e-6 and np.all(points_px <= np.array(taken.resolution) + 1e-6)
        assert 0 < taken.frame_fill <= 1


def test_the_aim_is_the_place_in_the_frame(shapes):
    for subject_offset in ((0, 0), (0.9, -0.4), (-0.7, 0.7)):
        for shot in shots(shapes, 10, {"subject_offset": list(subject_offset)}, surface={"kind": "paper"}):
            points_px = pixels(shot.camera, Arrangement(shot.products).points(shapes))
            frame = np.array(shot.camera.resolution)
            low, high = points_px.min(axis=0), points_px.max(axis=0)
            free = frame - (high - low)
            assert (low + high) / 2 == pytest.approx(
                frame / 2 + np.array(subject_offset) * free / 2, abs=1e-5
            )


def test_the_camera_is_where_it_was_mounted_within_its_tolerance(shapes):
    camera = {"height_m": 0.8, "mount_tolerance_m": 0.02, "mount_tolerance_deg": 3}
    nominal = camera_rotation(270, 90, 0)
    distances, angles = [], []
    for shot in shots(shapes, 100, camera):
        pose = inverse_rigid(shot.camera.world_to_camera)
        distances.append(np.linalg.norm(pose[:3, 3] - [0, 0, 0.8]))
        turn = pose[:3, :3].T @ nominal.T
        angles.append(np.degrees(np.arccos((np.trace(turn) - 1) / 2)))
        own = camera_rotation(shot.camera.azimuth_deg, shot.camera.elevation_deg, shot.camera.roll_deg)
        assert own == pytest.approx(pose[:3, :3].T, abs=1e-9)
    for deviations, limit in ((distances, 0.02), (angles, 3)):
        assert max(deviations) <= limit + 1e-6
        # uniform in a ball: half of it lies within 0.794 of its radius
        assert np.mean(np.array(deviations) < 0.794 * limit) == pytest.approx(0.5, abs=0.14)


def test_up_in_the_image_is_along_the_belt(shapes):
    (shot,) = shots(shapes, 1, {"mount_tolerance_deg": 0, "mount_tolerance_m": 0})
    down_in_world = np.array(shot.camera.world_to_camera)[1, :3]
    assert down_in_world == pytest.approx([0, -1, 0], abs=1e-9)
    assert (shot.camera.azimuth_deg, shot.camera.elevation_deg, shot.camera.roll_deg) == (270, 90, 0)


def test_a_tilted_camera_looks_at_the_middle_of_the_surface(shapes):
    camera = {"tilt_deg": 40, "height_m": 0.5, "mount_tolerance_deg": 0, "mount_tolerance_m": 0}
    (shot,) = shots(shapes, 1, camera)
    middle = transform_points(shot.camera.world_to_camera, np.zeros((1, 3)))[0]
    assert middle == pytest.approx([0, 0, 0.5 / np.cos(np.radians(40))])


@pytest.mark.parametrize("sampling", ["independent", "low_discrepancy"])
def test_a_data_set_of_few_cameras_repeats_them(shapes, sampling):
    camera = {"camera_count": 3, "tilt_deg": {"uniform": [0, 20]}, "f_number": {"uniform": [2, 8]}}
    of_mount = {}
    offsets = set()
    for shot in shots(shapes, 60, camera, sampling=sampling):
        fixed = shot.camera.model_dump(exclude={"frame_fill", "distance_m"})
        assert of_mount.setdefault(shot.camera.mount, fixed) == fixed
        offsets.add(tuple(Arrangement(shot.products).points(shapes)[0]))
    assert set(of_mount) == {0, 1, 2} and len(offsets) == 60
    assert len({cam["f_number"] for cam in of_mount.values()}) == 3


def test_what_follows_the_camera_follows_its_mount(shapes):
    lamps = {"count": 1, "azimuth_deg": {"same_as": "camera.azimuth_deg", "plus": 180}}
    camera = {
        "camera_count": 2,
        "azimuth_deg": {"uniform": [0, 360]},
        "mount_tolerance_deg": 0,
        "tilt_deg": 20,
    }
    for shot in shots(shapes, 10, camera, lighting={"lamps": lamps}):
        away = np.array(shot.lamps[0].lamp_to_world)[:2, 2]
        forward = np.array(shot.camera.world_to_camera)[2, :2]
        assert away @ forward == pytest.approx(np.linalg.norm(away) * np.linalg.norm(forward))


def test_each_image_has_its_own_camera_by_default_and_where_one_parameter_varies(shapes):
    assert len({shot.camera.world_to_camera for shot in shots(shapes, 10, {})}) == 10
    spec = make_spec(camera={"rig": "overhead", "camera_count": 1})
    sweep = Sweep("camera.height_m", True, 0, 4)
    varied = [draw_shot(spec, shapes, make_class_table(shapes), i, sweep=sweep).camera for i in range(4)]
    assert len({inverse_rigid(camera.world_to_camera)[2, 3] for camera in varied}) == 4
    assert len({camera.focal_length_mm for camera in varied}) == 1


def test_a_tote_under_the_camera_stays_on_the_belt(shapes):
    camera = {"height_m": 1.2, "subject_offset": {"disk": 1}, "focal_length_mm": 18}
    pile = {"container": {"kind": "tote"}, "placement": {"arrangement": "pile"}, "products_per_image": 2}
    for shot in shots(shapes, 10, camera, surface={"width_m": 0.9}, **pile):
        corners = np.concatenate([wall.corners_m for wall in walls(shot.container)])
        assert np.abs(corners[:, 0]).max() <= shot.surface.width_m / 2 - SURFACE_RIM_M + 1e-9


def test_products_under_the_camera_stay_on_the_belt(shapes):
    camera = {"height_m": 1.2, "subject_offset": {"disk": 1}, "focal_length_mm": 18}
    for shot in shots(shapes, 60, camera, surface={"width_m": 0.3, "yaw_deg": 25}):
        across = np.array([np.cos(np.radians(25)), np.sin(np.radians(25))])
        reach = np.abs(Arrangement(shot.products).points(shapes)[:, :2] @ across).max()
        assert reach <= shot.surface.width_m / 2 - SURFACE_RIM_M + 1e-9


@pytest.mark.parametrize(
    ("camera", "size", "message"),
    [
        (
            {"height_m": 0.2},
            (0.4, 0.3, 0.02),
            r"camera.height_m: from 0.\d+ m .*raise camera.height_m or",
        ),
        ({"height_m": 0.2}, (0.1, 0.1, 0.25), "camera.height_m: at .*inside the products"),
    ],
)
def test_an_error_about_what_cannot_fit_has_a_way_out(camera, size, message):
    catalog = Catalog((make_product("big", "box", size),))
    with pytest.raises(GeometryError, match=message):
        shots(catalog, 1, {"focal_length_mm": 50, **camera})


def test_a_camera_that_only_sees_past_the_belt_is_an_error(shapes):
    camera = {"height_m": 1, "focal_length_mm": 100, "mount_tolerance_m": 0.45}
    with pytest.raises(GeometryError, match="beyond the edge of the surface"):
        shots(shapes, 20, camera, surface={"width_m": 0.2})


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{rig: overhead, frame_fill: 0.5}", "remove frame_fill"),
        ("{rig: overhead, direction: {cone: 5}, elevation_deg: 80}", "remove elevation_deg, direction"),
        (
            "{height_m: 1, camera_count: 2}",
            "only rig: overhead uses height_m, camera_count; set rig: overhead, or remove height_m",
        ),
        (
            "{rig: free, tilt_deg: 3}",
            "only rig: overhead uses tilt_deg; set rig: overhead, or remove tilt_deg",
        ),
        ("{rig: free, roll_deg: {same_as: camera.azimuth_deg}}", "is not sampled for this camera"),
        ("{direction: {cone: 5}, roll_deg: {same_as: camera.azimuth_deg}}", "is not sampled for this camera"),
    ],
)
def test_keys_of_another_rig_are_refused(line, expected):
    (problem,) = problems(f"{MINIMAL}camera: {line}\n")
    assert expected in problem


def test_a_free_camera_covers_the_upper_half_of_the_sphere_and_every_roll(shapes):
    spec, points = make_spec(camera={"rig": "free"}), shapes.products[0].hull_m
    cameras = [draw_camera(spec, points, Sampler(0, index, 0)) for index in range(600)]
    heights = np.sin(np.radians([camera.elevation_deg for camera in cameras]))
    turns = np.radians([camera.azimuth_deg for camera in cameras])
    rolls = np.radians([camera.roll_deg for camera in cameras])
    for share in (0.25, 0.5, 0.75):  # by Archimedes: heights of points on a sphere are uniform
        assert np.mean(heights < share) == pytest.approx(share, abs=0.05)
    for angle in (turns, rolls):
        assert abs(np.exp(1j * angle).mean()) < 0.09 and abs(np.exp(2j * angle).mean()) < 0.09
    assert min(inverse_rigid(camera.world_to_camera)[2, 3] for camera in cameras) > 0
    assert np.mean([camera.frame_fill for camera in cameras]) == pytest.approx(0.575, abs=0.02)
