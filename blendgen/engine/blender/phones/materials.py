"""Materials: one Principled material for each slot of a phone, as its part is made of.

In: the description and the slots that its mesh uses. Out: materials in that order. Base Color of
every slot that a colourway sets is a plain unlinked value. Textures take object coordinates
(metres) and have no seed.
"""

from __future__ import annotations

from typing import Any

import bpy

from blendgen.engine.blender.phones.case_material import CASE_PLASTIC
from blendgen.engine.blender.shading.nodes import KIND_MARK, RECESSED, add_node, new_material, set_input
from blendgen.geometry.color import hex_to_linear
from blendgen.models.families.phone_model import Phone
from blendgen.models.product import GLASS, SCREEN, Colorway

# starts of the names of slots: parts of glass that break together (lenses are sapphire), and small deep parts
_GLASSES = ("back", "island", "bezel", "emblem")
_SCREEN = "display"
_RECESSED = ("lens", "flash", "sensor", "port", "speaker", "seam")
METALS: dict[str, dict[str, Any]] = {
    "aluminium": {"Roughness": 0.34},
    "stainless_steel": {"Roughness": 0.09},
    "titanium": {"Roughness": 0.38, "Anisotropic": 0.5},
}
GLASSES: dict[str, dict[str, Any]] = {
    "glass_glossy": {"Roughness": 0.3, "Coat_Weight": 1.0, "Coat_Roughness": 0.015, "Coat_IOR": 1.5},
    "glass_matte": {"Roughness": 0.36, "Specular_IOR_Level": 0.6},
}
PLAIN: dict[str, dict[str, Any]] = {
    "seam": {"Base_Color": (0.004, 0.004, 0.004), "Roughness": 0.7, "Specular_IOR_Level": 0.2},
    "port": {"Base_Color": (0.004, 0.004, 0.004), "Roughness": 0.7, "Specular_IOR_Level": 0.2},
    "port_tongue": {"Base_Color": (0.03, 0.03, 0.032), "Roughness": 0.4},
    "screw": {"Base_Color": (0.2, 0.2, 0.2), "Metallic": 1.0, "Roughness": 0.3},
    "speaker": {"Base_Color": (0.007, 0.007, 0.007), "Roughness": 0.7, "Specular_IOR_Level": 0.2},
    "sensor": {"Base_Color": (0.004, 0.003, 0.007), "Roughness": 0.05, "Specular_Tint": (0.75, 0.7, 1.0)},
    "flash": {"Base_Color": (0.60, 0.57, 0.49), "Roughness": 0.3, "Coat_Weight": 1.0},
    "flash_led": {"Base_Color": (0.74, 0.56, 0.28), "Roughness": 0.3, "Coat_Weight": 1.0},
    "lens_barrel": {"Base_Color": (0.003, 0.003, 0.003), "Roughness": 0.35},
    "lens_step": {"Base_Color": (0.012, 0.012, 0.014), "Roughness": 0.3},
    "lens_glass": {"Base_Color": (0.002, 0.002, 0.0025), "Roughness": 0.02},
    "lens_inner": {"Base_Color": (0.003, 0.004, 0.012), "Roughness": 0.04, "Specular_Tint": (0.5, 0.5, 1.0)},
    "lens_iris": {
        "Base_Color": (0.002, 0.002, 0.006),
        "Roughness": 0.03,
        "Specular_Tint": (0.55, 0.45, 1.0),
        "Thin_Film_Thickness": 420.0,
        "Thin_Film_IOR": 1.8,
    },
    "display_oled": {"Base_Color": (0.0045, 0.0045, 0.0055), "Roughness": 0.04, "Coat_Weight": 0.3},
    "display_lcd": {"Base_Color": (0.010, 0.010, 0.0115), "Roughness": 0.06, "Coat_Weight": 0.3},
    "bezel": {"Roughness": 0.035},
    "antenna": {"Roughness": 0.45},
    "emblem": {"Metallic": 0.75, "Roughness": 0.26},
    "lens_ring": {"Metallic": 1.0, "Roughness": 0.16},
    "case": CASE_PLASTIC,
}


def phone_materials(phone: Phone, slots: list[str], colorway: Colorway) -> list[bpy.types.Material]:
    return [_material(phone, slot, colorway) for slot in slots]


def _material(phone: Phone, slot: str, colorway: Colorway) -> bpy.types.Material:
    material, tree, principled = new_material(slot, **_values(phone, slot))
    material[KIND_MARK] = _kind(slot)
    override = colorway.materials.get(slot)
    if override is not None and override.base_color_srgb is not None:
        set_input(principled, "Base Color", hex_to_linear(override.base_color_srgb))
    if slot in ("frame", "button"):
        _add_metal_texture(tree, principled, phone.frame.material)
    if slot in ("back", "island") and _finish(phone, slot) == "glass_matte":
        _add_frosting(tree, principled)
    return material


def _kind(slot: str) -> str:
    if slot.startswith(_SCREEN):
        return SCREEN
    return GLASS if slot.startswith(_GLASSES) else RECESSED if slot.startswith(_RECESSED) else ""


def _values(phone: Phone, slot: str) -> dict[str, Any]:
    if slot in ("frame", "button"):
        return {"Metallic": 1.0, **METALS[phone.frame.material]}
    if slot in ("back", "island"):
        return GLASSES[_finish(phone, slot)]
    return PLAIN[slot]


def _finish(phone: Phone, slot: str) -> str:
    return phone.island.finish if slot == "island" and phone.island else phone.back.finish


def _add_metal_texture(tree, principled, metal: str) -> None:
    """Blasted aluminium and brushed titanium vary in roughness; polished steel does not."""
    if metal == "stainless_steel":
        return
    brushed = metal == "titanium"
    noise = _noise(tree, 250.0, (1.0, 1.0, 24.0)) if brushed else _noise(tree, 7000.0, (1.0, 1.0, 1.0))
    middle, spread = METALS[metal]["Roughness"], 0.07 if brushed else 0.03
    limits = {"From Min": 0.35, "From Max": 0.65, "To Min": middle - spread, "To Max": middle + spread}
    node = add_node(tree, "ShaderNodeMapRange", {"Value": noise, **limits})
    tree.links.new(node.outputs["Result"], principled.inputs["Roughness"])


def _add_frosting(tree, principled) -> None:
    noise = _noise(tree, 6000.0, (1.0, 1.0, 1.0))
    bump = add_node(tree, "ShaderNodeBump", {"Height": noise, "Strength": 0.06, "Distance": 0.0001})
    tree.links.new(bump.outputs["Normal"], principled.inputs["Normal"])


def _noise(tree, scale_per_m: float, stretch):
    coordinates = add_node(tree, "ShaderNodeTexCoord")
    mapping = add_node(tree, "ShaderNodeMapping", {"Vector": coordinates.outputs["Object"], "Scale": stretch})
    noise = add_node(
        tree, "ShaderNodeTexNoise", {"Vector": mapping.outputs["Vector"], "Scale": scale_per_m, "Detail": 2.0}
    )
    return noise.outputs["Fac"]
