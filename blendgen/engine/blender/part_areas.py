"""Part areas: which parts of a mesh hardly take up any of its surface."""

from __future__ import annotations

import bpy
import numpy as np

_TOGETHER = 0.03


def smallest_parts(mesh: bpy.types.Mesh, parts: int) -> frozenset[int]:
    """Slots of the smallest parts, as many as make up 3 % of the surface together."""
    areas = np.empty(len(mesh.polygons), np.float32)
    slots = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("area", areas)
    mesh.polygons.foreach_get("material_index", slots)
    share = np.bincount(slots, areas.astype(np.float64), parts)
    order = np.argsort(share, kind="stable")
    together = np.cumsum(share[order]) / max(share.sum(), 1e-30)
    return frozenset(int(slot) for slot in order[together <= _TOGETHER])
