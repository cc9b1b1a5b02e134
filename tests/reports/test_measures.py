"""Measures of pixels: brightness, sharpness, noise; near-duplicates."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from blendgen.reports import measures as measures_module
from blendgen.reports.measures import blurred, measures, near_duplicates
from blendgen.streams import stream


def picture(seed, side=64):
    """Smooth shapes, in a grey image."""
    small = stream(seed, 0, 0, "test").integers(60, 200, (6, 6)).astype(np.uint8)
    grey = np.asarray(Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC))
    return np.stack([grey] * 3, axis=-1)


@pytest.mark.parametrize("sigma", [3.0, 8.0])
def test_noise_is_that_which_was_added(sigma):
    clean = np.full((128, 128), 128.0)
    noisy = np.clip(clean + stream(1, 0, 0, "test").normal(0, sigma, clean.shape), 0, 255).astype(np.uint8)
    measured = measures(np.stack([noisy] * 3, axis=-1))
    assert measured.noise == pytest.approx(sigma, rel=0.06)
    assert measured.sharpness < 1.5 * sigma


def test_blur_lowers_sharpness_more_than_noise_changes_it():
    edges = np.asarray(Image.effect_mandelbrot((96, 96), (-2, -1.5, 1, 1.5), 50).convert("RGB"))
    soft = np.asarray(Image.fromarray(edges).filter(ImageFilter.GaussianBlur(2)))
    assert measures(soft).sharpness < measures(edges).sharpness / 4


def test_dark_and_bright():
    def is_what(level):
        own = measures(np.full((32, 32, 3), level, np.uint8))
        return own.is_dark, own.is_bright, own.brightness

    assert is_what(20) == (True, False, 20) and is_what(128) == (False, False, 128)
    assert is_what(230) == (False, True, 230)


def test_an_image_of_one_pixel_has_measures():
    assert measures(np.zeros((1, 1, 3), np.uint8)).sharpness == 0


def test_blurred_images_are_those_far_below_most():
    sharp = list(stream(2, 0, 0, "test").uniform(8, 12, 60))
    assert blurred([*sharp, 0.5]) == [60] and blurred(sharp) == [] and blurred([5.0, 0.1]) == []


def test_near_duplicates_are_found_and_those_of_one_shot_are_not_listed():
    pictures = [picture(seed) for seed in range(40)]
    noisy = np.clip(pictures[7] + stream(5, 0, 0, "test").normal(0, 2, pictures[7].shape), 0, 255)
    own = [measures(one).picture for one in [*pictures, noisy.astype(np.uint8)]]
    assert near_duplicates(own, range(41)) == ([(7, 40)], True)
    assert near_duplicates(own, [*range(40), 7]) == ([], True)
    assert near_duplicates([], []) == ([], True)


def test_pictures_that_are_all_somewhat_alike_are_not_all_compared(monkeypatch):
    """As from a fixed camera."""
    noise = stream(6, 0, 0, "test").normal(0, 6, (300, 256))
    stripes = np.tile([40.0, 215.0], 128)
    own = [one.tobytes() for one in np.clip(stripes + noise, 0, 255).astype(np.uint8)]
    assert near_duplicates(own, range(300)) == ([], True)
    monkeypatch.setattr(measures_module, "_MOST_CANDIDATES", 1000)
    assert near_duplicates([*own, own[-1]], range(301)) == ([], False)


def test_sharpness_is_that_of_the_middle_and_brightness_of_all():
    image = np.full((400, 2000, 3), 100, np.uint8)
    image[:, :600] = stream(7, 0, 0, "test").integers(0, 40, (400, 600, 1))
    own = measures(image)
    assert own.sharpness == own.noise == 0 and own.dark_end < 40 and own.bright_end == 100
    assert own.brightness == pytest.approx(0.7 * 100 + 0.3 * 19.5, abs=0.1)
