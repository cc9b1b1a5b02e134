"""Stage: where the objects of a shot stand: products apart from all that is round them.

Two collections, so that a view layer can leave out what it does not ask for.
"""

from __future__ import annotations

import bpy

_PRODUCTS, _SET = "products", "set"


def stand(instance: bpy.types.Object, product: bool = False) -> None:
    """Link an object to the scene; product: one that has labels."""
    _collection(_PRODUCTS if product else _SET).objects.link(instance)


def leave_out_the_set(layer: bpy.types.ViewLayer) -> None:
    """Let a view layer see the products alone, under no light."""
    layer.layer_collection.children[_collection(_SET).name].exclude = True
    nothing = bpy.data.worlds.new("nothing")
    nothing.use_fake_user = True
    layer.world_override = nothing


def _collection(name: str) -> bpy.types.Collection:
    if name not in bpy.data.collections:
        for missing in (_PRODUCTS, _SET):
            bpy.context.scene.collection.children.link(bpy.data.collections.new(missing))
    return bpy.data.collections[name]
