"""Executable: removes everything from imported data that could run code."""

from __future__ import annotations

import bpy

# all kinds of data of a model that can have drivers
_ANIMATED = (
    "objects",
    "meshes",
    "curves",
    "metaballs",
    "lattices",
    "armatures",
    "lights",
    "cameras",
    "shape_keys",
    "materials",
    "textures",
    "node_groups",
    "worlds",
    "scenes",
)


def drop_executable() -> None:
    """Remove everything that could run code: text blocks, scripts in shaders, drivers.

    Keyframes are removed with the drivers: objects stay as they were saved, in their rest pose.
    """
    bpy.data.batch_remove(list(bpy.data.texts))
    for owner in [block for kind in _ANIMATED for block in getattr(bpy.data, kind)]:
        owner.animation_data_clear()
        tree = getattr(owner, "node_tree", None)
        if tree is not None:
            tree.animation_data_clear()
    for material in bpy.data.materials:
        tree = material.node_tree
        for node in [n for n in tree.nodes if n.type == "SCRIPT"] if tree else []:
            tree.nodes.remove(node)
