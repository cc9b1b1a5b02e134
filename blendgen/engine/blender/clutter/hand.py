"""A gloved right hand reaching out: palm down, fingers along +Y and slightly bent; sleeve behind.

Millimetres; the wrist is at the origin. The glove is one closed skin over the bones of a hand of
middle size, creased at its joints; the sleeve is a cloth tube with folds that ends over the cuff.
"""

from __future__ import annotations

import math

import numpy as np

from blendgen.engine.blender.clutter.implicit import Field, bone, chain, mesh_of, union
from blendgen.engine.blender.clutter.items import item
from blendgen.engine.blender.clutter.solids import Solids

# knuckle, middle joint, last joint, tip: places and radii
_FINGERS = (
    (((-31, 86, 5), (-38, 129, 6), (-41, 153, -2), (-42, 171, -12)), (11.6, 10.2, 9.3, 8.2)),
    (((-10, 93, 8), (-12, 141, 9), (-13, 168, 0), (-13, 187, -11)), (11.8, 10.4, 9.4, 8.3)),
    (((11, 88, 6), (16, 132, 5), (19, 157, -6), (20, 174, -18)), (11.4, 9.9, 9.0, 8.0)),
    (((30, 78, 1), (42, 110, -1), (48, 129, -9), (51, 143, -18)), (10.4, 8.8, 8.0, 7.2)),
)
_THUMB = (((-17, 20, -6), (-44, 47, -14), (-62, 76, -17), (-70, 101, -21)), (17.0, 13.4, 11.2, 9.0))
_PALM_ROOTS = ((-17, 6, 0), (-6, 6, 1), (6, 6, 1), (16, 6, 0))
_CUFF_Y, _END_Y = -16.0, -96.0


@item("gloved_hand")
def gloved_hand(parts: Solids) -> None:
    field = _creased(_glove())
    vertices, quads = mesh_of(field, (-92, _END_Y - 28, -48), (74, 208, 44), 3.1)
    middle = vertices[quads].mean(axis=1)[:, 1]
    parts.add(vertices, map(tuple, quads), np.where(middle < _CUFF_Y, "cuff", "glove").tolist())
    _sleeve(parts)


def _glove() -> Field:
    roots = zip(_PALM_ROOTS, _FINGERS, strict=True)
    palm = union([bone(root, joints[0], 16.0, radii[0] + 1.2) for root, (joints, radii) in roots], 9.0)
    palm = union(
        [palm, bone((-24, 30, -9), (-27, 66, -4), 12.0, 10.0), bone((20, 22, -7), (24, 58, -5), 11.0, 9.0)],
        9.0,
    )
    wrist = [bone((x, 8, 0), (1.15 * x, _END_Y, 3), 19.5, 22.5) for x in (-10.5, 10.5)]
    palm = union([palm, *wrist], 14.0)
    fingers = [chain(joints, radii, 2.0) for joints, radii in _FINGERS]
    return union([palm, *fingers, chain(*_THUMB, 3.0)], 5.0)


def _creased(field: Field) -> Field:
    """Folds of loose skin round each joint, across the wrist and in the web of the thumb."""
    joints = [
        (np.array(c), np.array(b) - np.array(a))
        for j, _ in (*_FINGERS, _THUMB)
        for a, b, c in zip(j, j[1:], j[1:], strict=False)
    ]
    folds = [(at, along / np.linalg.norm(along), 0.5, 10.0, 6.5) for at, along in joints]
    folds += [(np.array(j[0]), np.array([0.2, 1.0, 0.0]), 0.45, 13.0, 9.0) for j, _ in _FINGERS]
    folds += [(np.array([x, -14.0, 4.0]), np.array([0.25, 0.97, 0.0]), 1.3, 26.0, 13.0) for x in (-22.0, 8.0)]
    folds += [(np.array([-34.0, 62.0, -6.0]), np.array([0.75, -0.66, 0.0]), 0.9, 17.0, 10.0)]
    folds += [(np.array([4.0, -62.0, 6.0]), np.array([-0.3, 0.95, 0.1]), 1.4, 34.0, 17.0)]

    def distance(points):
        total = field(points)
        for number, (at, along, depth, reach, pitch) in enumerate(folds):
            near = ((points - at) ** 2).sum(axis=1) < (2.5 * reach) ** 2
            away = points[near] - at
            bent = away @ along + 1.3 * np.sin(away[:, 0] / 7.0 + number)
            fade = depth * np.exp(-((away**2).sum(axis=1)) / reach**2)
            total[near] += fade * np.sin(2 * math.pi * bent / pitch + 1.7 * number)
        return total

    return distance


def _sleeve(parts: Solids) -> None:
    """Cloth over the forearm: a turned-in hem, folds that slant and fade towards the elbow."""
    hem, elbow, count = -66.0, -352.0, 80
    outer = [(hem - t, 1.0) for t in (0.0, 1.2, 4.0, 12.0, 13.5, 15.0)]
    outer += [(float(y), 1.0) for y in np.linspace(hem - 20, elbow, 74)]
    rings = [
        _cloth(y, inner, count)
        for y, inner in [(hem - 26.0, 0.86), (hem - 1.0, 0.9), (hem + 0.6, 0.95), *outer]
    ]
    parts.rings([*rings, rings[-1] * (0.9, 1, 0.9) - (0, 3, 0)], "sleeve")


def _cloth(y: float, share: float, count: int) -> np.ndarray:
    angle = np.arange(count) * (2 * math.pi / count)
    back = (-66.0 - y) / 286.0
    half = np.array([41.0 + 15 * back, 33.0 + 17 * back])
    loose = min(1.0, max(0.0, (-78.0 - y) / 25.0))
    fold = 2.6 * np.sin(y / 8.5 + 1.9 * np.sin(angle + 0.6) + 1.4 * np.sin(y / 31.0))
    fold *= 0.35 + 0.65 * np.sin(y / 23.0 + 1.3 * angle + np.sin(2 * angle + y / 40.0)) ** 2
    fold += 2.0 * np.sin(y / 5.3 - 2.2 * np.sin(angle - 1.1)) * np.sin(y / 47.0 + angle) ** 3
    fold += 3.0 * np.sin(3 * angle + y / 36.0) * back + 1.6 * np.sin(2 * angle - y / 60.0)
    stitch = -0.7 * (abs(y + 79.5) < 1.0)
    grow = share + (loose * fold * (0.45 + 0.7 * np.exp(-back / 0.5)) + stitch) / half.mean()
    sag = -4.0 * back
    return np.column_stack(
        [half[0] * grow * np.cos(angle), np.full(count, y), half[1] * grow * np.sin(angle) + sag + 3.0]
    )
