"""Variants: the colourways of a glTF file (KHR_materials_variants).

In: the objects that an import added. Out: for each variant, which material replaces which. Blender's importer
stores them in properties of the scene and of each mesh.
source: Khronos, KHR_materials_variants
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import bpy

from blendgen.files.names import name_fault
from blendgen.models.product_names import folder_name

_LONGEST = 60  # letters of a name that has to change
# name of a variant -> {material as imported: material of the variant}
Variants = dict[str, dict[bpy.types.Material, bpy.types.Material]]


def take_variants(objects: list[bpy.types.Object]) -> Variants:
    """The variants of imported objects, in the order of the file; {} if there are none.

    A material that two meshes share but swap differently, or only one swaps, is split in two.
    """
    names = _usable_names(entry.name for entry in getattr(bpy.context.scene, _SCENE_PROPERTY, ()))
    variants: Variants = {name: {} for name in names}
    swaps_of: dict[bpy.types.Material, dict[str, bpy.types.Material]] = {}
    for mesh in dict.fromkeys(o.data for o in objects if o.type == "MESH") if names else ():
        by_slot = _swaps(mesh, names)
        for slot, material in enumerate(list(mesh.materials)):
            swaps = by_slot.get(slot, {})
            if material is None:
                continue
            if swaps_of.setdefault(material, swaps) != swaps:
                material = mesh.materials[slot] = material.copy()
                swaps_of[material] = swaps
            for name, other in swaps.items():
                variants[name][material] = other
    return {name: swaps for name, swaps in variants.items() if swaps}


def _usable_names(names: Iterable[str]) -> list[str]:
    """A name for each variant that can be that of a folder; two that are alike are numbered as in Blender."""
    usable: list[str] = []
    for name in names:
        plain = folder_name(name[:_LONGEST]) if name_fault(name) else name
        numbered = (f"{plain}.{number:03}" for number in itertools.count(1))
        usable.append(next(one for one in itertools.chain([plain], numbered) if one not in usable))
    return usable


_SCENE_PROPERTY = "gltf2_KHR_materials_variants_variants"
_MESH_PROPERTY = "gltf2_variant_mesh_data"


def _swaps(mesh: bpy.types.Mesh, names: list[str]) -> dict[int, dict[str, bpy.types.Material]]:
    """Slot -> {variant: material}, for the slots of a mesh that have any."""
    by_slot: dict[int, dict[str, bpy.types.Material]] = {}
    for entry in getattr(mesh, _MESH_PROPERTY, ()):
        if entry.material is None or not 0 <= entry.material_slot_index < len(mesh.materials):
            continue
        for mapped in entry.variants:
            if 0 <= mapped.variant.variant_idx < len(names):
                swaps = by_slot.setdefault(entry.material_slot_index, {})
                swaps[names[mapped.variant.variant_idx]] = entry.material
    return by_slot
