"""Stage: the collections that the objects of a shot are in: the products, and everything else (the set).

There are two, so that a view layer can exclude the set.
"""

from __future__ import annotations

import bpy

_PRODUCTS, _SET = "products", "set"


def link_to_scene(instance: bpy.types.Object, product: bool = False) -> None:
    """Link an object to the scene; product: whether it has labels."""
    _collection(_PRODUCTS if product else _SET).objects.link(instance)


def exclude_set(layer: bpy.types.ViewLayer) -> None:
    """Let a view layer see only the products, without light."""
    layer.layer_collection.children[_collection(_SET).name].exclude = True
    dark = bpy.data.worlds.new("dark")
    dark.use_fake_user = True
    layer.world_override = dark


def _collection(name: str) -> bpy.types.Collection:
    if name not in bpy.data.collections:
        for new in (_PRODUCTS, _SET):
            bpy.context.scene.collection.children.link(bpy.data.collections.new(new))
    return bpy.data.collections[name]
