"""Polytope: a convex body with few sides around a product, for physics and lines of sight.

In: the vertices of a convex hull, metres. Out: the half-spaces and corners of a polytope that holds all of
them. The polytope of a hollow product has parts, which leave its cavities free. Its sides are the hull's own
largest ones, so that flat sides stay flat, and those of a bounding box with its edges and corners cut off,
which round shapes need.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from blendgen.geometry.arrays import Array3, ArrayN, PointsN3
from blendgen.geometry.hull import is_flat, plane_normal
from blendgen.models.product import Product

_SIDES = 40
_ALIKE = np.cos(np.radians(12.0))
_HAIR = 1e-4
_AXES = np.concatenate([np.eye(3), -np.eye(3)])
_AROUND = np.array([d for d in itertools.product((-1.0, 0.0, 1.0), repeat=3) if any(d)])
_AROUND /= np.linalg.norm(_AROUND, axis=1, keepdims=True)


@dataclass(frozen=True, eq=False)
class Polytope:
    """normals (n, 3) outward unit vectors, offsets_m (n,): inside is normals @ x <= offsets_m;
    corners_m (k, 3); parts: those of a hollow body, within it; none: the body fills it."""

    normals: PointsN3
    offsets_m: ArrayN
    corners_m: PointsN3
    parts: tuple[Polytope, ...] = ()

    @property
    def bodies(self) -> tuple[Polytope, ...]:
        """The convex bodies that fill it: its parts, or itself."""
        return self.parts or (self,)

    def placed(self, object_to_world: ArrayLike) -> Polytope:
        """The polytope, moved by a rigid transform (4, 4)."""
        matrix = np.asarray(object_to_world, float)
        normals = self.normals @ matrix[:3, :3].T
        corners = self.corners_m @ matrix[:3, :3].T + matrix[:3, 3]
        parts = tuple(part.placed(matrix) for part in self.parts)
        return Polytope(normals, self.offsets_m + normals @ matrix[:3, 3], corners, parts)

    def wider(self, by_m: float) -> Polytope:
        """The polytope with all sides moved outward."""
        middle = self.corners_m.mean(axis=0)
        inside = self.offsets_m - self.normals @ middle + by_m
        size_m = inside.max()
        return Polytope(
            self.normals,
            self.offsets_m + by_m,
            _corners(self.normals, inside / size_m) * size_m + middle,
            tuple(part.wider(by_m) for part in self.parts),
        )


@lru_cache(maxsize=512)
def of_product(product: Product) -> Polytope:
    """The polytope of a product, in its own frame."""
    parts = tuple(enclosing(part_m) for part_m in product.measured.convex_parts_m)
    return replace(enclosing(product.hull_m), parts=parts)


def enclosing(vertices_m: ArrayLike) -> Polytope:
    """The polytope around vertices (n, 3); a sheet or a thread gets some thickness."""
    vertices = np.asarray(vertices_m, dtype=np.float64)
    # the mean lies inside a hull, which the middle of its bounding box need not
    middle, size_m = vertices.mean(axis=0), np.ptp(vertices, axis=0).max()
    unit = (vertices - middle) / size_m
    normals = np.concatenate([_AROUND, _largest_sides(unit)])
    offsets = (unit @ normals.T).max(axis=0) + _HAIR
    corners = _corners(normals, offsets)
    return Polytope(normals, offsets * size_m + normals @ middle, corners * size_m + middle)


def box(low_m: Iterable[float], high_m: Iterable[float]) -> Polytope:
    """A box parallel to the axes."""
    offsets = np.concatenate([np.asarray(high_m, float), -np.asarray(low_m, float)])
    pairs = np.array(np.meshgrid(*zip(low_m, high_m, strict=True))).reshape(3, -1).T
    return Polytope(_AXES, offsets, pairs)


def _corners(normals: PointsN3, offsets: ArrayN) -> PointsN3:
    """(k, 3) points where the sides meet; the origin must be inside."""
    from scipy.spatial import HalfspaceIntersection

    corners = HalfspaceIntersection(np.column_stack([normals, -offsets]), np.zeros(3)).intersections
    return np.unique(np.round(corners, 9), axis=0)


def _largest_sides(vertices: PointsN3) -> PointsN3:
    """(n, 3) normals: of the largest side, of the next one with another direction, and so on."""
    from scipy.spatial import ConvexHull

    if is_flat(vertices):
        normal = plane_normal(vertices)
        return np.array([normal, -normal, *_rim(vertices, normal)])
    hull = ConvexHull(vertices)
    normals = hull.equations[:, :3]
    a, b, c = (vertices[hull.simplices[:, k]] for k in range(3))
    left = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    chosen: list[Array3] = []
    while len(chosen) < _SIDES and left.max() > 0:
        chosen.append(normals[left.argmax()])
        left[normals @ chosen[-1] > _ALIKE] = 0
    return np.array(chosen)


def _rim(vertices: PointsN3, normal: Array3) -> PointsN3:
    """Sixteen directions in the plane of a flat cloud."""
    across = np.linalg.svd(normal[None])[2][1:]
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    return np.column_stack([np.cos(angles), np.sin(angles)]) @ across
