"""Convex parts: the mesh of a hollow product -> convex bodies that together enclose its surface, for piles.

A product counts as convex if hardly any of its surface faces a cavity that is deep. Cavities without an
opening do not count.
"""

from __future__ import annotations

import numpy as np

from blendgen.engine.blender.importing.decomposition import decomposed
from blendgen.engine.blender.importing.findings import Findings
from blendgen.engine.blender.importing.solid import solid
from blendgen.geometry.cavities import (
    SHALLOW,
    concave_share,
    heights_above_hull,
    looks_convex,
    surface_points,
)
from blendgen.geometry.hull import convex_hull, is_flat

_FEW = 0.01  # of the surface
_SAMPLES = 40_000
_HAIR, _SEAM = 1e-4, 0.005  # of the largest extent


def convex_parts(
    vertices_m: np.ndarray, triangles: np.ndarray, hull_m: np.ndarray, findings: Findings
) -> tuple[np.ndarray, ...]:
    """(n, 3) vertices of each part, metres; none for a product that counts as convex.

    vertices_m: (n, 3); triangles: (t, 3); hull_m: (k, 3) vertices of the convex hull;
    findings: gets a note where a hollow product is left as its hull
    """
    if is_flat(hull_m) or looks_convex(vertices_m, triangles, hull_m, SHALLOW):
        return ()
    middle, size_m = hull_m.mean(axis=0), np.ptp(hull_m, axis=0).max()
    unit = (vertices_m - middle) / size_m
    closed = solid(unit, triangles)
    if closed is not None and concave_share(*closed, convex_hull(closed[0]), SHALLOW) <= _FEW:
        return ()
    parts = None if closed is None else decomposed(*closed)
    if parts is None:
        findings.notes.append("its cavities count as filled in piles: it has no convex decomposition")
        return ()
    some = unit[:: len(unit) // _SAMPLES + 1]  # all of a coarse mesh, whose corners are between the points
    points = np.concatenate([(hull_m - middle) / size_m, some, surface_points(unit, triangles, _SAMPLES)[0]])
    return tuple(convex_hull(part) * size_m + middle for part in _covering(parts, points))


def _covering(parts: list[np.ndarray], points: np.ndarray) -> list[np.ndarray]:
    """The parts, each extended to the points nearest to it, and across the seams to its neighbours."""
    outside = np.stack([heights_above_hull(points, part) for part in parts])
    nearest = np.where(outside.min(axis=0) > _HAIR, outside.argmin(axis=0), -1)
    return [
        np.concatenate([part, points[(nearest == number) | ((beyond > 0) & (beyond < _SEAM))]])
        for number, (part, beyond) in enumerate(zip(parts, outside, strict=True))
    ]
