"""Shader nodes: the few calls that differ between Blender 4.5 and 5.2, and shortcuts.

Sockets are addressed by name, never by number: 5.2 inserts sockets in the middle.
"""

from __future__ import annotations

import bpy

# property of a material: what it is for wear, GLASS or SCREEN of models/product.py, or RECESSED: too deep for
# abrasion and stickers
KIND_MARK = "blendgen_kind"
RECESSED = "recessed"


def enable_nodes(owner) -> bpy.types.NodeTree:
    """The node tree of a material, world or light; from 5.0 on it is always enabled."""
    if bpy.app.version < (5, 0, 0):
        owner.use_nodes = True
    return owner.node_tree


def new_material(name: str, **principled_values):
    """A material with one Principled BSDF; keywords are socket names with _ instead of a space.

    Colours are scene-linear (r, g, b). Returns (material, node tree, Principled node).
    """
    material = bpy.data.materials.new(name)
    tree = enable_nodes(material)
    principled = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
    for key, value in principled_values.items():
        set_input(principled, key.replace("_", " "), value)
    return material, tree, principled


def set_input(node, name: str, value) -> None:
    """Set a socket's value; a colour may be given as (r, g, b)."""
    socket = node.inputs[name]
    if socket.type == "RGBA" and len(value) == 3:
        value = (*value, 1.0)
    socket.default_value = value


def add_node(tree, kind: str, inputs: dict | None = None, **properties):
    """A node of type `kind`, its properties set, its inputs set by name or linked.

    inputs: socket name -> a value, or an output socket to link from
    """
    node = tree.nodes.new(kind)
    for key, value in properties.items():
        setattr(node, key, value)
    for name, value in (inputs or {}).items():
        if isinstance(value, bpy.types.NodeSocket):
            tree.links.new(value, node.inputs[name])
        else:
            set_input(node, name, value)
    return node


def mix_color(tree, factor, a, b):
    """Output socket of (1 - factor) * a + factor * b; each a value, a colour or an output socket."""
    node = tree.nodes.new("ShaderNodeMix")
    node.data_type = "RGBA"
    wanted = {"Factor_Float": factor, "A_Color": a, "B_Color": b}
    for socket in node.inputs:
        value = wanted.get(socket.identifier)
        if value is None:
            continue
        if isinstance(value, bpy.types.NodeSocket):
            tree.links.new(value, socket)
        else:
            socket.default_value = (*value, 1.0) if socket.type == "RGBA" and len(value) == 3 else value
    return next(socket for socket in node.outputs if socket.identifier == "Result_Color")
