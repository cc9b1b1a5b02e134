"""Case material: the material of a phone's case in one shot.

In: its colour, or "clear". Out: a new material. Silicone is matte; clear plastic refracts camera rays and
only tints all other light a little, because refracted light would not reach the phone below without caustics.
"""

from __future__ import annotations

import bpy

from blendgen.engine.blender.shading.nodes import add_node, new_material
from blendgen.geometry.color import hex_to_linear
from blendgen.scene.vocabulary import CLEAR

CASE_PART = "case"
CASE_PLASTIC = {"Base_Color": (0.02, 0.02, 0.022), "Roughness": 0.55, "Specular_IOR_Level": 0.4}
_CLEAR_PLASTIC = {
    "Base_Color": (0.96, 0.965, 0.95),
    "Roughness": 0.06,
    "Transmission_Weight": 1.0,
    "IOR": 1.25,
}
_TINT = (0.95, 0.955, 0.935)


def case_material(color: str) -> bpy.types.Material:
    """color: '#rrggbb' (sRGB) or "clear"."""
    if color == CLEAR:
        return _clear()
    return new_material("case", **{**CASE_PLASTIC, "Base_Color": hex_to_linear(color)})[0]


def _clear() -> bpy.types.Material:
    material, tree, principled = new_material("case", **_CLEAR_PLASTIC)
    output = next(node for node in tree.nodes if node.type == "OUTPUT_MATERIAL")
    is_camera_ray = add_node(tree, "ShaderNodeLightPath").outputs["Is Camera Ray"]
    through = add_node(tree, "ShaderNodeBsdfTransparent", {"Color": _TINT})
    mixed = add_node(tree, "ShaderNodeMixShader", {"Fac": is_camera_ray})
    tree.links.new(through.outputs["BSDF"], mixed.inputs[1])
    tree.links.new(principled.outputs["BSDF"], mixed.inputs[2])
    tree.links.new(mixed.outputs["Shader"], output.inputs["Surface"])
    return material
