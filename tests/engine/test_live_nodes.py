"""What a shot has none of costs nothing: Cycles drops its nodes. Cycles' rules are stated here once more."""

from __future__ import annotations

import operator

import pytest

pytest.importorskip("bpy")

import bpy

from blendgen.engine.blender.surfaces import build_surface
from blendgen.scene.ground import Surface
from blendgen.scene.kinds.surfaces import SURFACE_KINDS

ALL = [kind.name for kind in SURFACE_KINDS.values() if kind.solid and not kind.shows_photo]
KINDS = [name if name == "backlit_sheet" else pytest.param(name, marks=pytest.mark.slow) for name in ALL]
OPERATIONS = {
    "ADD": operator.add,
    "SUBTRACT": operator.sub,
    "MULTIPLY": operator.mul,
    "DIVIDE": operator.truediv,
    "MULTIPLY_ADD": lambda a, b, c: a * b + c,
    "MINIMUM": min,
    "MAXIMUM": max,
    "POWER": pow,
}
NOTHING = {"wear": 0.0, "dust": 0.0, "stains": 0.0, "wetness": 0.0, "seams": 0.0}
USED = {"wear": 0.5, "dust": 0.4, "stains": 0.3, "wetness": 0.0, "seams": 1.0}


class Folded:
    """The nodes of a material that are computed for each sample, after Cycles has folded constants."""

    def __init__(self, material):
        self._known = {}
        self.live = set()
        for node in material.node_tree.nodes:
            if node.type in ("BSDF_PRINCIPLED", "EMISSION"):
                for socket in node.inputs:
                    self._walk(self.source(socket))

    def source(self, socket):
        """A number, a colour, or the output socket that makes it."""
        if not socket.is_linked:
            return getattr(socket, "default_value", 0.0)
        output = socket.links[0].from_socket
        key = output.node.name, output.identifier
        if key not in self._known:
            self._known[key] = self._fold(output)
        return self._known[key]

    def _fold(self, output):
        node = output.node
        if node.type in ("VALUE", "RGB"):
            return output.default_value
        if node.type == "MATH":
            return self._math(node, output)
        if node.type == "MIX":
            wanted = "Float" if node.data_type == "FLOAT" else "Color"
            sources = {one.identifier: one for one in node.inputs}
            factor = self.source(sources["Factor_Float"])
            if factor in (0.0, 1.0):
                return self.source(sources[f"{'B' if factor else 'A'}_{wanted}"])
        if node.type == "BUMP" and not is_live(self.source(node.inputs["Height"])):
            return 0.0
        return output

    def _math(self, node, output):
        count = 3 if node.operation == "MULTIPLY_ADD" else 2
        values = [self.source(socket) for socket in node.inputs[:count]]
        constant = [value for value in values if not is_live(value)]
        if len(constant) == count and node.operation in OPERATIONS:
            value = OPERATIONS[node.operation](*values)
            return min(max(value, 0.0), 1.0) if node.use_clamp else value
        if node.operation == "MULTIPLY" and 0.0 in constant:
            return 0.0
        neutral = {"MULTIPLY": 1.0, "ADD": 0.0}.get(node.operation)
        if neutral in constant and not node.use_clamp:
            return next(value for value in values if is_live(value))
        return output

    def _walk(self, source):
        if is_live(source) and source.node not in self.live:
            self.live.add(source.node)
            for socket in source.node.inputs:
                self._walk(self.source(socket))


def is_live(source):
    return isinstance(source, bpy.types.NodeSocket)


def folded(kind, amounts):
    place = {"texture_offset_m": (1.2, 3.4), "yaw_deg": 17.0, "width_m": 0.6, "color_srgb": None}
    objects = build_surface(Surface(kind=kind, **place, **amounts))
    material = bpy.data.materials[f"surface.{kind}"]
    nodes = Folded(material)
    bpy.data.batch_remove(objects)
    return nodes


def maps(nodes):
    return {name for name in ("tile.dust", "tile.marks") for node in nodes if node.name.startswith(name)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_clean_surface_reads_no_maps_of_use_and_no_node_computes_a_constant(kind):
    clean, used = folded(kind, NOTHING), folded(kind, USED)
    assert maps(used.live) == {"tile.dust", "tile.marks"}
    assert not maps(clean.live)
    assert len(clean.live) < len(used.live)
    # Cycles folds Math and Mix, but not Map Range
    ramps = [node for node in used.live if node.type == "MAP_RANGE"]
    assert ramps
    assert all(any(is_live(used.source(socket)) for socket in node.inputs) for node in ramps)
    assert not [node.name for node in used.live if node.type == "VECTOR_ROTATE"]
