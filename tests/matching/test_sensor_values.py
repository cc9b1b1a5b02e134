"""Planted colours and noise are found, and fine texture is not taken for noise."""

from __future__ import annotations

import numpy as np
import pytest

from blendgen.matching.color_values import ColorMatch
from blendgen.matching.noise_values import NoiseMatch
from blendgen.matching.photo_set import read_photo_set
from blendgen.matching.simulation import Rig
from blendgen.system.progress import reported_to
from tests.develop.cameras import sensor_of
from tests.matching.places import photos_of, write_photos
from tests.photos.developed import HEIGHT, WIDTH, developed, signs


def photo_set(folder, images, size=(WIDTH, HEIGHT)):
    with reported_to(False) as progress:
        return read_photo_set(write_photos(folder, images), size, progress)


def matched_colors(folder, spec: str, preset: str, **changes) -> ColorMatch:
    """Of photos of a sensor; spec: the sensor of the spec."""
    photos = photo_set(folder, [developed(signs(seed), preset, seed, **changes) for seed in range(3)])
    match = ColorMatch(photos, Rig(sensor_of(spec))).run()
    assert match.is_known
    return match


def test_colours_as_sharp_as_light_are_those_of_a_camera_that_does_not_blur_them(tmp_path):
    match = matched_colors(tmp_path / "photos", "phone", "phone", mosaic="none", noise_reduction=0.0)
    assert match.rig.sensor.noise_reduction == pytest.approx(0, abs=0.1)


def test_a_camera_that_shows_no_edges_of_colours_leaves_the_noise_reduction_open(tmp_path, monkeypatch):
    monkeypatch.setattr(Rig, "curve", lambda rig, name, key, values: np.full(len(values), np.nan))
    match = matched_colors(tmp_path / "photos", "phone", "phone", mosaic="none", noise_reduction=0.0)
    assert match.guesses == [] and "no edges of colours" in match.undetermined[0]


def test_colours_as_the_camera_of_the_spec_draws_them_change_nothing(tmp_path):
    assert matched_colors(tmp_path / "photos", "phone", "phone").guesses == []


@pytest.mark.slow
def test_strong_noise_reduction_is_found_by_its_colours(tmp_path):
    match = matched_colors(tmp_path / "photos", "machine_vision", "machine_vision", noise_reduction=0.8)
    (guess,) = match.guesses
    assert guess.field == "sensor.noise_reduction" and guess.value > 0.5


def test_photos_with_many_more_pixels_than_the_images_show_no_mosaic(tmp_path):
    images = photos_of(range(2), "phone")
    large = photo_set(tmp_path / "large", images, (WIDTH // 2, HEIGHT // 2))
    match = ColorMatch(large, Rig(sensor_of("phone"))).run()
    assert match.guesses[0].value == "none" and "2.0 times the pixels" in match.guesses[0].reason
    alike = ColorMatch(photo_set(tmp_path / "alike", images), Rig(sensor_of("phone"))).run()
    assert "sensor.mosaic" not in [guess.field for guess in alike.guesses]


def test_a_camera_without_colours_has_no_mosaic_to_match(tmp_path):
    photos = photo_set(tmp_path / "photos", photos_of([1]))
    match = ColorMatch(photos, Rig(sensor_of("machine_vision", mosaic="mono"))).run()
    assert not match.guesses and not match.is_known


def textured(seed: int, gain_db: float) -> np.ndarray:
    """A photo of a plain grey and of fine texture as bright as other greys."""
    rng = np.random.Generator(np.random.PCG64(seed))
    light = np.full((HEIGHT, WIDTH, 3), 0.6)
    carpet = 0.12 * rng.normal(1, 0.12, (HEIGHT, WIDTH // 2, 1))
    light[:, WIDTH // 2 :] = carpet
    return developed(np.clip(light, 0, 1), "machine_vision", seed, exposure_gain_db=gain_db)


@pytest.mark.slow
@pytest.mark.parametrize("gain_db", [9.0, 21.0])
def test_the_gain_is_found_by_the_quiet_parts_of_textured_photos(tmp_path, gain_db):
    photos = photo_set(tmp_path / "photos", [textured(seed, gain_db) for seed in range(4)])
    assert photos.statistics["noise_mid"].median > 1.3 * photos.statistics["noise_bright"].median
    match = NoiseMatch(photos, Rig(sensor_of("machine_vision")), True).run()
    (gain,) = (guess.value["uniform"] for guess in match.guesses if guess.field == "exposure.gain_db")
    assert np.mean(gain) == pytest.approx(gain_db, abs=2.5)


def test_photos_full_of_texture_among_others_do_not_raise_the_gain(tmp_path):
    quiet = photos_of(range(3), exposure_gain_db=9)
    loud = photos_of(range(3, 5), exposure_gain_db=30)
    photos = photo_set(tmp_path / "photos", [*quiet, *loud])
    match = NoiseMatch(photos, Rig(sensor_of("machine_vision")), True).run()
    low, high = next(guess.value["uniform"] for guess in match.guesses if guess.field == "exposure.gain_db")
    assert low < 9 < high + 1 and high < 14
