"""Shapes: boxes and spheres of exactly known form, for tests and the conformance of engines."""

from __future__ import annotations

from typing import Any

import bmesh
import bpy

from blendgen.color import hex_to_linear
from blendgen.engine.blender.join import PRODUCT_NAME, to_product_frame
from blendgen.engine.blender.nodes import new_material

SHAPES = ("box", "sphere")
# 1 - cos(pi / 96) = 0.05 % of the radius is lost between two meridians.
_SPHERE_MERIDIANS = 96
_SPHERE_PARALLELS = 48


def build_shape(options: dict[str, Any]) -> bpy.types.Object:
    """A box (sharp) or sphere (smooth) called "product", its one material slot called "body".

    options: {"shape", "size_m": [x, y, z], "base_color_srgb": "#rrggbb"}
    raises: ValueError for an unknown shape
    """
    if options["shape"] not in SHAPES:
        raise ValueError(f"shape is one of {', '.join(SHAPES)}, got {options['shape']!r}")
    mesh = bpy.data.meshes.new(PRODUCT_NAME)
    _fill(mesh, options["shape"], options["size_m"])
    color = hex_to_linear(options.get("base_color_srgb") or "#b0b0b0")
    mesh.materials.append(new_material("body", Base_Color=color, Roughness=0.5)[0])
    product = bpy.data.objects.new(PRODUCT_NAME, mesh)
    bpy.context.scene.collection.objects.link(product)
    to_product_frame(product)
    return product


def _fill(mesh: bpy.types.Mesh, shape: str, size_m) -> None:
    editable = bmesh.new()
    if shape == "box":
        bmesh.ops.create_cube(editable, size=1.0)
    else:
        bmesh.ops.create_uvsphere(
            editable, u_segments=_SPHERE_MERIDIANS, v_segments=_SPHERE_PARALLELS, radius=0.5
        )
    bmesh.ops.scale(editable, vec=tuple(size_m), verts=editable.verts)
    editable.to_mesh(mesh)
    editable.free()
    if shape == "sphere":
        mesh.shade_smooth()
