"""The label check: faults that are planted in a picture are seen, and what a camera adds is not one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from blendgen.refining.borders import FARTHEST_PX, edge_shifts
from blendgen.refining.label_check import Measures, limits, measured

SIDE = 96


def levels(values):
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def scene():
    """A blue disk with red marks, and a plain grey one, on a mottled ground; and their ids."""
    rng = np.random.default_rng(5)
    mottle = ndimage.gaussian_filter(rng.normal(size=(SIDE, SIDE)), 3)
    image = 150 + 100 * mottle[..., None] * [1.0, 0.9, 0.8]
    y, x = np.mgrid[:SIDE, :SIDE]
    ids = np.zeros((SIDE, SIDE), np.uint16)
    ids[(x - 38) ** 2 + (y - 40) ** 2 < 26**2] = 1
    ids[(x - 76) ** 2 + (y - 78) ** 2 < 11**2] = 2
    image[ids == 1], image[ids == 2] = (80, 120, 190), (90, 90, 90)
    image[(ids == 1) & (x % 12 < 5) & (y % 15 < 6)] = (170, 40, 30)
    return levels(ndimage.gaussian_filter(image, (0.7, 0.7, 0))), ids


def noise(image, ids):
    return levels(image + np.random.default_rng(1).normal(0, 8, image.shape))


def brighter(image, ids):
    return levels(1.08 * image)


def softer(image, ids):
    return levels(ndimage.gaussian_filter(image.astype(float), (0.7, 0.7, 0)))


def shaded(image, ids):
    return levels(image * np.linspace(0.92, 1.08, SIDE)[:, None, None])


def other_ground(image, ids):
    """What is outside of the masks does not matter, but near their borders."""
    far = ndimage.binary_dilation(ids > 0, iterations=12)
    return np.where(far[..., None], image, 255 - image)


def shifted(image, ids):
    return np.roll(image, (0, 2), (0, 1))


def one_shifted(image, ids):
    """Only the small one has moved."""
    near = ndimage.binary_dilation(ids == 2, iterations=7)
    return np.where(near[..., None], np.roll(image, (2, 2), (0, 1)), image)


def wavy(image, ids):
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    x = x + 3 * np.sin(y / 9)
    return levels(
        np.stack([ndimage.map_coordinates(one, [y, x], order=1) for one in image.transpose(2, 0, 1)], -1)
    )


def blurred(image, ids):
    return levels(ndimage.gaussian_filter(image.astype(float), (3, 3, 0)))


def hidden(image, ids):
    """The ground goes over it."""
    return np.where((ids == 1)[..., None], np.roll(image, 40, 1), image)


def recoloured(image, ids):
    return np.where((ids == 1)[..., None], image[..., [2, 1, 0]], image)


def green_marks(image, ids):
    """Few pixels, so the mean colour hardly changes."""
    is_red = (image[..., 0] > 120) & (image[..., 2] < 110) & (ids == 1)
    return np.where(is_red[..., None], image[..., [1, 0, 2]], image)


def other_details(image, ids):
    inside = ndimage.binary_erosion(ids == 1, iterations=4)
    return np.where(inside[..., None], np.roll(image, 6, 0), image)


def sharpened(image, ids):
    plain = image.astype(float)
    return levels(plain + 4 * (plain - ndimage.gaussian_filter(plain, (2, 2, 0))))


@pytest.mark.parametrize("change", [noise, brighter, softer, shaded, other_ground, lambda image, ids: image])
def test_what_a_camera_adds_is_not_a_fault(scene, change):
    image, ids = scene
    assert measured(image, change(image, ids), ids, (1, 2)).faults == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (shifted, "edges moved"), (one_shifted, "edges moved"), (wavy, "edges moved"),
        (blurred, "edges lost"), (hidden, "details changed"), (other_details, "details changed"),
        (recoloured, "colour changed"), (green_marks, "hues changed"), (sharpened, "edges added"),
    ],
)  # fmt: skip
def test_a_planted_fault_is_seen(scene, change, fault):
    image, ids = scene
    assert fault in measured(image, change(image, ids), ids, (1, 2)).faults


@pytest.mark.parametrize("pixels", [1, 2, 3])
def test_a_displacement_is_measured_in_pixels(scene, pixels):
    image, ids = scene
    grey = [one.mean(axis=2) for one in (image, np.roll(image, pixels, 1))]
    shifts = edge_shifts(*grey, ids == 1)
    assert len(shifts) > 100 and abs(np.quantile(shifts, 0.9) - pixels) <= 0.5
    assert edge_shifts(grey[0], grey[0], ids == 1).max() == 0


def test_a_border_without_an_edge_has_no_displacement(scene):
    _, ids = scene
    plain = np.full(ids.shape, 90.0)
    assert len(edge_shifts(plain, plain, ids == 1)) == 0
    edge = np.where(ids == 1, 90.0, 140.0)
    assert np.median(edge_shifts(edge, plain, ids == 1)) == FARTHEST_PX


def test_the_worst_object_counts_and_hidden_ones_do_not(scene):
    image, ids = scene
    both = measured(image, one_shifted(image, ids), ids, (1, 2, 7))
    assert both.edge_shift_px > measured(image, one_shifted(image, ids), ids, (1,)).edge_shift_px
    assert measured(image, image, ids, (7,)) == measured(image, image, ids, ()) == Measures()


def test_small_and_cut_off_objects_are_measured():
    image, ids = np.full((20, 30, 3), 120, np.uint8), np.zeros((20, 30), np.uint16)
    ids[:, :9], ids[5:7, 20:22] = 1, 2
    image[ids == 1] = 40
    measures = measured(image, image, ids, (1, 2))
    assert measures.faults == [] and measures.colour_difference == 0
    assert (
        "colour changed"
        in measured(image, np.where(ids[..., None] == 2, 200, image).astype(np.uint8), ids, (2,)).faults
    )


def test_limits_are_stated():
    assert limits()["max_edge_shift_px"] == 1.0 and all(value > 0 for value in limits().values())
