"""An oriented box contains all pixels, and no smaller rectangle does."""

from __future__ import annotations

import numpy as np
import pytest

from blendgen.geometry.oriented_box import oriented_box


def area(corners) -> float:
    return float(np.linalg.norm(corners[1] - corners[0]) * np.linalg.norm(corners[2] - corners[1]))


def smallest_area_by_rotation(mask) -> float:
    """The smallest box of all pixel corners at many angles: an upper bound that does not use hulls."""
    rows, columns = np.nonzero(mask)
    corners = np.array(
        [(x + dx, y + dy) for x, y in zip(columns, rows, strict=True) for dx in (0, 1) for dy in (0, 1)]
    )
    turned = [
        corners @ [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]
        for a in np.radians(np.arange(0, 90, 0.25))
    ]
    return min(float(np.prod(np.ptp(points, axis=0))) for points in turned)


def ragged_bar(seed: int):
    """A bar at any angle with holes and ragged edges."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:60, :80] - np.array([30, 40])[:, None, None]
    angle = generator.uniform(0, np.pi)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    mask = (np.abs(along) < 22) & (np.abs(across) < generator.uniform(3, 12))
    return mask & (generator.random(mask.shape) < 0.7)


def scattered_pixels(seed: int):
    """A few pixels: their hull may have any shape."""
    generator = np.random.default_rng(seed)
    mask = np.zeros((20, 30), bool)
    mask[generator.integers(0, 20, 4), generator.integers(0, 30, 4)] = True
    return mask


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", [ragged_bar, scattered_pixels])
def test_the_box_is_the_smallest_rectangle_that_contains_every_pixel(shape, seed):
    mask = shape(seed)
    corners = oriented_box(mask)
    side = np.roll(corners, -1, axis=0) - corners
    np.testing.assert_allclose(side[:2], -side[2:], atol=1e-9)
    assert corners.shape == (4, 2) and abs(side[0] @ side[1]) < 1e-6
    assert side[0, 0] > 0 and side[0, 1] >= -1e-6, "the first side points right and down"
    assert area(corners) <= smallest_area_by_rotation(mask) + 1e-6
    rows, columns = np.nonzero(mask)
    for dx in (0, 1):
        for dy in (0, 1):
            offset = np.column_stack([columns + dx, rows + dy])[:, None] - corners[None]
            cross = side[:, 0] * offset[..., 1] - side[:, 1] * offset[..., 0]
            assert (cross > -1e-6).all(), "outside of the box, or its corners are not in order"


def test_of_boxes_of_equal_area_the_one_with_the_smallest_angle_is_taken():
    """The mask is symmetric about its diagonal, so a box at atan(2/3) is as large as one at atan(3/2)."""
    mask = np.zeros((4, 4), bool)
    mask[[0, 1, 3], [1, 0, 3]] = True
    right, down = np.subtract(*oriented_box(mask)[[1, 0]])
    assert down / right == pytest.approx(2 / 3)


def test_one_pixel_has_a_box_of_one_pixel():
    mask = np.zeros((5, 5), bool)
    mask[2, 3] = True
    assert sorted(map(tuple, oriented_box(mask).tolist())) == [(3, 2), (3, 3), (4, 2), (4, 3)]
