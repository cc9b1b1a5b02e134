"""Soundness: what may be wrong with a mesh and shows in pictures. Runs only in the measuring process.

Only numbers come out: models/doubts.py judges them, so that its thresholds change nothing in the cache.
"""

from __future__ import annotations

import itertools

import bpy
import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree

from blendgen.geometry.far_parts import without_far_parts
from blendgen.models.product import Soundness

_DIRECTIONS = [
    np.array(d, float) for d in itertools.product((-1, 0, 1), repeat=3) if sum(map(abs, d)) in (1, 3)
]
_GRID = 24  # rays along each side of a view
_MOST_TRIANGLES = 500_000  # larger meshes would take seconds
_STEEP = 0.05  # cosine: a ray that grazes a face says little about its side
_GREY = 0.02  # largest difference of the linear channels


def soundness(product: bpy.types.Object, vertices: np.ndarray, triangles: np.ndarray) -> Soundness:
    """vertices: (n, 3) metres, product frame; triangles: (t, 3) indices of them"""
    side_m = float(np.ptp(vertices, axis=0).max())
    bulk_m = float(np.ptp(without_far_parts(vertices, triangles), axis=0).max())
    return Soundness(
        bulk_m=None if bulk_m >= side_m else bulk_m,
        inside_share=_inside_share(vertices, triangles),
        has_colors=any(map(_has_color, product.data.materials)),
    )


def _inside_share(vertices: np.ndarray, triangles: np.ndarray) -> float:
    """0 for a surface without a boundary, whichever way its faces point."""
    if len(triangles) > _MOST_TRIANGLES or not _has_boundary(vertices, triangles):
        return 0.0
    tree = BVHTree.FromPolygons(vertices.tolist(), triangles.tolist())
    middle = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    radius = float(np.linalg.norm(vertices - middle, axis=1).max())
    sides = [side for direction in _DIRECTIONS for side in _sides(tree, middle, radius, direction)]
    return sum(sides) / len(sides) if sides else 0.0


def _has_boundary(vertices: np.ndarray, triangles: np.ndarray) -> bool:
    """Whether an edge has one triangle, after equal vertices are merged."""
    _, welded = np.unique(vertices, axis=0, return_inverse=True)
    corners = welded.reshape(-1)[triangles]
    edges = np.sort(np.concatenate([corners[:, [k, (k + 1) % 3]] for k in range(3)]), axis=1)
    edges = edges[edges[:, 0] != edges[:, 1]].astype(np.int64)
    _, counts = np.unique(edges[:, 0] * len(vertices) + edges[:, 1], return_counts=True)
    return bool((counts == 1).any())


def _sides(tree: BVHTree, middle: np.ndarray, radius: float, direction: np.ndarray):
    """For each ray along a direction that hits the surface: whether it hits the inside."""
    ahead = direction / np.linalg.norm(direction)
    across = np.cross(ahead, np.eye(3)[np.abs(ahead).argmin()])
    across /= np.linalg.norm(across)
    steps = ((np.arange(_GRID) + 0.5) / _GRID * 2 - 1) * radius
    towards = Vector(ahead)
    for x, y in itertools.product(steps, steps):
        start = middle + x * across + y * np.cross(ahead, across) - 2 * radius * ahead
        _, normal, _, _ = tree.ray_cast(Vector(start), towards)
        if normal is not None and abs(cosine := normal.dot(towards)) > _STEEP:
            yield cosine > 0


def _has_color(material: bpy.types.Material) -> bool:
    """Whether a material shows anything but one grey; materials of other shaders may."""
    output = None if material.node_tree is None else material.node_tree.get_output_node("CYCLES")
    links = () if output is None else output.inputs["Surface"].links
    shader = next((link.from_node for link in links), None)
    if shader is None or shader.type != "BSDF_PRINCIPLED":
        return True
    color = shader.inputs["Base Color"]
    return color.is_linked or max(color.default_value[:3]) - min(color.default_value[:3]) > _GREY
