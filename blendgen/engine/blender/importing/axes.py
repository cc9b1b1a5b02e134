"""Axes: the directions and the scale of an imported scene, before its objects are joined.

In: the open Blender file after an import. Out: all its objects turned and scaled through a common parent.
"""

from __future__ import annotations

import bpy
import numpy as np
from bpy_extras.io_utils import axis_conversion
from mathutils import Matrix

DEFAULT_UP = {"obj": "y", "stl": "z", "ply": "z", "off": "z"}
FORWARD_OF_UP = {"x": "Y", "y": "NEGATIVE_Z", "z": "Y"}
GLTF_TO_WORLD = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])


def axes_to_world(up: str) -> np.ndarray:
    """(3, 3) from the axes of a file in which `up` points up."""
    return np.array(axis_conversion(FORWARD_OF_UP[up].replace("NEGATIVE_", "-"), up.upper(), "Y", "Z"))


def scale_scene(factor: float) -> None:
    """Scale all objects through a common parent: world matrices may not be known yet."""
    if factor != 1.0:
        _common_parent().scale = (factor, factor, factor)


def place_scene(to_world: np.ndarray) -> None:
    """Transform all objects by a (3, 3) matrix through a common parent."""
    _common_parent().matrix_basis = Matrix(to_world.tolist()).to_4x4()


def _common_parent() -> bpy.types.Object:
    """A new object above all others."""
    scene = bpy.context.scene
    roots = [owner for owner in scene.objects if owner.parent is None]
    unit = bpy.data.objects.new("unit", None)
    scene.collection.objects.link(unit)
    for owner in roots:
        owner.parent = unit
    return unit
