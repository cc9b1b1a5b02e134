"""Statistics recover what a known sensor did to a known scene, or say that they cannot."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from blendgen.develop.encode import through_jpeg
from blendgen.develop.sensor import white_e
from blendgen.files.photos import read_photo
from blendgen.geometry.color import blackbody_linear, white_balance_gain
from blendgen.photos.jpeg import NO_TRACES, file_quality, luma_u8, pixel_quality, quality_of_table, table_of
from blendgen.photos.noise import noise_at, noise_fit, patches
from blendgen.photos.statistics import BY_NAME, STATISTICS, Picture, measured
from tests.develop.cameras import sensor_of
from tests.photos.developed import developed, disks, steps

SEEDS = (1, 2)


def value(image, name: str) -> float:
    measure = BY_NAME[name].measure(Picture(image))
    assert measure.value is not None, measure.reason
    return measure.value


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("full_well_e", "read_noise_e"), [(2000, 0), (6000, 20), (800, 6)])
def test_noise_grows_with_the_signal_as_the_electrons_of_the_sensor_say(seed, full_well_e, read_noise_e):
    sensor = {"full_well_e": full_well_e, "read_noise_e": read_noise_e}
    image = developed(steps(seed), "ideal", seed, **sensor)
    fit, electrons = noise_fit(patches(image)), white_e(sensor_of("ideal", **sensor), 0)
    assert fit.growth.value == pytest.approx(1 / electrons, rel=0.25)
    dark = (read_noise_e / electrons) ** 2
    assert fit.constant.value == pytest.approx(dark, rel=0.6, abs=0.004 / electrons + 5e-7)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("gain_db", [6, 18])
def test_noise_against_level_is_that_of_many_pictures(seed, gain_db):
    """Ground truth: the same scene again and again."""
    light = disks(seed)
    many = np.stack([
        developed(light, "machine_vision", number, exposure_gain_db=gain_db)[..., 1] for number in range(12)
    ]).astype(float)  # fmt: skip
    level, noise = many.mean(axis=0), many.std(axis=0, ddof=1)
    image = developed(light, "machine_vision", 99, exposure_gain_db=gain_db)
    for band, (low, high) in {"dark": (20, 85), "mid": (85, 170)}.items():
        true = np.sqrt(np.mean(noise[(level > low) & (level < high)] ** 2))
        assert noise_at(patches(image), band).value == pytest.approx(true, rel=0.3)


def test_texture_is_not_taken_for_noise_and_no_noise_is_zero():
    rng = np.random.Generator(np.random.PCG64(5))
    carpet = np.kron(rng.uniform(0.1, 0.4, (90, 120, 1)), np.ones((2, 2, 3)))
    measure = measured(developed(carpet))["noise_mid"]
    assert measure.value is None and measure.reason == "texture hides the noise"
    assert measured(developed(steps(1)))["noise_mid"].value == 0


def test_denoising_shows_in_what_neighbours_share():
    plain, denoised = (
        value(developed(disks(1), "webcam", jpeg_quality=None, noise_reduction=one, exposure_gain_db=9),
              "noise_correlation")
        for one in (0.0, 0.8)
    )  # fmt: skip
    assert denoised > plain + 0.05
    white = developed(steps(1), "ideal", full_well_e=1500)
    assert value(white, "noise_correlation") == pytest.approx(0, abs=0.06)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("blur_px", [0.8, 1.6, 3.0])
def test_the_blur_of_a_lens_is_that_of_its_edges(seed, blur_px):
    # squares in light are not squares in levels: the blur of edges in a picture is a little smaller
    own_px = 0.866
    edge = value(developed(disks(seed), full_well_e=9000, blur_px=blur_px), "edge_blur")
    assert np.sqrt(edge**2 - own_px**2) == pytest.approx(blur_px, rel=0.3)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("stops", [0.0, 0.6, 1.2])
def test_dark_corners_are_measured_in_stops(seed, stops):
    from blendgen.develop.lens import vignetting
    from tests.develop.cameras import camera

    sensor = {"mechanical_vignetting_ev": stops, "natural_vignetting": stops / 2}
    light = vignetting(camera(240, 180), sensor_of("ideal", **sensor))
    true = float(np.log2(light.max() / light.min()))
    assert value(developed(disks(seed, 14), **sensor), "vignetting") == pytest.approx(true, abs=0.25)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("shift_px", [-0.8, 0.0, 0.5, 1.5])
def test_lateral_colour_is_measured_in_pixels_at_the_corners(seed, shift_px):
    image = developed(disks(seed, 60), blur_px=0.6, chromatic_aberration_px=shift_px)
    assert value(image, "aberration") == pytest.approx(shift_px, abs=0.12 + 0.2 * abs(shift_px))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("quality", [40, 60, 75, 85, 92])
def test_the_quality_of_a_jpeg_is_read_off_its_file_and_off_its_pixels(tmp_path, seed, quality):
    image = developed(disks(seed), "machine_vision")
    Image.fromarray(image).save(tmp_path / "photo.jpg", quality=quality, subsampling=2)
    assert file_quality(tmp_path / "photo.jpg").value == quality
    decoded = luma_u8(read_photo(tmp_path / "photo.jpg", 1000))
    assert pixel_quality(decoded).value == pytest.approx(quality, abs=1.5)


@pytest.mark.parametrize("seed", SEEDS)
def test_pictures_without_traces_of_jpeg_have_no_quality(tmp_path, seed):
    image = developed(disks(seed), "machine_vision")
    Image.fromarray(image).save(tmp_path / "photo.png")
    assert "not a JPEG" in file_quality(tmp_path / "photo.png").reason
    shrunk = Image.fromarray(through_jpeg(image, 60)).resize((200, 150), Image.Resampling.LANCZOS)
    for picture in (image, np.asarray(shrunk)):
        assert value(picture, "jpeg_quality") == NO_TRACES
    assert "too little detail" in pixel_quality(np.full((80, 80), 90, np.float32)).reason


def test_a_table_of_an_unusual_maker_has_a_larger_error():
    usual, unusual = table_of(80), table_of(80).copy()
    unusual[8:] = unusual[8:] * 3
    assert quality_of_table(usual).error == 0 < quality_of_table(unusual).error


@pytest.mark.parametrize("seed", SEEDS)
def test_exposure_is_measured_in_stops(seed):
    dark, bright = (developed(disks(seed), exposure_camera_gain=gain) for gain in (0.25, 0.5))
    assert value(bright, "brightness") - value(dark, "brightness") == pytest.approx(1, abs=0.05)
    assert value(developed(disks(seed), exposure_camera_gain=12.0), "white") > 0.3
    assert value(developed(disks(seed), exposure_camera_gain=0.001), "black") > 0.9


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("temperature_k", [3200, 9000])
def test_a_cast_is_that_of_the_white_balance(seed, temperature_k):
    gain = white_balance_gain(blackbody_linear(temperature_k), 1)
    neutral = developed(disks(seed), exposure_camera_gain=0.2)
    cast = developed(disks(seed), exposure_camera_gain=0.2, exposure_white_balance_gain=gain)
    for channel, name in ((0, "red_cast"), (2, "blue_cast")):
        change = value(cast, name) - value(neutral, name)
        assert change == pytest.approx(np.log2(gain[channel] / gain[1]), abs=0.25)


@pytest.mark.parametrize("shape", [(1, 1, 3), (15, 400, 3), (16, 16, 3), (64, 64, 3)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_plain_and_tiny_pictures_give_reasons_or_numbers_and_no_error(shape, level):
    measures = measured(np.full(shape, level, np.uint8))
    assert list(measures) == [statistic.name for statistic in STATISTICS]
    for measure in measures.values():
        assert np.isfinite(measure.value) if measure.value is not None else measure.reason
