"""Shader graph: the methods that procedural materials are written with.

Every method returns an output socket; lengths are metres, frequencies cycles per metre. Patterns are
evaluated at `point` unless a method gets another place. Sockets are selected by name or, if names repeat, by
identifier.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import bpy

from blendgen.engine.blender.shading.nodes import add_node, mix_color, set_input

Socket: TypeAlias = bpy.types.NodeSocket
Number: TypeAlias = float | Socket


@dataclass(frozen=True)
class Slope:
    """How a pattern of a map rises along the two axes of a surface.

    sockets: 0.5 where level; per_m: rise of the pattern per metre, where a socket is 1 more
    """

    sockets: tuple[Socket, Socket]
    per_m: tuple[float, float]


class ShaderGraph:
    """The nodes of a material under construction; `set` fills its Principled BSDF.

    point: (x, y, z) in metres; wear, dust: 0 to 1
    axes: world directions of x and y of the point
    """

    tree: bpy.types.NodeTree
    principled: bpy.types.Node
    point: Socket
    axes: tuple[Socket, Socket]
    wear: Number
    dust: Number

    def node(self, kind: str, inputs: dict | None = None, **properties):
        return add_node(self.tree, kind, inputs, **properties)

    def set(self, **inputs) -> None:
        """Set or link inputs of the Principled BSDF; _ in a name is a space."""
        for key, value in inputs.items():
            name = key.replace("_", " ")
            if isinstance(value, bpy.types.NodeSocket):
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
        if isinstance(operand, bpy.types.NodeSocket):
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
        """Linear from low at start to high at end, constant outside; start may be greater than end."""
        if _is_parameter(value) and not any(
            isinstance(one, bpy.types.NodeSocket) for one in (start, end, low, high)
        ):
            return self._parameter_ramp(value, start, end, low, high)
        inputs = {"Value": value, "From Min": start, "From Max": end, "To Min": low, "To Max": high}
        return self.node("ShaderNodeMapRange", inputs).outputs["Result"]

    def _parameter_ramp(self, value: Socket, start: float, end: float, low: float, high: float) -> Socket:
        """The same of a parameter: Cycles computes Math nodes of constants once, but Map Range for each
        sample."""
        per_one = 1 / (end - start)
        # parameters are 0 to 1
        inside = min(start, end) <= 0.0 and max(start, end) >= 1.0
        if not inside:
            value = self.math("MULTIPLY_ADD", value, per_one, -start * per_one, clamp=True)
            start, per_one = 0.0, 1.0
        by = (high - low) * per_one
        return self.math("MULTIPLY_ADD", value, by, low - start * by)

    def mix(self, factor: Number, a, b) -> Socket:
        return mix_color(self.tree, factor, a, b)

    def mix_value(self, factor: Number, a: Number, b: Number) -> Socket:
        node = self.node("ShaderNodeMix", data_type="FLOAT")
        for identifier, operand in (("Factor_Float", factor), ("A_Float", a), ("B_Float", b)):
            self._feed(node, identifier, operand)
        return next(one for one in node.outputs if one.identifier == "Result_Float")

    def below(self, value: Socket, limit: Number) -> Socket:
        """1 where the value is less than the limit. If that is 0, Cycles drops what is multiplied by it."""
        there = self.math("MINIMUM", self.product(limit, 1e6), 1.0)
        return self.product(self.math("LESS_THAN", value, limit), there)

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

    def subtract(self, a: Socket, b: Socket) -> Socket:
        node = self.node("ShaderNodeVectorMath", {"Vector": a}, operation="SUBTRACT")
        self._feed(node, "Vector_001", b)
        return node.outputs["Vector"]

    def turned(self, vector: Socket, angle_deg: float) -> Socket:
        """Turned about Z. A node that rotates computes sine and cosine for each sample."""
        turn = math.radians(angle_deg)
        x, y = (
            self.dot(vector, row)
            for row in ((math.cos(turn), -math.sin(turn), 0.0), (math.sin(turn), math.cos(turn), 0.0))
        )
        return self.combine(x, y, self.split(vector)[2])

    def dot(self, a: Socket, b) -> Socket:
        node = self.node("ShaderNodeVectorMath", {"Vector": a}, operation="DOT_PRODUCT")
        self._feed(node, "Vector_001", b)
        return node.outputs["Value"]

    def scaled(self, vector: Socket, per_m, seed: float) -> Socket:
        """The vector in cycles, shifted by seed so that patterns do not share their lattice."""
        x, y, z = _triple(per_m)
        node = self.node("ShaderNodeVectorMath", {"Vector": vector}, operation="MULTIPLY_ADD")
        self._feed(node, "Vector_001", (x, y, z))
        self._feed(node, "Vector_002", _shift(seed))
        return node.outputs["Vector"]

    def noise(self, per_m, detail=2.0, roughness=0.5, seed=0.0, at=None, space="2D") -> Socket:
        """Perlin noise about 0.5, mostly 0.3 to 0.7; per_m: cycles per metre, one number or one per axis."""
        vector = self.scaled(self.point if at is None else at, per_m, seed)
        inputs = {"Vector": vector, "Scale": 1.0, "Detail": detail, "Roughness": roughness}
        return self.node("ShaderNodeTexNoise", inputs, noise_dimensions=space).outputs["Fac"]

    def warp(self, vector: Socket, per_m: float, by_m: float, seed: float = 0.0) -> Socket:
        """The vector, smoothly shifted by up to about by_m; one noise for both axes."""
        aside = self.ramp(self.noise(per_m, 1.0, 0.5, seed, vector), 0.0, 1.0, -by_m, by_m)
        return self.add(vector, self.combine(aside, self.product(aside, -0.7)))

    def cells(self, per_m, seed: float = 0.0, at=None) -> tuple[Socket, Socket, Socket]:
        """Voronoi: distance to the nearest point in cells, and two random numbers of that point."""
        vector = self.scaled(self.point if at is None else at, per_m, seed)
        node = self.node("ShaderNodeTexVoronoi", {"Vector": vector, "Scale": 1.0}, voronoi_dimensions="2D")
        color = self.node("ShaderNodeSeparateColor", {"Color": node.outputs["Color"]})
        return node.outputs["Distance"], color.outputs["Red"], color.outputs["Green"]

    def tile(
        self, name: str, side_m, seed: float = 0.0, turn_deg: float = 0.0, at: Socket | None = None
    ) -> tuple[Socket, ...]:
        """The four channels of a map of tile_images.py, repeated every side_m metres and shifted by seed.

        side_m: one number or one per axis
        turn_deg: only with one side
        """
        shown = self.node("ShaderNodeTexImage", {"Vector": self.point if at is None else at}, name=name)
        # part of the node: one matrix turns, scales and shifts
        mapping = shown.texture_mapping
        mapping.vector_type = "POINT"
        mapping.scale = (*(1 / one for one in _triple(side_m)[:2]), 0.0)
        mapping.rotation = (0.0, 0.0, math.radians(turn_deg))
        mapping.translation = _shift(seed)
        color = self.node("ShaderNodeSeparateColor", {"Color": shown.outputs["Color"]})
        return (*(color.outputs[channel] for channel in ("Red", "Green", "Blue")), shown.outputs["Alpha"])

    def lean(self, across: Number, along: Number) -> None:
        """Tilt the surface as if it rose by this much per metre along its two axes; instead of a bump, which
        evaluates its height three times."""
        normal: Socket = self.node("ShaderNodeNewGeometry").outputs["Normal"]
        for axis, rise in zip(self.axes, (across, along), strict=True):
            node = self.node("ShaderNodeVectorMath", {"Vector": axis}, operation="MULTIPLY_ADD")
            self._feed(node, "Vector_001", self.math("MULTIPLY", rise, -1.0))
            self._feed(node, "Vector_002", normal)
            normal = node.outputs["Vector"]
        unit = self.node("ShaderNodeVectorMath", {"Vector": normal}, operation="NORMALIZE")
        self.set(Normal=unit.outputs["Vector"])

    def rise(self, *parts: tuple[Slope, float]) -> tuple[Socket, Socket]:
        """Metres per metre along the two axes of the sum of patterns; each with its height in mm at 1."""
        return self._rise(0, parts), self._rise(1, parts)

    def _rise(self, axis: int, parts: tuple[tuple[Slope, float], ...]) -> Socket:
        factors = [slope.per_m[axis] * height_mm / 1000 for slope, height_mm in parts]
        total: Number = -0.5 * sum(factors)
        for (slope, _), factor in zip(parts, factors, strict=True):
            total = self.math("MULTIPLY_ADD", slope.sockets[axis], factor, total)
        return total

    def random(self, x: Number, y: Number) -> Socket:
        """A uniform random number for a pair of integers."""
        inputs = {"Vector": self.combine(x, y)}
        return self.node("ShaderNodeTexWhiteNoise", inputs, noise_dimensions="2D").outputs["Value"]

    def bump(self, height_mm: Socket) -> None:
        """Give the surface this relief."""
        inputs = {"Height": height_mm, "Distance": 0.001, "Strength": 1.0}
        self.set(Normal=self.node("ShaderNodeBump", inputs).outputs["Normal"])


def _is_parameter(value: Number) -> bool:
    """Whether it is the same for all samples of a render."""
    return isinstance(value, bpy.types.NodeSocket) and (
        value.node.bl_idname == "ShaderNodeValue"
        or (value.node.bl_idname == "NodeGroupInput" and value.name == "Amount")
    )


def _shift(seed: float) -> tuple[float, float, float]:
    return (seed * 17.31, seed * 5.77, seed * 3.13)


def _triple(per_m) -> tuple[float, float, float]:
    if isinstance(per_m, (int, float)):
        return (per_m, per_m, per_m)
    return (per_m[0], per_m[1], per_m[2] if len(per_m) == 3 else 0.0)
