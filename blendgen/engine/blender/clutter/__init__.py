"""Clutter and occluders: an item's name and finishes -> one mesh object with named material slots.

In: the options of a `Source` of kind "clutter". Out: one object called "product" in the current
scene, true size in metres, in the product frame, in its first colourway, and the materials of the other
colourways. Nothing in it is random. An occluder covers the products by advancing along +Y.
"""

from __future__ import annotations

import importlib
import pkgutil

import bpy

from blendgen.engine.blender.clutter.finishes import make_material
from blendgen.engine.blender.clutter.items import ITEMS
from blendgen.engine.blender.clutter.solids import Solids
from blendgen.engine.blender.importing.join import PRODUCT_NAME
from blendgen.models.families.clutter import material_name

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")


def build_clutter(options: dict) -> bpy.types.Object:
    """The item as an object, linked to the current scene's collection.

    options: {"item": name, "colorways": {name: {slot: "finish #rrggbb"}}}; others do not matter
    """
    parts = Solids()
    ITEMS[options["item"]](parts)
    mesh = parts.to_mesh(PRODUCT_NAME)
    first, *others = options["colorways"].values()
    for slot in parts.slots:
        mesh.materials.append(make_material(slot, slot, first[slot]))
    swapped = {(slot, slots[slot]) for slots in others for slot in parts.slots}
    for slot, finish in sorted(swapped - set(first.items())):
        make_material(material_name(slot, finish), slot, finish)
    product = bpy.data.objects.new(PRODUCT_NAME, mesh)
    bpy.context.scene.collection.objects.link(product)
    return product
