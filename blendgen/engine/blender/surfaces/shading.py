"""Shading: the vocabulary in which surface materials are written, and their live parameters.

Every method returns an output socket; lengths are metres, frequencies cycles a metre, so that a
pattern reads in real units. Coordinates come from the world position (turned by yaw), not from UVs:
objects may be shared and moved without the pattern noticing. `local` stays with the belt's edges,
`point` also moves by texture_offset_m. Sockets are found by name or, where names repeat, identifier.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import bpy

from blendgen.color import hex_to_linear
from blendgen.engine.blender.nodes import add_node, mix_color, new_material, set_input
from blendgen.engine.blender.surfaces.colors import surface_color_srgb
from blendgen.shot import Surface

Socket = bpy.types.NodeSocket
Number = float | Socket

# A whole number of modules, module rows and splices: wrapping the offset keeps float32 exact enough
# for fabric and moves none of them.
WRAP_M = 45.72


class Shading:
    """One material in the making: wear, dust and base are its live parameters, `set` fills its BSDF."""

    def __init__(self, name: str):
        self.material, self.tree, self.principled = new_material(name)
        self.wear = self._parameter("ShaderNodeValue", "wear")
        self.dust = self._parameter("ShaderNodeValue", "dust")
        self.base = self._parameter("ShaderNodeRGB", "base")
        position = self.node("ShaderNodeNewGeometry").outputs["Position"]
        self.local = self.node("ShaderNodeMapping", {"Vector": position}, name="placement").outputs["Vector"]
        self.point = self.node(
            "ShaderNodeVectorMath", {"Vector": self.local}, name="offset", operation="ADD"
        ).outputs["Vector"]

    def node(self, kind: str, inputs: dict | None = None, **properties):
        return add_node(self.tree, kind, inputs, **properties)

    def _parameter(self, kind: str, name: str) -> Socket:
        return self.node(kind, name=name).outputs[0]

    def set(self, **inputs) -> None:
        """Set or link inputs of the Principled BSDF; _ stands for a space."""
        for key, value in inputs.items():
            name = key.replace("_", " ")
            if isinstance(value, Socket):
                self.tree.links.new(value, self.principled.inputs[name])
            else:
                set_input(self.principled, name, value)

    def math(self, operation: str, *operands: Number, clamp: bool = False) -> Socket:
        node = self.node("ShaderNodeMath", operation=operation, use_clamp=clamp)
        for identifier, operand in zip(("Value", "Value_001", "Value_002"), operands, strict=False):
            self._feed(node, identifier, operand)
        return node.outputs["Value"]

    def _feed(self, node, identifier: str, operand) -> None:
        socket = next(one for one in node.inputs if one.identifier == identifier)
        if isinstance(operand, Socket):
            self.tree.links.new(operand, socket)
        else:
            socket.default_value = operand

    def product(self, *factors: Number) -> Socket:
        result = factors[0]
        for factor in factors[1:]:
            result = self.math("MULTIPLY", result, factor)
        return result

    def sum(self, *terms: Number) -> Socket:
        result = terms[0]
        for term in terms[1:]:
            result = self.math("ADD", result, term)
        return result

    def ramp(self, value: Number, start: Number, end: Number, low: Number = 0.0, high: Number = 1.0):
        """Linear from low at start to high at end, held outside; start may lie above end."""
        inputs = {"Value": value, "From Min": start, "From Max": end, "To Min": low, "To Max": high}
        return self.node("ShaderNodeMapRange", inputs).outputs["Result"]

    def mix(self, factor: Number, a, b) -> Socket:
        return mix_color(self.tree, factor, a, b)

    def mix_value(self, factor: Number, a: Number, b: Number) -> Socket:
        return self.ramp(factor, 0.0, 1.0, a, b)

    def tint(self, color, factor: Number) -> Socket:
        """A colour times a grey factor."""
        node = self.node("ShaderNodeVectorMath", operation="SCALE")
        self._feed(node, "Vector", color)
        self._feed(node, "Scale", factor)
        return node.outputs["Vector"]

    def split(self, vector: Socket) -> tuple[Socket, Socket, Socket]:
        node = self.node("ShaderNodeSeparateXYZ", {"Vector": vector})
        return node.outputs["X"], node.outputs["Y"], node.outputs["Z"]

    def combine(self, x: Number, y: Number, z: Number = 0.0) -> Socket:
        return self.node("ShaderNodeCombineXYZ", {"X": x, "Y": y, "Z": z}).outputs["Vector"]

    def add(self, a: Socket, b) -> Socket:
        node = self.node("ShaderNodeVectorMath", {"Vector": a}, operation="ADD")
        self._feed(node, "Vector_001", b)
        return node.outputs["Vector"]

    def turned(self, vector: Socket, angle_deg: float) -> Socket:
        inputs = {"Vector": vector, "Angle": math.radians(angle_deg)}
        return self.node("ShaderNodeVectorRotate", inputs, rotation_type="Z_AXIS").outputs["Vector"]

    def scaled(self, vector: Socket, per_m, seed: float) -> Socket:
        """The vector in cycles, moved by seed so that patterns do not share their lattice."""
        x, y, z = _triple(per_m)
        node = self.node("ShaderNodeVectorMath", {"Vector": vector}, operation="MULTIPLY_ADD")
        self._feed(node, "Vector_001", (x, y, z))
        self._feed(node, "Vector_002", (seed * 17.31, seed * 5.77, seed * 3.13))
        return node.outputs["Vector"]

    def noise(self, per_m, detail=2.0, roughness=0.5, seed=0.0, at=None, space="2D") -> Socket:
        """Perlin noise about 0.5, mostly within 0.3 to 0.7; per_m: cycles a metre, one or one an axis."""
        vector = self.scaled(self.point if at is None else at, per_m, seed)
        inputs = {"Vector": vector, "Scale": 1.0, "Detail": detail, "Roughness": roughness}
        return self.node("ShaderNodeTexNoise", inputs, noise_dimensions=space).outputs["Fac"]

    def warp(self, vector: Socket, per_m: float, by_m: float, seed: float = 0.0) -> Socket:
        """The vector moved to and fro by up to about by_m, smoothly; one noise serves both axes."""
        aside = self.ramp(self.noise(per_m, 1.0, 0.5, seed, vector), 0.0, 1.0, -by_m, by_m)
        return self.add(vector, self.combine(aside, self.product(aside, -0.7)))

    def cells(self, per_m, seed: float = 0.0, at=None) -> tuple[Socket, Socket, Socket]:
        """Voronoi: distance to the nearest point in cells, and two random numbers of that point."""
        vector = self.scaled(self.point if at is None else at, per_m, seed)
        node = self.node("ShaderNodeTexVoronoi", {"Vector": vector, "Scale": 1.0}, voronoi_dimensions="2D")
        color = self.node("ShaderNodeSeparateColor", {"Color": node.outputs["Color"]})
        return node.outputs["Distance"], color.outputs["Red"], color.outputs["Green"]

    def random(self, x: Number, y: Number) -> Socket:
        """A uniform number of a pair of whole numbers."""
        inputs = {"Vector": self.combine(x, y)}
        return self.node("ShaderNodeTexWhiteNoise", inputs, noise_dimensions="2D").outputs["Value"]

    def across(self) -> Socket:
        """The world direction of local +X."""
        inputs = {"Vector": (1.0, 0.0, 0.0)}
        return self.node("ShaderNodeMapping", inputs, name="across", vector_type="TEXTURE").outputs["Vector"]

    def bump(self, height_mm: Socket) -> None:
        """Give the surface this relief."""
        inputs = {"Height": height_mm, "Distance": 0.001, "Strength": 1.0}
        self.set(Normal=self.node("ShaderNodeBump", inputs).outputs["Normal"])


def _triple(per_m) -> tuple[float, float, float]:
    if isinstance(per_m, (int, float)):
        return (per_m, per_m, per_m)
    return (per_m[0], per_m[1], per_m[2] if len(per_m) == 3 else 0.0)


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
    nodes["wear"].outputs[0].default_value = surface.wear
    nodes["dust"].outputs[0].default_value = surface.dust
    nodes["base"].outputs[0].default_value = (*hex_to_linear(color), 1.0)
    for name in ("placement", "across"):
        if name in nodes:
            set_input(nodes[name], "Rotation", (0.0, 0.0, -math.radians(surface.yaw_deg)))
    x_m, y_m = wrapped_offset_m(surface)
    second = next(one for one in nodes["offset"].inputs if one.identifier == "Vector_001")
    second.default_value = (x_m, y_m, 0.0)


def wrapped_offset_m(surface: Surface) -> tuple[float, float]:
    """texture_offset_m within one wrap of the endless material."""
    x_m, y_m = surface.texture_offset_m
    return x_m % WRAP_M, y_m % WRAP_M
