"""Far parts: small parts of a mesh that are far away from all others; float64, any unit."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from blendgen.geometry.arrays import ArrayN, MaskN, PointsN3

_MOST_AREA = 0.05  # of the surface, in a part that is not the product itself
_LEAST_GAP = 1.0  # in largest sides of the rest
_MOST_STEPS = 16


def without_far_parts(vertices: PointsN3, triangles: ArrayLike) -> PointsN3:
    """(2, 3) the box of the triangles that are left without far parts; of all of them if there are none.

    A part is far if a level gap along x, y or z lies between it and the rest, wider than the rest itself.
    """
    corners = np.asarray(vertices, np.float64)[np.asarray(triangles)]
    boxes = np.stack([corners.min(axis=1), corners.max(axis=1)])
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    total = areas.sum()
    for _ in range(_MOST_STEPS):
        rest = next((r for axis in range(3) if (r := _nearer(boxes, areas, total, axis)) is not None), None)
        if rest is None:
            break
        boxes, areas = boxes[:, rest], areas[rest]
    return np.stack([boxes[0].min(axis=0), boxes[1].max(axis=0)])


def _nearer(boxes: PointsN3, areas: ArrayN, total: float, axis: int) -> MaskN | None:
    """The triangles on one side of the widest gap along an axis, if those on the other side are far."""
    low, high = boxes[:, :, axis]
    order = np.argsort(low, kind="stable")
    reached = np.maximum.accumulate(high[order])
    gaps = low[order][1:] - reached[:-1]
    if not len(gaps) or gaps.max() <= 0:
        return None
    widest = int(gaps.argmax())
    before = np.zeros(len(low), bool)
    before[order[: widest + 1]] = True
    rest = before if areas[before].sum() >= areas[~before].sum() else ~before
    side = (boxes[1][rest].max(axis=0) - boxes[0][rest].min(axis=0)).max()
    is_far = gaps[widest] > _LEAST_GAP * side and areas[~rest].sum() <= _MOST_AREA * total
    return rest if is_far else None
