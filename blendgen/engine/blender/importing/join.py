"""Join: the meshes of an imported model in, one mesh object in the product frame out.

Loose vertices are dropped. The object is called "product"; its bounding box is centred in x and y, with
min z = 0.
"""

from __future__ import annotations

import bmesh
import bpy
import numpy as np
from mathutils import Matrix

from blendgen.engine.blender.importing.coordinates.origin import lost_precision
from blendgen.engine.blender.importing.layers import name_layers
from blendgen.engine.blender.importing.preflight import ImportRefused
from blendgen.engine.blender.shading.nodes import add_node, new_material
from blendgen.geometry.color import PLAIN_GREY_LINEAR

PRODUCT_NAME = "product"
MAX_TRIANGLES = 5_000_000


def join_product(meshes: list[bpy.types.Mesh]) -> tuple[bpy.types.Object, np.ndarray]:
    """One object named "product" with all material slots; everything else stays in the file.

    meshes: in world coordinates
    returns: the object, and (3,) metres by which it was moved into the product frame

    raises: ImportRefused if nothing with a surface is left
    """
    _refuse_unusable(meshes)
    solid = [mesh for mesh in meshes if len(mesh.polygons)]
    main_uv = name_layers(solid)
    _fill_materials(solid)
    product = _joined([bpy.data.objects.new(PRODUCT_NAME, mesh) for mesh in solid], main_uv)
    _remove_loose(product.data)
    points = vertex_positions(product.data)
    fault = lost_precision(points, points, "m")
    if fault:
        raise ImportRefused(fault)
    return product, to_product_frame(product)


def _refuse_unusable(meshes: list[bpy.types.Mesh]) -> None:
    vertices = sum(len(mesh.vertices) for mesh in meshes)
    edges = sum(len(mesh.edges) for mesh in meshes)
    triangles = sum(len(mesh.loops) - 2 * len(mesh.polygons) for mesh in meshes)
    if vertices == 0:
        raise ImportRefused("no geometry that a render shows")
    if triangles == 0 and edges:
        raise ImportRefused(f"only edges: {vertices} vertices, {edges} edges, no faces")
    if triangles == 0:
        raise ImportRefused(f"a point cloud: {vertices} vertices, no faces")
    if triangles > MAX_TRIANGLES:
        raise ImportRefused(f"{triangles:,} triangles, more than {MAX_TRIANGLES:,}; decimate the model")
    if not all(np.isfinite(vertex_positions(mesh)).all() for mesh in meshes):
        raise ImportRefused("coordinates that are not finite numbers (NaN or infinity)")


def vertex_box(mesh: bpy.types.Mesh) -> np.ndarray:
    """(2, 3) lowest and highest coordinates of a mesh in its own frame; zeros without vertices."""
    positions = vertex_positions(mesh)
    return np.stack([positions.min(axis=0), positions.max(axis=0)]) if len(positions) else np.zeros((2, 3))


def vertex_positions(mesh: bpy.types.Mesh) -> np.ndarray:
    """(n, 3) float64 coordinates of a mesh in its own frame."""
    positions = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
    mesh.vertices.foreach_get("co", positions)
    return positions.reshape(-1, 3).astype(np.float64)


def _fill_materials(meshes: list[bpy.types.Mesh]) -> None:
    """Fill empty slots with the material "default", which is light grey or shows the vertex colours."""
    defaults: dict[str, bpy.types.Material] = {}  # by vertex colours
    for mesh in meshes:
        if not mesh.materials:
            mesh.materials.append(None)
        for slot in [slot for slot, material in enumerate(mesh.materials) if material is None]:
            colors = _vertex_colors(mesh)
            if colors not in defaults:
                defaults[colors] = _default_material(colors)
            mesh.materials[slot] = defaults[colors]


def _vertex_colors(mesh: bpy.types.Mesh) -> str:
    index = mesh.color_attributes.render_color_index
    return mesh.color_attributes[index].name if 0 <= index < len(mesh.color_attributes) else ""


def _default_material(vertex_colors: str) -> bpy.types.Material:
    material, tree, principled = new_material("default", Base_Color=PLAIN_GREY_LINEAR, Roughness=0.5)
    if vertex_colors:
        colors = add_node(tree, "ShaderNodeVertexColor", layer_name=vertex_colors)
        tree.links.new(colors.outputs["Color"], principled.inputs["Base Color"])
    return material


def _joined(parts: list[bpy.types.Object], main_uv: str) -> bpy.types.Object:
    product = parts[0]
    for part in parts:
        bpy.context.scene.collection.objects.link(part)
    if len(parts) > 1:
        with bpy.context.temp_override(
            active_object=product, object=product, selected_objects=parts, selected_editable_objects=parts
        ):
            bpy.ops.object.join()
    main = product.data.uv_layers.get(main_uv)
    if main is not None:
        main.active_render = True
    with bpy.context.temp_override(active_object=product, object=product, selected_objects=[product]):
        bpy.ops.object.material_slot_remove_unused()
    for blocks, own in ((bpy.data.objects, product), (bpy.data.meshes, product.data)):
        if PRODUCT_NAME in blocks:  # one of the file's
            blocks[PRODUCT_NAME].name = f"{PRODUCT_NAME} of the file"
        own.name = PRODUCT_NAME
    return product


def _remove_loose(mesh: bpy.types.Mesh) -> None:
    """Delete vertices and edges that belong to no face."""
    corners = np.empty(len(mesh.loops), dtype=np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    edges = np.empty(len(mesh.loops), dtype=np.int32)
    mesh.loops.foreach_get("edge_index", edges)
    if len(np.unique(corners)) == len(mesh.vertices) and len(np.unique(edges)) == len(mesh.edges):
        return
    editable = bmesh.new()
    editable.from_mesh(mesh)
    bmesh.ops.delete(editable, geom=[e for e in editable.edges if not e.link_faces], context="EDGES")
    bmesh.ops.delete(editable, geom=[v for v in editable.verts if not v.link_faces], context="VERTS")
    editable.to_mesh(mesh)
    editable.free()


def to_product_frame(product: bpy.types.Object) -> np.ndarray:
    """Move the mesh so that its box is centred on x = y = 0 and starts at z = 0; returns the move, (3,)."""
    positions = vertex_positions(product.data)
    low, high = positions.min(axis=0), positions.max(axis=0)
    middle = (low + high) / 2
    move = -np.array([middle[0], middle[1], low[2]])
    product.data.transform(Matrix.Translation(move))
    product.data.update()
    return move
