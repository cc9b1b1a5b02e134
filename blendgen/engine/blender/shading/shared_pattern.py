"""Shared pattern: a mask that many materials use, as one node group that is built once a session.

In: a graph, a name, a function that builds the mask, and the amount. Out: the mask's socket in the graph.
A node costs half a millisecond; a group costs one node per material.
"""

from __future__ import annotations

from collections.abc import Callable

import bpy

from blendgen.engine.blender.shading.cached_blocks import cached_block
from blendgen.engine.blender.shading.nodes import add_node
from blendgen.engine.blender.shading.shader_graph import Number, ShaderGraph, Socket


class _Inside(ShaderGraph):
    """The nodes of the group: point and amount are its inputs."""

    def __init__(self, tree: bpy.types.NodeTree):
        self.tree = tree
        for name, kind in (("Point", "NodeSocketVector"), ("Amount", "NodeSocketFloat")):
            tree.interface.new_socket(name=name, in_out="INPUT", socket_type=kind)
        tree.interface.new_socket(name="Mask", in_out="OUTPUT", socket_type="NodeSocketFloat")
        given = add_node(tree, "NodeGroupInput")
        self.point, self.amount = given.outputs["Point"], given.outputs["Amount"]
        self.wear = self.dust = self.amount


def shared_pattern(
    graph: ShaderGraph, name: str, amount: Number, write: Callable[[_Inside], Socket]
) -> Socket:
    """The mask at the graph's point; `write` makes it from a graph whose wear, dust and amount are the
    amount."""
    name = f"pattern.{name}"
    tree = cached_block("node_groups", name, write.__module__, lambda: _written(name, write))
    node = graph.node("ShaderNodeGroup", node_tree=tree)
    graph.tree.links.new(graph.point, node.inputs["Point"])
    if isinstance(amount, bpy.types.NodeSocket):
        graph.tree.links.new(amount, node.inputs["Amount"])
    else:
        node.inputs["Amount"].default_value = amount
    return node.outputs["Mask"]


def _written(name: str, write: Callable[[_Inside], Socket]) -> bpy.types.NodeTree:
    tree = bpy.data.node_groups.new(name, "ShaderNodeTree")
    add_node(tree, "NodeGroupOutput", {"Mask": write(_Inside(tree))})
    return tree
