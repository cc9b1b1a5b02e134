"""Bevel: make the sharp edges of materials look rounded, for CAD models that have no bevels.

In: materials and a radius. A Bevel shader node bends the normals near edges, so that they catch
light as real edges do; outline, depth and masks stay exact, and it needs no mesh in good order as
the modifier does. Normal maps and bumps that a material has are kept on top.
"""

from __future__ import annotations

from collections.abc import Iterable

import bpy

from blendgen.engine.blender.importing.textures import trees
from blendgen.engine.blender.shading.nodes import add_node

_SAMPLES = 8
# measured on a cube: the node turns a normal by 22 degrees, half of what it can, at a quarter of its
# radius from the edge, where a round edge of half that radius would do so half-way in
_NODE_RADIUS = 2.0
_NORMALS = ("Normal", "Coat Normal")


def round_edges(materials: Iterable[bpy.types.Material], radius_m: float) -> None:
    """Change materials in place; a normal that already comes from nodes is bent along."""
    for tree in trees(list(dict.fromkeys(materials))):
        for node in [node for node in tree.nodes if node.type.startswith("BSDF_")]:
            for socket in [node.inputs[name] for name in _NORMALS if name in node.inputs]:
                _bend(tree, socket, radius_m)


def _bend(tree: bpy.types.NodeTree, socket: bpy.types.NodeSocket, radius_m: float) -> None:
    inputs = {"Radius": _NODE_RADIUS * radius_m}
    if socket.is_linked:
        inputs["Normal"] = socket.links[0].from_socket
    bevel = add_node(tree, "ShaderNodeBevel", inputs, samples=_SAMPLES)
    tree.links.new(bevel.outputs["Normal"], socket)
