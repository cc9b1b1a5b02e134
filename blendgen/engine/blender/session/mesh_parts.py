"""Mesh parts: how large each part of a mesh is, and where its vertices are."""

from __future__ import annotations

import bpy
import numpy as np

_TOGETHER = 0.03


def smallest_parts(mesh: bpy.types.Mesh, parts: int) -> frozenset[int]:
    """Slots of the smallest parts, which together cover at most 3 % of the surface."""
    areas = np.empty(len(mesh.polygons), np.float32)
    mesh.polygons.foreach_get("area", areas)
    share = np.bincount(_slots(mesh), areas.astype(np.float64), parts)
    order = np.argsort(share, kind="stable")
    together = np.cumsum(share[order]) / max(share.sum(), 1e-30)
    return frozenset(int(slot) for slot in order[together <= _TOGETHER])


def points_of_parts(mesh: bpy.types.Mesh, parts: int) -> list[np.ndarray]:
    """(n, 3) vertices of each part by its slot, product frame, metres."""
    points = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", points)
    corners, sides = np.empty(len(mesh.loops), np.int32), np.empty(len(mesh.polygons), np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    mesh.polygons.foreach_get("loop_total", sides)
    slot_of_corner = np.repeat(_slots(mesh), sides)
    used = (np.unique(corners[slot_of_corner == slot]) for slot in range(parts))
    return [points.reshape(-1, 3)[one] for one in used]


def _slots(mesh: bpy.types.Mesh) -> np.ndarray:
    """(polygons,) the slot of each."""
    slots = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("material_index", slots)
    return slots
