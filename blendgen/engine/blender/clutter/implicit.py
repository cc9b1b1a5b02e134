"""Implicit: shapes as signed distances in millimetres, and the closed mesh of such a shape.

A field maps (n, 3) points to (n,) distances, negative inside. Meshed by surface nets (Gibson 1998):
one vertex in each cell that the surface crosses, then moved onto the surface along the gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Field = Callable[[np.ndarray], np.ndarray]
_CORNERS = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij"), axis=-1).reshape(-1, 3)


def bone(start, end, start_radius: float, end_radius: float) -> Field:
    """A limb: round, its radius linear from start to end."""
    a, b = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)

    def distance(points):
        along = np.clip((points - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
        radius = start_radius + along * (end_radius - start_radius)
        return np.linalg.norm(points - a - along[:, None] * (b - a), axis=1) - radius

    return distance


def chain(points: Sequence, radii: Sequence[float], blend: float) -> Field:
    """Limbs end to end."""
    limbs = zip(points, points[1:], radii, radii[1:], strict=False)
    return union([bone(a, b, ra, rb) for a, b, ra, rb in limbs], blend)


def union(fields: Sequence[Field], blend: float) -> Field:
    """All of them, with fillets about as large as `blend` where they meet."""

    def distance(points):
        total = fields[0](points)
        for field in fields[1:]:
            other = field(points)
            near = np.maximum(blend - np.abs(total - other), 0) / blend
            total = np.minimum(total, other) - near * near * blend / 4
        return total

    return distance


def mesh_of(field: Field, low, high, cell: float) -> tuple[np.ndarray, np.ndarray]:
    """(vertices, quads) of the surface within a box that it does not touch."""
    low = np.asarray(low, dtype=np.float64)
    shape = np.ceil((np.asarray(high) - low) / cell).astype(int) + 1
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1)
    inside = _inside(field, low + cell * grid.reshape(-1, 3), 3 * cell).reshape(shape)
    _fill_pinches(inside)
    filled = sum(
        inside[tuple(slice(c, n - 1 + c) for c, n in zip(corner, shape, strict=True))] for corner in _CORNERS
    )
    crossed = np.asarray((filled > 0) & (filled < 8))
    index = np.full(crossed.shape, -1)
    index[crossed] = np.arange(crossed.sum())
    vertices = low + cell * (np.argwhere(crossed) + 0.5)
    quads = np.concatenate([_quads(inside, index, axis) for axis in range(3)])
    for _ in range(3):
        vertices = _onto(field, _relaxed(vertices, quads), 0.25 * cell)
    return vertices, quads


def _inside(field: Field, points: np.ndarray, coarse: float) -> np.ndarray:
    """Which points are inside; far from the surface the nearest point of a coarse lattice decides."""
    keys = np.round(points / coarse).astype(np.int64)
    lattice, of = np.unique(keys, axis=0, return_inverse=True)
    values = field(lattice * coarse)[of.reshape(-1)]
    near = np.abs(values) < 1.5 * coarse
    values[near] = field(points[near])
    return values < 0


def _fill_pinches(inside: np.ndarray) -> None:
    """Fill all places where two parts of the solid touch only along an edge."""
    pinched = True
    while pinched:
        pinched = False
        for axis in range(3):
            face = np.moveaxis(inside, axis, 0)
            a, b, c, d = face[:, :-1, :-1], face[:, 1:, 1:], face[:, :-1, 1:], face[:, 1:, :-1]
            for one, other, gap in ((a, b, c), (c, d, a)):
                here = one & other & ~(c | d if gap is c else a | b)
                gap[here] = True
                pinched |= bool(here.any())


def _quads(inside: np.ndarray, index: np.ndarray, axis: int) -> np.ndarray:
    """A quad around each grid edge along an axis whose ends are on different sides."""
    i, j = (axis + 1) % 3, (axis + 2) % 3
    start, end = (
        np.take(inside, range(inside.shape[axis] - 1), axis),
        np.take(inside, range(1, inside.shape[axis]), axis),
    )
    edges = np.argwhere(start != end)
    edges = edges[(edges[:, i] > 0) & (edges[:, j] > 0)]
    around = []
    for di, dj in ((1, 1), (0, 1), (0, 0), (1, 0)):
        cell = edges.copy()
        cell[:, i] -= di
        cell[:, j] -= dj
        around.append(index[tuple(cell.T)])
    quads = np.column_stack(around)
    inward = ~start[tuple(edges.T)]
    quads[inward] = quads[inward, ::-1]
    return quads


def _relaxed(vertices: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """Each vertex moved halfway to the mean of its neighbours."""
    total, count = np.zeros_like(vertices), np.zeros(len(vertices))
    for side in range(4):
        here, there = quads[:, side], quads[:, (side + 1) % 4]
        np.add.at(total, here, vertices[there])
        np.add.at(total, there, vertices[here])
        np.add.at(count, here, 1)
        np.add.at(count, there, 1)
    return 0.5 * vertices + 0.5 * total / np.maximum(count, 1)[:, None]


def _onto(field: Field, vertices: np.ndarray, step: float) -> np.ndarray:
    """Two Newton steps to the surface."""
    for _ in range(2):
        value = field(vertices)
        shifts = step * np.eye(3)
        gradient = np.column_stack([field(vertices + s) - field(vertices - s) for s in shifts]) / (2 * step)
        square = np.maximum((gradient**2).sum(axis=1), 0.25)
        vertices = vertices - (value / square)[:, None] * gradient
    return vertices
