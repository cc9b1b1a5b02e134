import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blendgen.errors import GeometryError
from blendgen.geometry import projection as geometry
from blendgen.geometry.projection import NO_DISTORTION, distort, undistort, within_lens

angles = st.floats(-720, 720)


def camera(azimuth_deg, elevation_deg, roll_deg, distance_m=1.0):
    rotation = geometry.camera_rotation(azimuth_deg, elevation_deg, roll_deg)
    return geometry.rigid(rotation, [0, 0, distance_m])


@given(angles, st.floats(-90, 90), angles)
def test_a_camera_rotation_is_a_rotation(azimuth, elevation, roll):
    rotation = geometry.camera_rotation(azimuth, elevation, roll)
    assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(rotation) == pytest.approx(1)


@given(st.floats(-180, 180), st.floats(-89, 89))
def test_azimuth_and_elevation_are_the_position_of_the_camera(azimuth, elevation):
    position = geometry.inverse_rigid(camera(azimuth, elevation, 0))[:3, 3]
    assert np.degrees(np.arcsin(position[2])) == pytest.approx(elevation, abs=1e-6)
    turned = (np.degrees(np.arctan2(position[1], position[0])) - azimuth + 180) % 360 - 180
    assert turned == pytest.approx(0, abs=1e-6)


def test_the_axes_are_right_down_forward():
    """Seen from -Y at the horizon: +X is to the right, +Z is up, farther is +Y."""
    world_to_camera = camera(-90, 0, 0)
    assert np.allclose(world_to_camera[:3, :3] @ [1, 0, 0], [1, 0, 0])
    assert np.allclose(world_to_camera[:3, :3] @ [0, 0, 1], [0, -1, 0])
    assert np.allclose(world_to_camera[:3, :3] @ [0, 1, 0], [0, 0, 1])


def test_a_positive_roll_turns_the_camera_clockwise_and_the_image_counter_clockwise():
    up_in_camera = camera(-90, 0, 90)[:3, :3] @ [0, 0, 1]
    assert np.allclose(up_in_camera, [-1, 0, 0])


def test_the_optical_axis_meets_the_centre_of_the_image():
    intrinsics = geometry.intrinsics_matrix(50, 36, (640, 480))
    assert np.allclose(geometry.project([[0, 0, 0]], intrinsics, camera(30, 40, 5)), [[320, 240]])


def test_the_field_of_view_follows_from_the_lens():
    intrinsics = geometry.intrinsics_matrix(18, 36, (100, 100))
    edge = geometry.project([[1, 0, 0]], intrinsics, camera(-90, 0, 0))
    assert edge[0] == pytest.approx([100, 50])


@given(st.floats(0, 640), st.floats(0, 480), st.floats(0.01, 10), angles, st.floats(-89, 89))
def test_unproject_is_the_inverse_of_project(x, y, depth, azimuth, elevation):
    intrinsics = geometry.intrinsics_matrix(35, 36, (640, 480))
    world_to_camera = camera(azimuth, elevation, 10)
    point = geometry.unproject([[x, y]], [depth], intrinsics, world_to_camera)
    assert geometry.project(point, intrinsics, world_to_camera)[0] == pytest.approx([x, y], abs=1e-5)


def test_points_behind_the_camera_are_rejected():
    with pytest.raises(GeometryError, match="behind"):
        geometry.project([[0, 0, 2]], np.eye(3), camera(0, 90, 0))


def test_pixel_rays_go_through_pixel_centres():
    intrinsics = geometry.intrinsics_matrix(35, 36, (8, 6))
    rays = geometry.pixel_rays(intrinsics, (8, 6))
    pixels = geometry.project(rays.reshape(-1, 3), intrinsics, np.eye(4)).reshape(6, 8, 2)
    assert np.allclose(pixels[0, 0], [0.5, 0.5])
    assert np.allclose(pixels[5, 7], [7.5, 5.5])


def test_a_rigid_transform_times_its_inverse_is_the_identity():
    transform = geometry.rigid(geometry.camera_rotation(10, 20, 30), [1, 2, 3])
    assert np.allclose(transform @ geometry.inverse_rigid(transform), np.eye(4))


def test_look_at_puts_the_target_on_the_optical_axis():
    position, target = np.array([1.0, -2, 3]), np.array([0.2, 0.1, 0.0])
    rotation = geometry.look_at_rotation(position, target)
    assert (rotation @ (target - position))[:2] == pytest.approx([0, 0], abs=1e-12)
    with pytest.raises(GeometryError):
        geometry.look_at_rotation(target, target)


def test_the_box_of_a_mask_is_tight():
    mask = np.zeros((10, 12), bool)
    assert geometry.box_of_mask(mask) == (0, 0, 0, 0)
    mask[2, 3] = mask[7, 9] = True
    assert geometry.box_of_mask(mask) == (3, 2, 7, 6)


LENSES = [(0, 0, 0, 0, 0), (-0.3, 0.12, 0, 0, 0), (0.2, 0.05, 0.001, -0.002, 0.01), (-0.2, 0, 0.01, 0.005, 0)]


@pytest.mark.parametrize("lens", LENSES)
def test_undistort_is_the_inverse_of_distort(lens):
    points = np.random.default_rng(0).uniform(-0.6, 0.6, (200, 2))
    assert undistort(distort(points, lens), lens) == pytest.approx(points, abs=1e-9)


def test_distortion_follows_the_formula_of_opencv():
    """x' = x (1 + k1 r^2) + 2 p1 x y + p2 (r^2 + 2 x^2), calculated by hand."""
    assert distort([0.5, 0.0], (-0.2, 0, 0, 0, 0)) == pytest.approx([0.5 * (1 - 0.2 * 0.25), 0])
    assert distort([0.3, 0.4], (0, 0, 0.01, 0.02, 0)) == pytest.approx(
        [0.3 + 2 * 0.01 * 0.12 + 0.02 * (0.25 + 0.18), 0.4 + 0.01 * (0.25 + 0.32) + 2 * 0.02 * 0.12]
    )
    assert distort([0.6, 0.8], (0, 0.1, 0, 0, 0.2)) == pytest.approx([0.6 * 1.3, 0.8 * 1.3])


def test_a_lens_that_folds_the_image_over_is_rejected():
    with pytest.raises(GeometryError, match="folds over"):
        undistort([[1.2, 0.0]], (-0.5, 0, 0, 0, 0))


def test_points_that_a_lens_folds_back_are_not_within_it():
    """A barrel lens of k1 = -0.6 folds back at r = 1 / sqrt(3 * 0.6)."""
    turn = 1 / np.sqrt(3 * 0.6)
    points = np.array([[0.0, 0.0], [0.95 * turn, 0.0], [0.0, 1.05 * turn], [-3.0, 2.0]])
    lens = (-0.6, 0.0, 0.0, 0.0, 0.0)
    assert within_lens(points, lens).tolist() == [True, True, False, False]
    assert within_lens(points, NO_DISTORTION).all()
