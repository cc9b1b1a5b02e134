"""Bevel: makes sharp edges look rounded, for CAD models without bevels.

In: materials and a radius. A Bevel shader node bends the normals near edges, so that they reflect light as
real edges do; outline, depth and masks stay exact, and unlike the modifier it does not need a clean mesh.
Normal maps and bumps of a material are applied on top.
"""

from __future__ import annotations

from collections.abc import Iterable

import bpy

from blendgen.engine.blender.importing.textures import trees
from blendgen.engine.blender.shading.nodes import add_node

_SAMPLES = 8
# measured on a cube: the node turns a normal by 22 degrees, half of its maximum, at a quarter of its
# radius from the edge; a round edge of half that radius does so half-way in
_NODE_RADIUS = 2.0
_NORMALS = ("Normal", "Coat Normal")


def round_edges(materials: Iterable[bpy.types.Material], radius_m: float) -> None:
    """Change materials in place; normals that already come from nodes are bent too."""
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
