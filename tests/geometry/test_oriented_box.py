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


@pytest.mark.parametrize("seed", range(5))
def test_no_rotated_rectangle_is_smaller_and_every_pixel_is_inside(seed):
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:60, :80] - np.array([30, 40])[:, None, None]
    angle = generator.uniform(0, np.pi)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    mask = (np.abs(along) < 22) & (np.abs(across) < generator.uniform(3, 12))
    mask &= generator.random(mask.shape) < 0.7  # holes and ragged edges
    corners = oriented_box(mask)
    assert area(corners) <= smallest_area_by_rotation(mask) + 1e-6
    side = np.roll(corners, -1, axis=0) - corners
    rows, columns = np.nonzero(mask)
    for dx in (0, 1):
        for dy in (0, 1):
            offset = np.column_stack([columns + dx, rows + dy])[:, None] - corners[None]
            cross = side[:, 0] * offset[..., 1] - side[:, 1] * offset[..., 0]
            assert (cross > -1e-6).all() or (cross < 1e-6).all()


def test_one_pixel_has_a_box_of_one_pixel():
    mask = np.zeros((5, 5), bool)
    mask[2, 3] = True
    assert oriented_box(mask).min(axis=0).tolist() == [3, 2] and oriented_box(mask).max(axis=0).tolist() == [
        4,
        3,
    ]
