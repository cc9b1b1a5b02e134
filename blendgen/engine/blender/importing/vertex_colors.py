"""Vertex colours: shows the colours that an OBJ, PLY or STL file states for its vertices or faces.

Blender's importers read the colours of vertices of OBJ and PLY files as display-encoded (sRGB) and store them
scene-linear; those made here are alike. A material without a texture shows them, unless all vertices of its
faces have the same one: exporters write white, or a grey, for every vertex.
"""

from __future__ import annotations

from collections.abc import Iterable

import bpy
import numpy as np

from blendgen.engine.blender.shading.nodes import add_node
from blendgen.geometry.color import linear_to_srgb, srgb_to_linear

_BYTE = 255.0
_LARGEST = (1.0, _BYTE, 65_535.0)  # of the values of a file
_SAME = 1e-3


def complete_obj_colors(objects: Iterable[bpy.types.Object]) -> None:
    """Scale colours of 0 to 255, and show the colours of vertices in materials that have no texture."""
    for mesh in [owner.data for owner in objects if owner.type == "MESH"]:
        if mesh.color_attributes:
            scale_colors(mesh)
            _show_in_materials(mesh)


def add_colors(mesh: bpy.types.Mesh, domain: str, values: np.ndarray, largest: float | None = None) -> None:
    """Give a mesh colours, which "default", the material of a mesh without one, shows.

    domain: "POINT" or "CORNER"
    values: (n, 3), display-encoded, as in the file; largest: the value of white; None: as the values suggest
    """
    rgba = np.ones((len(values), 4), dtype=np.float32)
    rgba[:, :3] = srgb_to_linear(values / (largest or _largest(values)))
    attribute = mesh.color_attributes.new("Col", "FLOAT_COLOR", domain)
    attribute.data.foreach_set("color", rgba.ravel())
    mesh.color_attributes.render_color_index = mesh.color_attributes.find(attribute.name)


def _largest(values: np.ndarray) -> float:
    """What the values of a file reach at most; a little more than 1 is a rounded 1."""
    top = float(values.max(initial=0.0))
    return next((largest for largest in _LARGEST if top <= 1.01 * largest), top)


def scale_colors(mesh: bpy.types.Mesh, white: float = 1.0) -> None:
    """Bring colours into the range that their file means, most often 0 to 255.

    white: the value of the file that Blender has taken for white, of integers the largest of their type
    """
    attribute = mesh.color_attributes[0]
    rgba = _colors(attribute)
    values = linear_to_srgb(rgba[:, :3]) * white
    largest = _largest(values)
    if largest > 1 if white == 1 else largest == _BYTE and white > _BYTE:
        rgba[:, :3] = srgb_to_linear(values / largest)
        attribute.data.foreach_set("color", rgba.ravel())


def _colors(attribute: bpy.types.Attribute) -> np.ndarray:
    rgba = np.empty(len(attribute.data) * 4, dtype=np.float32)
    attribute.data.foreach_get("color", rgba)
    return rgba.reshape(-1, 4)


def _show_in_materials(mesh: bpy.types.Mesh) -> None:
    attribute = mesh.color_attributes[0]
    rgba = _colors(attribute)
    vertices = np.empty(len(mesh.loops), dtype=np.int32)
    mesh.loops.foreach_get("vertex_index", vertices)
    slots, sizes = (np.empty(len(mesh.polygons), dtype=np.int32) for _ in range(2))
    mesh.polygons.foreach_get("material_index", slots)
    mesh.polygons.foreach_get("loop_total", sizes)
    slot_of_corner = np.repeat(slots, sizes)
    for slot, material in enumerate(mesh.materials):
        used = rgba[vertices[slot_of_corner == slot], :3]
        if material is not None and len(used) and np.ptp(used, axis=0).max() > _SAME:
            _show(material, attribute.name)


def _show(material: bpy.types.Material, layer_name: str) -> None:
    """Let a material without a texture of its colour show a colour attribute."""
    tree = material.node_tree
    principled = next((node for node in tree.nodes if node.type == "BSDF_PRINCIPLED"), None)
    if principled is not None and not principled.inputs["Base Color"].is_linked:
        colors = add_node(tree, "ShaderNodeVertexColor", layer_name=layer_name)
        tree.links.new(colors.outputs["Color"], principled.inputs["Base Color"])
