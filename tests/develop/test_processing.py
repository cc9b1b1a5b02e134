import warnings

import numpy as np
import pytest

from blendgen.develop.demosaic import demosaic
from blendgen.develop.processing import process, reduce_noise, sharpen
from blendgen.develop.sensor import raw_dn, sampled
from blendgen.geometry.color import blackbody_linear, white_balance_gain
from tests.develop.cameras import PRESETS, exposure, sensor_of

COLORS = [(0.5, 0.5, 0.5), (0.4, 0.2, 0.15), (0.1, 0.25, 0.12), (0.1, 0.12, 0.35), (0.7, 0.6, 0.3)]
COLOUR_PRESETS = [preset for preset in PRESETS if "mono" not in preset]


def through(light, taken, noise=False):
    return process(raw_dn(np.asarray(light, np.float32), taken, noise), taken)


def patch(color, size=24):
    return np.zeros((size, size, 3), np.float32) + np.float32(color)


@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize("preset", COLOUR_PRESETS)
def test_a_colour_inside_the_gamut_comes_back(preset, color):
    """Colour filters, sensitivities and matrix undo each other."""
    rgb = through(patch(color), exposure(sensor_of(preset)))[12, 12]
    assert rgb == pytest.approx(color, abs=0.004)


def test_a_monochrome_camera_gives_grey():
    rgb = through(patch((0.5, 0.2, 0.1)), exposure(sensor_of("machine_vision_mono")))
    assert np.ptp(rgb[12, 12]) == 0
    assert through(patch(0.4), exposure(sensor_of("machine_vision_mono")))[12, 12, 0] == pytest.approx(
        0.4, abs=0.004
    )


@pytest.mark.parametrize("temperature_k", [2700, 4000, 9000])
@pytest.mark.parametrize("preset", COLOUR_PRESETS)
def test_white_balance_makes_grey_under_its_light_neutral(preset, temperature_k):
    light = np.array(blackbody_linear(temperature_k))
    taken = exposure(sensor_of(preset), white_balance_gain=white_balance_gain(light, 1.0))
    rgb = through(patch(0.3 * light), taken)[12, 12]
    assert np.ptp(rgb) < 0.02 * rgb.mean()


@pytest.mark.parametrize("size", [(65, 64), (64, 65), (17, 17)])
def test_the_grey_world_takes_any_size(size):
    taken = exposure(sensor_of("webcam"), white_balance_mode="gray_world", white_balance=1.0)
    rgb = through(np.zeros((*size, 3), np.float32) + np.float32((0.4, 0.3, 0.2)), taken)
    assert rgb.shape == (*size, 3) and np.ptp(rgb[8, 8]) < 0.02 * rgb.mean()


@pytest.mark.parametrize("preset", COLOUR_PRESETS)
def test_the_grey_world_neutralises_a_picture_whose_mean_is_grey(preset):
    """Apart from noise reduction, sharpening and, a little, the mosaic, which do not keep the mean."""
    light = np.array(blackbody_linear(3200))
    scene = np.random.default_rng(3).uniform(0.1, 0.5, (12, 12, 1)).repeat(8, 0).repeat(8, 1) * light
    sensor = sensor_of(preset, noise_reduction=0, sharpening=0)
    taken = exposure(sensor, white_balance_mode="gray_world", white_balance=1.0)
    mean = through(scene, taken).mean(axis=(0, 1))
    assert np.ptp(mean) < 0.01 * mean.mean()
    half = through(scene, taken.model_copy(update={"white_balance": 0.5})).mean(axis=(0, 1))
    assert half[0] / half[2] > 1.1 * mean[0] / mean[2]


@pytest.mark.parametrize("preset", COLOUR_PRESETS)
def test_burnt_highlights_are_white(preset):
    light = np.array(blackbody_linear(3000))
    taken = exposure(sensor_of(preset), white_balance_gain=white_balance_gain(light, 1.0))
    burnt = through(patch(50 * light), taken)[12, 12]
    assert np.ptp(burnt) < 0.02 * burnt.mean()


def test_demosaicing_keeps_flat_colours_and_straight_edges():
    flat = np.zeros((16, 16, 3)) + [0.2, 0.5, 0.3]
    assert demosaic(sampled(flat)) == pytest.approx(flat, abs=1e-6)
    edge = np.zeros((32, 32, 3))
    edge[:, 16:] = 1.0
    assert np.abs(demosaic(sampled(edge)) - edge)[4:-4].max() < 0.6
    assert np.abs(demosaic(sampled(edge)) - edge)[4:-4, :12].max() < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(10, 12), (11, 13), (3, 64)])
def test_demosaicing_is_that_of_the_colour_science_library(shape):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that it cannot plot
        from colour_demosaicing import demosaicing_CFA_Bayer_Malvar2004
    raw = np.random.default_rng(0).random(shape)
    inside = (
        slice(2, -2),
        slice(2, -2),
    )  # it repeats the outermost pixels, which puts red on blue
    expected = demosaicing_CFA_Bayer_Malvar2004(np.pad(raw, 2, mode="reflect"))[inside]
    assert demosaic(raw) == pytest.approx(expected, abs=1e-6)


def test_noise_reduction_takes_noise_and_keeps_edges():
    rng = np.random.default_rng(0)
    clean = np.full((64, 64, 3), 0.1, np.float32)
    clean[:, 32:] = 0.6
    noisy = np.maximum(clean + rng.normal(0, 0.02, clean.shape), 0).astype(np.float32)
    smooth = reduce_noise(noisy, 1.0)
    flat = slice(4, 28)
    assert smooth[4:-4, flat].std() < noisy[4:-4, flat].std() / 2
    assert smooth[:, 36:60].mean() - smooth[:, 4:28].mean() == pytest.approx(0.5, rel=0.02)
    assert smooth[30, 33, 1] - smooth[30, 30, 1] > 0.3


def test_sharpening_overshoots_at_edges_only():
    edge = np.full((16, 64, 3), 0.2, np.float32)
    edge[:, 32:] = 0.4
    sharp = sharpen(edge, 1.0, 1.0)
    assert sharp[8, 5] == pytest.approx(edge[8, 5], rel=1e-5)
    assert sharp[8, 32, 0] > 0.42 and sharp[8, 31, 0] < 0.19
    assert sharpen(edge, 0.0, 1.0) is edge
