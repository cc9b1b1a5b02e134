"""Shading: materials of surfaces and their live parameters.

Coordinates come from the world position (rotated by yaw), not from UVs: sharing and moving objects does not
change the pattern. `local` stays with the belt's edges, `point` also moves by texture_offset_m.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import bpy

from blendgen.engine.blender.shading.cached_blocks import cached_block
from blendgen.engine.blender.shading.grime import marks, stains
from blendgen.engine.blender.shading.nodes import new_material, set_input
from blendgen.engine.blender.shading.shader_graph import ShaderGraph, Socket
from blendgen.geometry.color import hex_to_linear
from blendgen.scene.ground import Surface
from blendgen.scene.kinds.surfaces import SURFACE_KINDS

# A whole number of modules, module rows and splices: wrapping the offset does not move them, and float32
# stays precise enough for fabric.
WRAP_M = 45.72
_AMOUNTS = ("wear", "dust", "stains", "spills", "wetness", "seams")


class Shading(ShaderGraph):
    """A material under construction; `set` fills its BSDF.

    wear, dust, stains, spills, wetness, seams (each 0 to 1) and base (a colour) are its live parameters;
    spills are the stains that the spec asks for, in addition to those of wear
    """

    def __init__(self, name: str):
        self.material, self.tree, self.principled = new_material(name)
        self.wear, self.dust, self.stains, self.spills, self.wetness, self.seams = (
            self._parameter("ShaderNodeValue", name) for name in _AMOUNTS
        )
        self.base = self._parameter("ShaderNodeRGB", "base")
        position = self.node("ShaderNodeNewGeometry").outputs["Position"]
        self.axes = (self._axis("x axis"), self._axis("y axis"))
        # two products are cheaper than a mapping node, which computes its angles for every sample
        x, y = (self.dot(position, axis) for axis in self.axes)
        self.local = self.combine(x, y, self.split(position)[2])
        self.point = self.node(
            "ShaderNodeVectorMath", {"Vector": self.local}, name="offset", operation="ADD"
        ).outputs["Vector"]

    def _parameter(self, kind: str, name: str) -> Socket:
        return self.node(kind, name=name).outputs[0]

    def blots(self, seed: float, stretch: tuple[float, float] = (1.0, 1.0)) -> Socket:
        """The stains of wear, and larger ones if the spec asks for stains."""
        small = stains(self, self.stains, seed, stretch)
        ragged = self.warp(self.warp(self.point, 24.0, 0.02, seed + 150.0), 170.0, 0.004, seed + 151.0)
        large = marks(self, (125.0, 110.0), (0.06, 0.3), self.product(self.spills, 0.8), seed + 150.0, ragged)
        inside = self.ramp(self.noise(90.0, 3.0, 0.65, seed + 152.0), 0.32, 0.6, 0.4, 1.0)
        has_spills = self.math("MINIMUM", self.product(self.spills, 20.0), 1.0)
        return self.math("MAXIMUM", small, self.product(large, inside, has_spills))

    def blur_for_others(self, **inputs) -> None:
        """All rays but those of the camera see these inputs of the BSDF; `set` comes before."""
        for_camera = self.principled
        self.principled = self.node("ShaderNodeBsdfPrincipled")
        for old, new in zip(for_camera.inputs, self.principled.inputs, strict=True):
            if old.is_linked:
                self.tree.links.new(old.links[0].from_socket, new)
            elif hasattr(old, "default_value"):
                new.default_value = old.default_value
        self.set(**inputs)
        is_camera = self.node("ShaderNodeLightPath").outputs["Is Camera Ray"]
        mixed = self.node("ShaderNodeMixShader")
        shaders = (is_camera, self.principled.outputs["BSDF"], for_camera.outputs["BSDF"])
        for shader, socket in zip(shaders, mixed.inputs, strict=True):
            self.tree.links.new(shader, socket)
        output = next(node for node in self.tree.nodes if node.type == "OUTPUT_MATERIAL")
        self.tree.links.new(mixed.outputs["Shader"], output.inputs["Surface"])

    def _axis(self, name: str) -> Socket:
        return self.node("ShaderNodeCombineXYZ", name=name).outputs["Vector"]


def surface_material(
    name: str, write: Callable[[Shading], None], surface: Surface, color_srgb: str | None = None
) -> bpy.types.Material:
    """The material of that name, built if it does not exist yet, with all parameters set."""
    name = f"surface.{name}"
    material = cached_block("materials", name, write.__module__, lambda: _written(name, write))
    _set_parameters(material.node_tree.nodes, surface, color_srgb)
    return material


def _written(name: str, write: Callable[[Shading], None]) -> bpy.types.Material:
    shading = Shading(name)
    write(shading)
    return shading.material


def _set_parameters(nodes, surface: Surface, color_srgb: str | None) -> None:
    color = color_srgb or surface.color_srgb or SURFACE_KINDS[surface.kind].color_srgb
    stains = surface.wear if surface.stains is None else surface.stains
    amounts = (surface.wear, surface.dust, stains, surface.stains or 0.0, surface.wetness, seams_of(surface))
    for name, amount in zip(_AMOUNTS, amounts, strict=True):
        nodes[name].outputs[0].default_value = amount
    nodes["base"].outputs[0].default_value = (*hex_to_linear(color), 1.0)
    yaw = math.radians(surface.yaw_deg)
    for name, direction in (
        ("x axis", (math.cos(yaw), math.sin(yaw))),
        ("y axis", (-math.sin(yaw), math.cos(yaw))),
    ):
        for axis, value in zip("XY", direction, strict=True):
            set_input(nodes[name], axis, value)
    x_m, y_m = wrapped_offset_m(surface)
    second = next(one for one in nodes["offset"].inputs if one.identifier == "Vector_001")
    second.default_value = (x_m, y_m, 0.0)


def seams_of(surface: Surface) -> float:
    """Visibility of joints: as sampled, or the default of the kind."""
    usual = 0.0 if SURFACE_KINDS[surface.kind].seamless else 1.0
    return usual if surface.seams is None else surface.seams


def wrapped_offset_m(surface: Surface) -> tuple[float, float]:
    """texture_offset_m within one wrap of the endless material."""
    x_m, y_m = surface.texture_offset_m
    return x_m % WRAP_M, y_m % WRAP_M
