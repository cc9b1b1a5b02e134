"""Used material: the marks of use on a product, as a node group that its materials share.

Out: Marks, a group that goes between a material's own colours, roughnesses and normals and its Principled
BSDF. `value` is the current input of a socket of the BSDF, `cover` replaces inputs by a mask, `relief` adds
to its shape. Patterns are in the product's own frame, so they turn with it. A phone has dozens of materials,
and each node that is created for one costs up to half a millisecond.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import bpy

from blendgen.engine.blender.shading.nodes import add_node
from blendgen.engine.blender.shading.shader_graph import Number, ShaderGraph, Socket
from blendgen.engine.blender.shading.tile_images import show_tiles
from blendgen.scene.frozen import Vector3

_NORMALS = ("Normal", "Coat Normal")
# sockets of the BSDF that marks read
_SOCKETS = {
    "Base Color": "Color",
    "Metallic": "Float",
    "Roughness": "Float",
    "Transmission Weight": "Float",
    "Coat Weight": "Float",
    "Coat Roughness": "Float",
    "Emission Strength": "Float",
} | dict.fromkeys(_NORMALS, "Vector")


@dataclass(frozen=True)
class Look:
    """What reliefs and covers depend on. emits: light; normals: which sockets are linked"""

    emits: bool
    normals: frozenset[str]


ANY_LOOK = Look(False, frozenset())  # of marks without relief that leave emission as it is


def look_of(principled: bpy.types.Node) -> Look:
    strength = principled.inputs["Emission Strength"]
    emits = strength.is_linked or strength.default_value != 0
    return Look(emits, frozenset(name for name in _NORMALS if principled.inputs[name].is_linked))


@dataclass(frozen=True)
class Marks:
    """takes, gives: names of the group's inputs and outputs, which are sockets of the BSDF"""

    tree: bpy.types.NodeTree
    takes: tuple[str, ...]
    gives: tuple[str, ...]

    def put_on(self, tree: bpy.types.NodeTree, principled: bpy.types.Node) -> None:
        """Change the tree of a material."""
        node = add_node(tree, "ShaderNodeGroup", node_tree=self.tree)
        for name in self.takes:
            own = principled.inputs[name]
            if own.is_linked:
                tree.links.new(own.links[0].from_socket, node.inputs[name])
            else:
                node.inputs[name].default_value = own.default_value
        for name in self.gives:
            tree.links.new(node.outputs[name], principled.inputs[name])


class ProductGraph(ShaderGraph):
    """own: the point in the product frame, metres; point: the same, moved to where its marks are."""

    def __init__(self, tree: bpy.types.NodeTree, pattern_offset_m: tuple[float, float]):
        self.tree = tree
        self.pattern_offset_m = pattern_offset_m

    @cached_property
    def own(self) -> Socket:
        return add_node(self.tree, "ShaderNodeTexCoord").outputs["Object"]

    @cached_property
    def point(self) -> Socket:  # type: ignore[override]
        return self.add(self.own, (*self.pattern_offset_m, 0.0))

    def vector(self, operation: str, a: Socket, b: Socket | Vector3 = (0.0, 0.0, 0.0)) -> Socket:
        node = self.node("ShaderNodeVectorMath", {"Vector": a}, operation=operation)
        self._feed(node, "Vector_001", b)
        return node.outputs["Vector"]

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


class UsedMaterial(ProductGraph):
    """The group under construction, for one Look."""

    def __init__(self, look: Look, pattern_offset_m: tuple[float, float]):
        super().__init__(bpy.data.node_groups.new("wear", "ShaderNodeTree"), pattern_offset_m)
        for name, kind in _SOCKETS.items():
            self.tree.interface.new_socket(name=name, in_out="INPUT", socket_type=f"NodeSocket{kind}")
        self._given = add_node(self.tree, "NodeGroupInput")
        self._look = look
        self._set: dict[str, Socket | Number] = {}

    def marks(self) -> Marks:
        """What has been made."""
        for name in self._set:
            kind = "Color" if name.endswith("Color") else _SOCKETS[name]
            self.tree.interface.new_socket(name=name, in_out="OUTPUT", socket_type=f"NodeSocket{kind}")
        add_node(self.tree, "NodeGroupOutput", self._set)
        show_tiles(self.tree)
        takes = (name for name in _SOCKETS if self._given.outputs[name].is_linked)
        return Marks(self.tree, tuple(takes), tuple(self._set))

    def value(self, name: str) -> Socket | Number:
        """The current input of a socket of the BSDF."""
        return self._set.get(name, self._given.outputs[name])

    def set(self, **inputs) -> None:
        """Set inputs of the BSDF; _ in a name is a space."""
        self._set |= {key.replace("_", " "): value for key, value in inputs.items()}

    def cover(self, mask: Socket, **inputs) -> None:
        """Where the mask is 1, inputs take these values; _ in a name is a space."""
        for key, over in inputs.items():
            under = self.value(key.replace("_", " "))
            mix = self.mix if key.endswith("Color") else self.mix_value
            self.set(**{key: mix(mask, under, over)})

    def rougher(self, mask: Socket, by: float, names=("Roughness", "Coat Roughness")) -> None:
        for name in names:
            higher = self.math("ADD", self.value(name), self.product(mask, by), clamp=True)
            self.set(**{name.replace(" ", "_"): higher})

    def normal(self, name: str = "Normal") -> Socket:
        """The current normal of the material, world frame."""
        if name in self._set or name in self._look.normals:
            return self.value(name)
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

    def darken_emission(self, mask: Socket) -> None:
        """Hide emission where the mask is 1."""
        if self._look.emits or "Emission Strength" in self._set:
            strength = self.value("Emission Strength")
            self.set(Emission_Strength=self.product(self.math("SUBTRACT", 1.0, mask, clamp=True), strength))


def perpendicular(normal: Vector3) -> tuple[Vector3, Vector3]:
    """Two unit directions that make a right-handed frame with a normal along an axis."""
    axis = max(range(3), key=lambda i: abs(normal[i]))
    one, other = [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]
    one[(axis + 1) % 3], other[(axis + 2) % 3] = 1.0, math.copysign(1.0, normal[axis])
    return (one[0], one[1], one[2]), (other[0], other[1], other[2])
