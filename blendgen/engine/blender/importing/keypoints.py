"""Keypoints: stated points -> the nearest points on the surface of a product."""

from __future__ import annotations

from collections.abc import Iterable

import bpy
import numpy as np
from mathutils.bvhtree import BVHTree

from blendgen.models.product import Keypoint


def on_surface(product: bpy.types.Object, keypoints: Iterable[Keypoint]) -> tuple[Keypoint, ...]:
    """The keypoints, each moved to the nearest point on the product's surface."""
    keypoints = tuple(keypoints)
    if not keypoints:
        return ()
    mesh = product.data
    corners = [tuple(polygon.vertices) for polygon in mesh.polygons]
    tree = BVHTree.FromPolygons([vertex.co for vertex in mesh.vertices], corners)
    return tuple(_moved(tree, keypoint) for keypoint in keypoints)


def _moved(tree: BVHTree, keypoint: Keypoint) -> Keypoint:
    nearest = tree.find_nearest(keypoint.position_m)[0]
    x, y, z = (float(value) for value in nearest)
    return Keypoint(keypoint.name, (x, y, z), keypoint.mirrored)


def at_points(points, file_to_product: np.ndarray) -> list[Keypoint]:
    """The points of a model file as numbered keypoints in the product frame.

    points: (n, 3) in the file's own axes and unit
    """
    placed = np.asarray(points, dtype=np.float64).reshape(-1, 3) @ file_to_product[:3, :3].T
    return [Keypoint(str(i), tuple(p)) for i, p in enumerate((placed + file_to_product[:3, 3]).tolist())]
