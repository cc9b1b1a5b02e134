"""Oriented box: the rotated rectangle of minimum area around the pixels of a mask."""

from __future__ import annotations

import numpy as np

from blendgen.geometry.arrays import MaskHW, PointsN2


def oriented_box(mask: MaskHW) -> PointsN2:
    """(4, 2) corners of the rotated rectangle of minimum area around all pixels of a mask that is not empty.

    One of its sides is parallel to a side of the convex hull. The first side is at 0 to 90 degrees (right to
    down), and of equal rectangles it is the one with the smallest angle.
    source: Freeman and Shapira, Determining the minimum-area encasing rectangle (1975)
    """
    from scipy.spatial import ConvexHull

    corners = _row_ends(np.asarray(mask, bool))
    hull = corners[ConvexHull(corners).vertices]
    sides = np.roll(hull, -1, axis=0) - hull
    best_area, best = np.inf, hull
    for angle in np.unique(np.round(np.arctan2(sides[:, 1], sides[:, 0]) % (np.pi / 2), 9)):
        rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        rotated = hull @ rotation
        low, high = rotated.min(axis=0), rotated.max(axis=0)
        area = float(np.prod(high - low))
        if area < best_area - 1e-9:
            box = np.array([low, (high[0], low[1]), high, (low[0], high[1])])
            best_area, best = area, box @ rotation.T
    return best


def _row_ends(mask: MaskHW) -> PointsN2:
    """(n, 2) corners of the first and last pixel of each row; their hull is the hull of all pixels."""
    rows = np.flatnonzero(mask.any(axis=1))
    first = mask[rows].argmax(axis=1)
    end = mask.shape[1] - mask[rows, ::-1].argmax(axis=1)
    ends = [np.column_stack([columns, rows + down]) for columns in (first, end) for down in (0, 1)]
    return np.concatenate(ends).astype(float)
