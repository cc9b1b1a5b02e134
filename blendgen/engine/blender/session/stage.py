"""Stage: the collections that the objects of a shot are in: the products, everything else (the set), and
outlines: the products again, bare, for amodal masks.

There are three, so that a view layer can exclude some: what it excludes costs it no time. Blender evaluates
what the window shows before and after each operator, besides what a render evaluates for itself: therefore
the window shows a layer without any of them.
"""

from __future__ import annotations

from collections import Counter

import bpy

_PRODUCTS, _SET, _OUTLINES = "products", "set", "outlines"
_EMPTY_LAYER = "empty"


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


def clear(scene: bpy.types.Scene, camera: bpy.types.Object, paint: list[bpy.types.ID]) -> None:
    """Remove the objects of a shot, its paint, and meshes and lights without other users; those with a fake
    user stay. At once: for each removal, Blender looks through all that it has loaded."""
    objects = [instance for instance in scene.objects if instance is not camera]
    users = Counter(instance.data for instance in objects if instance.data)
    bpy.data.batch_remove([*objects, *(data for data, count in users.items() if data.users == count), *paint])


def show_nothing(scene: bpy.types.Scene) -> None:
    """Let the window show a view layer without objects, which is not rendered."""
    layer = scene.view_layers.new(_EMPTY_LAYER)
    layer.use = False
    _exclude(layer, _PRODUCTS, _SET, _OUTLINES)
    bpy.context.window.view_layer = layer


def evaluated(layer: bpy.types.ViewLayer) -> bpy.types.Depsgraph:
    """What a view layer shows now."""
    with bpy.context.temp_override(view_layer=layer):
        return bpy.context.evaluated_depsgraph_get()


def _exclude(layer: bpy.types.ViewLayer, *names: str) -> None:
    for name in names:
        layer.layer_collection.children[_collection(name).name].exclude = True


def _collection(name: str) -> bpy.types.Collection:
    if name not in bpy.data.collections:
        for new in (_PRODUCTS, _SET, _OUTLINES):
            bpy.context.scene.collection.children.link(bpy.data.collections.new(new))
    return bpy.data.collections[name]
