"""Used material: the existing material of a product, to which marks of use are added.

In: a copy of the material and a Condition. `value` is the current input of a socket of its Principled BSDF,
`cover` replaces inputs by a mask, `relief` adds to its shape. Patterns are in the product's own frame, so
they turn with it.
"""

from __future__ import annotations

import math

import bpy

from blendgen.engine.blender.shading.nodes import KIND_MARK, add_node
from blendgen.engine.blender.shading.shader_graph import Number, ShaderGraph, Socket
from blendgen.models.product import GLASS, SCREEN
from blendgen.scene.condition import Condition
from blendgen.scene.frozen import Vector3

_NORMALS = ("Normal", "Coat Normal")


class UsedMaterial(ShaderGraph):
    """own: the point in the product frame, metres; point: the same, moved to where its marks are."""

    def __init__(self, tree: bpy.types.NodeTree, principled: bpy.types.Node | None, condition: Condition):
        self.tree, self.principled = tree, principled
        self.wear, self.dust = condition.scratches, condition.dust
        self.own = add_node(self.tree, "ShaderNodeTexCoord").outputs["Object"]
        self.point = self.add(self.own, (*condition.pattern_offset_m, 0.0))
        self.pattern_offset_m = condition.pattern_offset_m

    def value(self, name: str) -> Socket | Number | tuple:
        """The current input of a socket of the BSDF: the source of its link, or its value."""
        socket = self.principled.inputs[name]
        if socket.is_linked:
            return socket.links[0].from_socket
        value = socket.default_value
        return tuple(value)[:3] if hasattr(value, "__len__") else float(value)

    def cover(self, mask: Socket, **inputs) -> None:
        """Where the mask is 1, inputs take these values; _ in a name is a space."""
        for key, over in inputs.items():
            under = self.value(key.replace("_", " "))
            is_color = isinstance(under, tuple) or (
                isinstance(under, bpy.types.NodeSocket) and key.endswith("Color")
            )
            mixed = self.mix(mask, under, over) if is_color else self.mix_value(mask, under, over)
            self.set(**{key: mixed})

    def rougher(self, mask: Socket, by: float, names=("Roughness", "Coat Roughness")) -> None:
        for name in names:
            higher = self.math("ADD", self.value(name), self.product(mask, by), clamp=True)
            self.set(**{name.replace(" ", "_"): higher})

    def normal(self, name: str = "Normal") -> Socket:
        """The current normal of the material, world frame."""
        socket = self.principled.inputs[name]
        if socket.is_linked:
            return socket.links[0].from_socket
        return self.node("ShaderNodeNewGeometry").outputs["Normal"]

    def relief(self, height_mm: Socket) -> None:
        """Raise the surface and that of its coat, on top of the current shape."""
        for name in _NORMALS:
            inputs = {"Height": height_mm, "Distance": 0.001, "Strength": 1.0, "Normal": self.normal(name)}
            self.set(**{name.replace(" ", "_"): self.node("ShaderNodeBump", inputs).outputs["Normal"]})

    def tilt(self, by: Socket) -> None:
        """Tilt the normals by a vector that is much shorter than 1."""
        for name in _NORMALS:
            leaning = self.vector("NORMALIZE", self.add(self.normal(name), by))
            self.set(**{name.replace(" ", "_"): leaning})

    def vector(self, operation: str, a: Socket, b: Socket | Vector3 = (0.0, 0.0, 0.0)) -> Socket:
        node = self.node("ShaderNodeVectorMath", {"Vector": a}, operation=operation)
        self._feed(node, "Vector_001", b)
        return node.outputs["Vector"]

    def dot(self, a: Socket, b: Socket | Vector3) -> Socket:
        node = self.node("ShaderNodeVectorMath", {"Vector": a}, operation="DOT_PRODUCT")
        self._feed(node, "Vector_001", b)
        return node.outputs["Value"]

    def facing(self, normal: Vector3) -> Socket:
        """Cosine between the surface and a direction of the product frame."""
        inputs = {"Vector": self.node("ShaderNodeNewGeometry").outputs["True Normal"]}
        own = self.node(
            "ShaderNodeVectorTransform",
            inputs,
            vector_type="NORMAL",
            convert_from="WORLD",
            convert_to="OBJECT",
        )
        return self.dot(self.vector("NORMALIZE", own.outputs["Vector"]), normal)

    def darken_emission(self, mask: Socket) -> None:
        """Hide emission where the mask is 1."""
        strength = self.value("Emission Strength")
        if isinstance(strength, bpy.types.NodeSocket) or strength:
            self.set(Emission_Strength=self.product(self.math("SUBTRACT", 1.0, mask, clamp=True), strength))


def is_glass(material: bpy.types.Material) -> bool:
    return material.get(KIND_MARK) in (GLASS, SCREEN)


def perpendicular(normal: Vector3) -> tuple[Vector3, Vector3]:
    """Two unit directions that make a right-handed frame with a normal along an axis."""
    axis = max(range(3), key=lambda i: abs(normal[i]))
    one, other = [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]
    one[(axis + 1) % 3], other[(axis + 2) % 3] = 1.0, math.copysign(1.0, normal[axis])
    return (one[0], one[1], one[2]), (other[0], other[1], other[2])
