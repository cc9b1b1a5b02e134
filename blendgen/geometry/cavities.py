"""Cavities: where the surface of a mesh is below its convex hull; float64, any unit."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from blendgen.geometry.arrays import Array3, ArrayN, FloatArray, PointsN3
from blendgen.geometry.hull import hull_triangles

# the R2 sequence, which fills a square evenly: Roberts 2018, "The unreasonable effectiveness of quasirandom
# sequences"
_R2 = np.array([0.7548776662466927, 0.5698402909980532])
# of the largest extent: nothing less deep is a cavity, so that what settles on the hull is at most this far
# above the surface
SHALLOW = 0.02
_SAMPLES = 2000
_BLOCK = 2_000_000  # numbers in memory at once


def surface_points(vertices: ArrayLike, triangles: ArrayLike, count: int) -> tuple[PointsN3, PointsN3]:
    """Points (count, 3) spread evenly over the surface by area, and unit normals (count, 3).

    vertices: (n, 3); triangles: (t, 3) indices, not all without area
    """
    corners = np.asarray(vertices, dtype=np.float64)[np.asarray(triangles)]
    crosses = _crosses(corners)
    sizes = np.linalg.norm(crosses, axis=1)
    reached = np.cumsum(sizes)
    steps = np.arange(count) + 0.5
    chosen = np.searchsorted(reached, steps / count * reached[-1])
    a, b, c = (corners[chosen, k] for k in range(3))
    along, across = np.split(steps[:, None] * _R2 % 1, 2, axis=1)
    along = np.sqrt(along)  # even by area
    points = a + along * ((b - a) * (1 - across) + (c - a) * across)
    return points, crosses[chosen] / sizes[chosen, None]


def _crosses(corners: FloatArray) -> PointsN3:
    return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])


def _sides(hull: PointsN3) -> tuple[PointsN3, ArrayN]:
    """Outward normals (f, 3) and offsets (f,) of the sides of a convex hull."""
    corners, _, normals = hull_triangles(hull)
    return normals, np.einsum("ij,ij->i", normals, hull[corners[:, 0]])


def heights_above_hull(points: PointsN3, hull: PointsN3) -> ArrayN:
    """(n,) the largest distance of each point above a side of a convex hull; negative inside.

    hull: (k, 3) its vertices, not flat
    """
    normals, offsets = _sides(hull)
    blocks = np.array_split(points, len(points) * len(offsets) // _BLOCK + 1)
    return np.concatenate([(block @ normals.T - offsets).max(axis=1) for block in blocks])


def concave_share(vertices: PointsN3, triangles: ArrayLike, hull: PointsN3, deeper: float) -> float:
    """The share of a closed surface that faces a cavity.

    There the way straight ahead leaves the convex hull only after more than `deeper` of the largest extent.
    triangles: counter-clockwise seen from outside
    """
    points, normals = surface_points(vertices, triangles, _SAMPLES)
    depths = _ways_out(points, normals, hull)
    return float((depths > deeper * np.ptp(hull, axis=0).max()).mean())


def _ways_out(points: PointsN3, directions: PointsN3, hull: PointsN3) -> ArrayN:
    """(n,) distance from each point along its direction to the side where it leaves the hull."""
    normals, offsets = _sides(hull)
    blocks = len(points) * len(offsets) // _BLOCK + 1
    ways = []
    for inside, ahead in zip(np.array_split(points, blocks), np.array_split(directions, blocks), strict=True):
        speed, room = ahead @ normals.T, np.maximum(offsets - inside @ normals.T, 0.0)
        ways.append(np.divide(room, speed, out=np.full(room.shape, np.inf), where=speed > 1e-9).min(axis=1))
    return np.concatenate(ways)


def looks_convex(vertices: PointsN3, triangles: ArrayLike, hull: PointsN3, within: float) -> bool:
    """Whether the surface covers its convex hull once.

    It is nowhere deeper below its hull than `within` of the largest extent, and its area differs from that of
    the hull by at most this share. The faces may point either way, and need not be joined.
    """
    corners = np.asarray(vertices, dtype=np.float64)[np.asarray(triangles)]
    facets = hull[hull_triangles(hull)[0]]
    if abs(_area(corners) / _area(facets) - 1) > within:
        return False
    points, _ = surface_points(vertices, triangles, _SAMPLES)
    return bool(heights_above_hull(points, hull).min() >= -within * np.ptp(hull, axis=0).max())


def openness(vertices: PointsN3, triangles: ArrayLike) -> float:
    """The area of the holes of a surface, seen from where they look largest, relative to its own; 0: closed.

    triangles: with consistent winding
    """
    crosses = _crosses(vertices[np.asarray(triangles)])
    return float(np.linalg.norm(crosses.sum(axis=0)) / np.linalg.norm(crosses, axis=1).sum())


def surface_center(vertices: PointsN3, triangles: ArrayLike) -> Array3:
    """(3,) centre of mass of a thin sheet along the surface."""
    corners = vertices[np.asarray(triangles)]
    return np.average(corners.mean(axis=1), axis=0, weights=np.linalg.norm(_crosses(corners), axis=1))


def _area(corners: FloatArray) -> float:
    return float(np.linalg.norm(_crosses(corners), axis=1).sum() / 2)
