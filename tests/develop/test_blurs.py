"""Motion blur and defocus: as wide as optics say, and only where they should be."""

import numpy as np
import pytest

from blendgen.develop.defocus import circle_of_confusion_px, defocus
from blendgen.develop.motion import motion_blur
from blendgen.geometry.projection import camera_rotation, rigid, rows_of
from blendgen.scene.shot import Surface
from tests.develop.cameras import camera

HEIGHT_M = 1.0
BELT = Surface(
    kind="belt_rubber",
    texture_offset_m=(0, 0),
    yaw_deg=0,
    width_m=0.6,
    wear=0,
    dust=0,
    color_srgb=None,
    speed_m_per_s=2.0,
)


def overhead(**changes):
    """A camera one metre above the belt that looks straight down, its rows along the travel."""
    rotation = camera_rotation(-90, 90, 0)
    untilted = camera(161, 121)
    return untilted.model_copy(
        update={"world_to_camera": rows_of(rigid(rotation, -rotation @ [0, 0, HEIGHT_M])), **changes}
    )


def point(row=60, column=80):
    light = np.zeros((121, 161, 3), np.float32)
    light[row, column] = 1.0
    return light


def test_a_point_on_the_belt_smears_by_speed_times_time_along_the_travel():
    depth = np.full((121, 161), HEIGHT_M, np.float32)
    blurred = motion_blur(point(), depth, overhead(), BELT, time_s=0.04)
    length_px = 2.0 * 0.04 / HEIGHT_M * 161  # focal length 36 mm on a sensor of 36 mm
    rows, columns = np.nonzero(blurred[..., 0] > 1e-4)
    assert blurred.sum(axis=(0, 1)) == pytest.approx([1, 1, 1], rel=0.1)
    assert np.ptp(rows) == pytest.approx(length_px, abs=2) and np.ptp(columns) <= 2
    assert (rows.min() + rows.max()) / 2 == pytest.approx(60, abs=1)  # about where the labels have it


def test_what_is_higher_moves_faster_in_the_image():
    low, high = (
        motion_blur(point(), np.full((121, 161), z, np.float32), overhead(), BELT, 0.04) for z in (1.0, 0.5)
    )
    lengths = [np.ptp(np.nonzero(light[..., 0] > 1e-4)[0]) for light in (low, high)]
    assert lengths[1] == pytest.approx(2 * lengths[0], rel=0.15)


def test_what_hangs_before_the_belt_stands_still_and_lends_no_light():
    """A bright bar across a dark belt: its edge stays sharp, and the belt behind it gets none of it."""
    light = np.full((121, 161, 3), 0.1, np.float32)
    light[40:60] = 1.0
    depth = np.full((121, 161), HEIGHT_M, np.float32)
    depth[40:60] = 0.6
    bar = np.zeros((121, 161), bool)
    bar[40:60] = True
    assert np.allclose(motion_blur(light, depth, overhead(), BELT, 0.04, bar), light, atol=1e-6)
    assert not np.allclose(motion_blur(light, depth, overhead(), BELT, 0.04), light, atol=0.1)
    marked = light.copy()
    marked[80, 80] = 1.0
    smeared = motion_blur(marked, depth, overhead(), BELT, 0.04, bar)
    assert smeared[80, 80, 0] < 0.4 and np.allclose(smeared[40:60], 1.0)


def test_rails_the_sky_and_a_resting_belt_stay_sharp():
    depth = np.full((121, 161), HEIGHT_M, np.float32)
    rail = point(column=80 + int(0.4 * 161))  # 0.4 m from the middle of a belt of 0.6 m
    assert np.array_equal(motion_blur(rail, depth, overhead(), BELT, 0.04)[..., 0] > 0, rail[..., 0] > 0)
    light, resting = point(), BELT.model_copy(update={"speed_m_per_s": 0.0})
    assert motion_blur(light, depth, overhead(), resting, 0.04) is light
    nothing = np.full((121, 161), np.inf, np.float32)
    assert motion_blur(point(), nothing, overhead(), BELT, 0.04).max() == pytest.approx(1)


def test_the_circle_of_confusion_is_that_of_a_thin_lens():
    """f = 50 mm at f/2 focused at 1 m: a point at 2 m becomes 0.6579 mm wide."""
    lens = overhead(focal_length_mm=50.0, f_number=2.0, focus_m=1.0)
    depth = np.array([[1.0, 2.0, np.inf]], np.float32)
    millimetres = circle_of_confusion_px(depth, lens) * 36 / 161
    assert millimetres[0, :2] == pytest.approx([0, 0.05**2 / 2 * 1 / (2 * 0.95) * 1000], abs=1e-6)
    assert millimetres[0, 2] == pytest.approx(0.05**2 / 2 / 0.95 * 1000, rel=1e-3)


def test_what_is_in_focus_stays_sharp_and_the_rest_blurs_as_wide_as_its_circle():
    lens = overhead(focal_length_mm=50.0, f_number=2.0, focus_m=1.0)
    sharp = defocus(point(), np.full((121, 161), 1.0, np.float32), lens)
    assert np.array_equal(sharp, point())
    far = np.full((121, 161), 2.0, np.float32)
    blurred = defocus(point(), far, lens)
    offsets = np.arange(121) - 60
    sigma = np.sqrt((blurred[..., 0].sum(axis=1) * offsets**2).sum() / blurred[..., 0].sum())
    assert sigma == pytest.approx(circle_of_confusion_px(far, lens)[0, 0] / 4, rel=0.1)
    assert blurred.sum(axis=(0, 1)) == pytest.approx([1, 1, 1], rel=0.02)


def test_without_an_f_number_everything_is_sharp():
    light = point()
    assert defocus(light, np.full((121, 161), 5.0, np.float32), overhead()) is light
