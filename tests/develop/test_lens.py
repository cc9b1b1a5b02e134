import numpy as np
import pytest

from blendgen.develop.lens import blur, chromatic_aberration, through_lens, veiling_glare, vignetting
from tests.develop.cameras import camera, sensor_of


def test_a_perfect_lens_changes_nothing():
    light = np.random.default_rng(0).random((48, 64, 3)).astype(np.float32)
    assert np.array_equal(through_lens(light, camera(), sensor_of("ideal")), light)


def test_natural_vignetting_is_the_fourth_power_of_the_cosine():
    falloff = vignetting(camera(65, 65, 18.0), sensor_of("ideal", natural_vignetting=1.0))
    assert falloff[32, 32] == pytest.approx(1)
    angle = np.arctan(32 / (18 / 36 * 65))
    assert falloff[32, 64] == pytest.approx(np.cos(angle) ** 4, rel=1e-5)


def test_mechanical_vignetting_is_stated_at_the_corner():
    falloff = vignetting(camera(101, 51), sensor_of("ideal", mechanical_vignetting_ev=1.5))
    assert falloff[0, 0] == pytest.approx(2**-1.5, rel=1e-5)
    assert falloff.max() == pytest.approx(1)


def test_the_lens_blurs_as_stated_and_keeps_the_light():
    point = np.zeros((41, 41, 3), np.float32)
    point[20, 20] = 1
    spread = blur(point, 1.5)
    assert spread.sum(axis=(0, 1)) == pytest.approx([1, 1, 1], abs=1e-4)
    offsets = np.arange(41) - 20
    assert (spread[..., 0].sum(axis=0) * offsets**2).sum() == pytest.approx(1.5**2, rel=0.02)


def test_chromatic_aberration_moves_red_out_and_blue_in_by_the_stated_pixels():
    """A bright dot near the corner: where it lands in each channel, along the radius."""
    light = np.zeros((201, 201, 3), np.float32)
    light[180, 180] = 1
    moved = chromatic_aberration(light, camera(201, 201), 4.0)
    rows = np.arange(201)
    centres = [(moved[..., c].sum(axis=1) * rows).sum() / moved[..., c].sum() for c in range(3)]
    share = 80 / 100
    expected = 4.0 / np.sqrt(2) * share
    assert centres[0] - 180 == pytest.approx(expected, abs=0.1)
    assert centres[1] == 180
    assert centres[2] - 180 == pytest.approx(-expected, abs=0.1)


def test_glare_lifts_the_darkness_and_keeps_the_mean():
    light = np.zeros((20, 20, 3), np.float32)
    light[:10] = [1.0, 0.5, 0.25]
    veiled = veiling_glare(light, 0.1)
    assert veiled.mean(axis=(0, 1)) == pytest.approx(light.mean(axis=(0, 1)), rel=1e-5)
    assert veiled[15, 15] == pytest.approx([0.05, 0.025, 0.0125], rel=1e-5)
