"""Shading: materials of surfaces and their live parameters.

Coordinates come from the world position (turned by yaw), not from UVs: objects may be shared and
moved without the pattern noticing. `local` stays with the belt's edges, `point` also moves by
texture_offset_m.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import bpy

from blendgen.color import hex_to_linear
from blendgen.engine.blender.nodes import new_material, set_input
from blendgen.engine.blender.shader_graph import ShaderGraph, Socket
from blendgen.engine.blender.surfaces.colors import surface_color_srgb
from blendgen.shot import Surface
from blendgen.vocabulary import USUALLY_SEAMLESS

# A whole number of modules, module rows and splices: wrapping the offset keeps float32 exact enough
# for fabric and moves none of them.
WRAP_M = 45.72
_AMOUNTS = ("wear", "dust", "stains", "wetness", "seams")


class Shading(ShaderGraph):
    """One material in the making; `set` fills its BSDF.

    wear, dust, stains, wetness, seams (each 0 to 1) and base (a colour) are its live parameters
    """

    def __init__(self, name: str):
        self.material, self.tree, self.principled = new_material(name)
        self.wear, self.dust, self.stains, self.wetness, self.seams = (
            self._parameter("ShaderNodeValue", name) for name in _AMOUNTS
        )
        self.base = self._parameter("ShaderNodeRGB", "base")
        position = self.node("ShaderNodeNewGeometry").outputs["Position"]
        self.local = self.node("ShaderNodeMapping", {"Vector": position}, name="placement").outputs["Vector"]
        self.point = self.node(
            "ShaderNodeVectorMath", {"Vector": self.local}, name="offset", operation="ADD"
        ).outputs["Vector"]

    def _parameter(self, kind: str, name: str) -> Socket:
        return self.node(kind, name=name).outputs[0]

    def across(self) -> Socket:
        """The world direction of local +X."""
        inputs = {"Vector": (1.0, 0.0, 0.0)}
        return self.node("ShaderNodeMapping", inputs, name="across", vector_type="TEXTURE").outputs["Vector"]


def surface_material(
    name: str, write: Callable[[Shading], None], surface: Surface, color_srgb: str | None = None
) -> bpy.types.Material:
    """The material of that name, written if it does not exist yet, with all parameters set."""
    name = f"surface.{name}"
    material = bpy.data.materials.get(name)
    if material is None:
        shading = Shading(name)
        write(shading)
        material = shading.material
    _set_parameters(material.node_tree.nodes, surface, color_srgb)
    return material


def _set_parameters(nodes, surface: Surface, color_srgb: str | None) -> None:
    color = color_srgb or surface_color_srgb(surface.kind, surface.color_srgb)
    stains = surface.wear if surface.stains is None else surface.stains
    amounts = (surface.wear, surface.dust, stains, surface.wetness, seams_of(surface))
    for name, amount in zip(_AMOUNTS, amounts, strict=True):
        nodes[name].outputs[0].default_value = amount
    nodes["base"].outputs[0].default_value = (*hex_to_linear(color), 1.0)
    for name in ("placement", "across"):
        if name in nodes:
            set_input(nodes[name], "Rotation", (0.0, 0.0, -math.radians(surface.yaw_deg)))
    x_m, y_m = wrapped_offset_m(surface)
    second = next(one for one in nodes["offset"].inputs if one.identifier == "Vector_001")
    second.default_value = (x_m, y_m, 0.0)


def seams_of(surface: Surface) -> float:
    """How visible joints are: as drawn, or else as usual for the kind."""
    usual = 0.0 if surface.kind in USUALLY_SEAMLESS else 1.0
    return usual if surface.seams is None else surface.seams


def wrapped_offset_m(surface: Surface) -> tuple[float, float]:
    """texture_offset_m within one wrap of the endless material."""
    x_m, y_m = surface.texture_offset_m
    return x_m % WRAP_M, y_m % WRAP_M
