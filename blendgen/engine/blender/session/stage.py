"""Stage: the collections that the objects of a shot are in: the products, everything else (the set), and
outlines: the products again, bare, for amodal masks.

There are three, so that a view layer can exclude some: what it excludes costs it no time.
"""

from __future__ import annotations

import bpy

_PRODUCTS, _SET, _OUTLINES = "products", "set", "outlines"


def link_to_scene(instance: bpy.types.Object, product: bool = False) -> None:
    """Link an object to the scene; product: whether it has labels."""
    _collection(_PRODUCTS if product else _SET).objects.link(instance)


def link_outline(instance: bpy.types.Object) -> None:
    """Link an object that only layers with outlines see."""
    _collection(_OUTLINES).objects.link(instance)


def exclude_outlines(layer: bpy.types.ViewLayer) -> None:
    """Let a view layer see the products and the set."""
    _exclude(layer, _OUTLINES)


def exclude_all_but_outlines(layer: bpy.types.ViewLayer) -> None:
    """Let a view layer see only the outlines, without light."""
    _exclude(layer, _PRODUCTS, _SET)
    dark = bpy.data.worlds.new("dark")
    dark.use_fake_user = True
    layer.world_override = dark


def _exclude(layer: bpy.types.ViewLayer, *names: str) -> None:
    for name in names:
        layer.layer_collection.children[_collection(name).name].exclude = True


def _collection(name: str) -> bpy.types.Collection:
    if name not in bpy.data.collections:
        for new in (_PRODUCTS, _SET, _OUTLINES):
            bpy.context.scene.collection.children.link(bpy.data.collections.new(new))
    return bpy.data.collections[name]
