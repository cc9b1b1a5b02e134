"""Solid: a mesh of any quality -> a closed mesh of few triangles around the same space.

Blender's voxel remesher (OpenVDB) closes cracks and unites shells that overlap. It fills cavities without an
opening, whatever is in them and whichever way their faces point. A surface without thickness gets some first.
"""

from __future__ import annotations

from collections.abc import Callable

import bpy
import numpy as np
from mathutils.bvhtree import BVHTree

from blendgen.geometry.cavities import surface_points
from blendgen.geometry.hull import is_watertight

# of the largest extent: walls as thick as one stay closed, and half of it would take four times as long
_VOXEL = 0.008
_THICKNESS = 3 * _VOXEL  # a sheet stays closed from 2 on; at 1.5 an eighth of an open box is lost
_MOST_TRIANGLES = 600
_MANY_TRIANGLES, _GRID = 50_000, 0.004  # of the largest extent
# of the sampled points: sound meshes lose up to 0.35 %, those with holes that the remesher cannot bridge
# 1.4 % or more
_LOST_SHARE = 0.005
_SAMPLES = 2000


def solid(vertices: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The closed mesh: vertices (n, 3) float64 and triangles (t, 3); None if there is none.

    vertices: (n, 3), largest extent 1
    """
    merge = _on_grid if len(triangles) > _MANY_TRIANGLES else _welded
    vertices, triangles = merge(vertices, triangles)
    if _is_one_solid(vertices, triangles):
        return _modified(vertices, _outward(vertices, triangles), _decimate)
    for steps in ((_remesh, _decimate), (_thicken, _remesh, _decimate)):
        closed = _modified(vertices, triangles, *steps)
        if len(closed[1]) and _holds(closed, surface_points(vertices, triangles, _SAMPLES)[0]):
            return closed
    return None


def _welded(vertices: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mesh without equal vertices, and without triangles that have a corner twice."""
    unique, merged = np.unique(vertices, axis=0, return_inverse=True)
    return unique, _proper(merged.reshape(-1)[triangles])


def _on_grid(vertices: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mesh with its vertices moved onto a fine grid, so that most of its triangles are gone."""
    cells = np.round(vertices / _GRID).astype(np.int64)
    _, first, merged = np.unique(cells @ [1 << 40, 1 << 20, 1], return_index=True, return_inverse=True)
    corners = _proper(merged.reshape(-1)[triangles])
    corners = corners[np.unique(np.sort(corners, axis=1) @ [1 << 42, 1 << 21, 1], return_index=True)[1]]
    return cells[first] * _GRID, corners


def _proper(triangles: np.ndarray) -> np.ndarray:
    """The triangles that have three different corners."""
    return triangles[(triangles != np.roll(triangles, 1, axis=1)).all(axis=1)]


def _is_one_solid(vertices: np.ndarray, triangles: np.ndarray) -> bool:
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    if len(triangles) > _MANY_TRIANGLES or not is_watertight(vertices, triangles):
        return False
    here, there = triangles.ravel(), np.roll(triangles, 1, axis=1).ravel()
    edges = coo_matrix((np.ones(len(here)), (here, there)), shape=(len(vertices),) * 2)
    return connected_components(edges, directed=False)[0] == 1


def _outward(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """The triangles of a closed mesh, counter-clockwise seen from outside."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    return triangles if np.einsum("ij,ij->", a, np.cross(b, c)) > 0 else triangles[:, ::-1]


def _modified(vertices: np.ndarray, triangles: np.ndarray, *steps: Callable) -> tuple[np.ndarray, np.ndarray]:
    """The mesh after modifiers, each of which a step adds to an object with the mesh so far."""
    for step in steps:
        mesh = bpy.data.meshes.new("solid")
        owner = bpy.data.objects.new("solid", mesh)
        bpy.context.scene.collection.objects.link(owner)
        try:
            _fill(mesh, vertices, triangles)
            step(owner)
            vertices, triangles = _evaluated(owner)
        finally:
            bpy.data.objects.remove(owner)
            bpy.data.meshes.remove(mesh)
    return vertices, triangles


def _fill(mesh: bpy.types.Mesh, vertices: np.ndarray, triangles: np.ndarray) -> None:
    mesh.vertices.add(len(vertices))
    mesh.vertices.foreach_set("co", vertices.ravel().astype(np.float32))
    mesh.loops.add(triangles.size)
    mesh.loops.foreach_set("vertex_index", triangles.ravel().astype(np.int32))
    mesh.polygons.add(len(triangles))
    mesh.polygons.foreach_set("loop_start", np.arange(0, triangles.size, 3, dtype=np.int32))
    mesh.update(calc_edges=True)


def _evaluated(owner: bpy.types.Object) -> tuple[np.ndarray, np.ndarray]:
    evaluated = owner.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    mesh.calc_loop_triangles()
    vertices = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
    mesh.vertices.foreach_get("co", vertices)
    triangles = np.empty(len(mesh.loop_triangles) * 3, dtype=np.int32)
    mesh.loop_triangles.foreach_get("vertices", triangles)
    evaluated.to_mesh_clear()
    return vertices.reshape(-1, 3).astype(np.float64), triangles.reshape(-1, 3)


def _thicken(owner: bpy.types.Object) -> None:
    modifier = owner.modifiers.new("thicken", "SOLIDIFY")
    # its even offset would make spikes of any length at sharp edges
    modifier.thickness, modifier.offset = _THICKNESS, 0.0


def _remesh(owner: bpy.types.Object) -> None:
    modifier = owner.modifiers.new("remesh", "REMESH")
    modifier.mode, modifier.voxel_size = "VOXEL", _VOXEL


def _decimate(owner: bpy.types.Object) -> None:
    count = len(owner.data.polygons)
    if count > _MOST_TRIANGLES:
        owner.modifiers.new("decimate", "DECIMATE").ratio = _MOST_TRIANGLES / count


def _holds(closed: tuple[np.ndarray, np.ndarray], points: np.ndarray) -> bool:
    """Whether the closed mesh is where the points of the surface are, or around them."""
    vertices, triangles = closed
    tree = BVHTree.FromPolygons(vertices.tolist(), triangles.tolist())
    lost = 0
    for point in points.tolist():
        place, normal, _, distance = tree.find_nearest(point)
        outside = np.dot(np.subtract(point, place), normal) > 0
        lost += outside and distance > 2 * _VOXEL
    return lost <= _LOST_SHARE * len(points)
