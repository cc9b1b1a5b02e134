"""Materials: one Principled material for each slot of a phone, by what the part is made of.

In: the description and the slots that its mesh uses. Out: materials in that order. Base Color of
every slot that a colourway sets is a plain unlinked value. Textures take object coordinates
(metres) and have no seed.
"""

from __future__ import annotations

import bpy

from blendgen.catalog.phone_model import Phone
from blendgen.catalog.product import Colorway
from blendgen.color import hex_to_linear
from blendgen.engine.blender.nodes import add_node, new_material, set_input

METALS = {
    "aluminium": {"Roughness": 0.34},
    "stainless_steel": {"Roughness": 0.09},
    "titanium": {"Roughness": 0.38, "Anisotropic": 0.5},
}
GLASSES = {
    "glass_glossy": {"Roughness": 0.3, "Coat_Weight": 1.0, "Coat_Roughness": 0.015, "Coat_IOR": 1.5},
    "glass_matte": {"Roughness": 0.36, "Specular_IOR_Level": 0.6},
}
PLAIN = {
    "seam": {"Base_Color": (0.004, 0.004, 0.004), "Roughness": 0.7, "Specular_IOR_Level": 0.2},
    "port": {"Base_Color": (0.004, 0.004, 0.004), "Roughness": 0.7, "Specular_IOR_Level": 0.2},
    "port_tongue": {"Base_Color": (0.03, 0.03, 0.032), "Roughness": 0.4},
    "screw": {"Base_Color": (0.2, 0.2, 0.2), "Metallic": 1.0, "Roughness": 0.3},
    "speaker": {"Base_Color": (0.018, 0.018, 0.018), "Roughness": 0.75},
    "sensor": {"Base_Color": (0.004, 0.004, 0.008), "Roughness": 0.04, "Thin_Film_Thickness": 330.0},
    "flash": {"Base_Color": (0.62, 0.60, 0.55), "Roughness": 0.3, "Coat_Weight": 1.0},
    "flash_led": {"Base_Color": (0.78, 0.62, 0.30), "Roughness": 0.3, "Coat_Weight": 1.0},
    "lens_barrel": {"Base_Color": (0.003, 0.003, 0.003), "Roughness": 0.35},
    "lens_step": {"Base_Color": (0.012, 0.012, 0.014), "Roughness": 0.3},
    "lens_inner": {
        "Base_Color": (0.004, 0.006, 0.02),
        "Roughness": 0.03,
        "Specular_IOR_Level": 0.7,
        "Specular_Tint": (0.45, 0.5, 1.0),
        "Thin_Film_Thickness": 420.0,
        "Thin_Film_IOR": 1.8,
    },
    "display_oled": {"Base_Color": (0.0016, 0.0016, 0.002), "Roughness": 0.03, "Coat_Weight": 0.3},
    "display_lcd": {"Base_Color": (0.0055, 0.0055, 0.0065), "Roughness": 0.06, "Coat_Weight": 0.3},
    "bezel": {"Roughness": 0.035},
    "antenna": {"Roughness": 0.45},
    "emblem": {"Metallic": 0.75, "Roughness": 0.26},
    "lens_ring": {"Metallic": 1.0, "Roughness": 0.16},
}


def phone_materials(phone: Phone, slots: list[str], colorway: Colorway) -> list[bpy.types.Material]:
    return [_material(phone, slot, colorway) for slot in slots]


def _material(phone: Phone, slot: str, colorway: Colorway) -> bpy.types.Material:
    material, tree, principled = new_material(slot, **_values(phone, slot))
    override = colorway.materials.get(slot)
    if override:
        set_input(principled, "Base Color", hex_to_linear(override.base_color_srgb))
    if slot in ("frame", "button"):
        _add_metal_texture(tree, principled, phone.frame.material)
    if slot in ("back", "island") and _finish(phone, slot) == "glass_matte":
        _add_frosting(tree, principled)
    if slot == "lens_glass":
        _make_clear_cover(tree, principled)
    return material


def _values(phone: Phone, slot: str) -> dict:
    if slot in ("frame", "button"):
        return {"Metallic": 1.0, **METALS[phone.frame.material]}
    if slot in ("back", "island"):
        return GLASSES[_finish(phone, slot)]
    if slot == "lens_glass":
        return {"Base_Color": (0.55, 0.6, 0.75), "Metallic": 1.0, "Roughness": 0.01}
    return PLAIN[slot]


def _finish(phone: Phone, slot: str) -> str:
    return phone.island.finish if slot == "island" else phone.back.finish


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
    mapping = add_node(
        tree, "ShaderNodeMapping", {"Vector": coordinates.outputs["Object"], "Scale": stretch}
    )
    noise = add_node(
        tree, "ShaderNodeTexNoise", {"Vector": mapping.outputs["Vector"], "Scale": scale_per_m, "Detail": 2.0}
    )
    return noise.outputs["Fac"]


def _make_clear_cover(tree, principled) -> None:
    """Clear glass as a mix of nothing and a tinted mirror by Fresnel, dim as a coated glass is.

    Refraction would cost bounces and caustic noise for a cover that is thinner than a pixel; its
    lower face is left fully clear, or each ray would be reflected twice.
    """
    transparent = add_node(tree, "ShaderNodeBsdfTransparent", {"Color": (0.93, 0.95, 0.97)})
    fresnel = add_node(tree, "ShaderNodeFresnel", {"IOR": 1.38})
    geometry = add_node(tree, "ShaderNodeNewGeometry")
    front = add_node(tree, "ShaderNodeMath", operation="SUBTRACT")
    front.inputs[0].default_value = 1.0
    tree.links.new(geometry.outputs["Backfacing"], front.inputs[1])
    factor = add_node(tree, "ShaderNodeMath", operation="MULTIPLY")
    tree.links.new(fresnel.outputs["Fac"], factor.inputs[0])
    tree.links.new(front.outputs["Value"], factor.inputs[1])
    mix = tree.nodes.new("ShaderNodeMixShader")
    tree.links.new(factor.outputs["Value"], mix.inputs["Fac"])
    tree.links.new(transparent.outputs["BSDF"], mix.inputs[1])
    tree.links.new(principled.outputs["BSDF"], mix.inputs[2])
    output = next(node for node in tree.nodes if node.type == "OUTPUT_MATERIAL")
    tree.links.new(mix.outputs["Shader"], output.inputs["Surface"])
