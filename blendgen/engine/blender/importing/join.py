"""Join: the objects of an imported model in, one mesh object in the product frame out.

The result is what a render of the model at rest shows: modifiers, instances, hidden and render-disabled
objects are resolved; lights, cameras and loose vertices are dropped. The object is called "product"; its
bounding box is centred in x and y, with min z = 0.
"""

from __future__ import annotations

from collections.abc import Iterable

import bmesh
import bpy
import numpy as np
from mathutils import Matrix

from blendgen.engine.blender.importing.importers import ImportRefused
from blendgen.engine.blender.shading.nodes import add_node, new_material

PRODUCT_NAME = "product"
MAX_TRIANGLES = 5_000_000
_MAIN_UV = "UVMap"
_DEFAULT_GREY_LINEAR = (0.6, 0.6, 0.6)


def join_product(objects: Iterable[bpy.types.Object]) -> tuple[bpy.types.Object, np.ndarray]:
    """One object named "product" with all material slots; everything else stays in the file.

    returns: the object, and (3,) metres by which it was moved into the product frame

    raises: ImportRefused if nothing with a surface is left
    """
    originals = set(objects)
    for owner in originals:
        _use_render_modifiers(owner)
    meshes = _shown_meshes(originals)
    _refuse_unusable(meshes)
    solid = [mesh for mesh in meshes if len(mesh.polygons)]
    for mesh in solid:
        _fill_materials(mesh)
        _name_main_uv(mesh)
    product = _joined([bpy.data.objects.new(PRODUCT_NAME, mesh) for mesh in solid])
    _remove_loose(product.data)
    return product, to_product_frame(product)


def _use_render_modifiers(owner: bpy.types.Object) -> None:
    for modifier in owner.modifiers:
        modifier.show_viewport = modifier.show_render
        if modifier.type in {"SUBSURF", "MULTIRES"}:
            modifier.levels = modifier.render_levels


def _shown_meshes(originals: set) -> list[bpy.types.Mesh]:
    """A mesh in world coordinates for each surface or point set that a render shows."""
    depsgraph = bpy.context.evaluated_depsgraph_get()
    meshes = []
    for instance in depsgraph.object_instances:
        owner = instance.parent if instance.is_instance else instance.object
        shown = instance.show_self and not instance.object.original.hide_render
        if owner.original not in originals or owner.original.hide_render or not shown:
            continue
        mesh = _mesh_of(instance.object, depsgraph)
        if mesh is not None:
            apply_transform(mesh, instance.matrix_world.copy())
            meshes.append(((owner.name, instance.object.name), mesh))
    # The depsgraph's own order differs between Blender 4.5 and 5.2.
    return [mesh for _, mesh in sorted(meshes, key=lambda named: named[0])]


def _mesh_of(evaluated: bpy.types.Object, depsgraph) -> bpy.types.Mesh | None:
    if evaluated.type == "POINTCLOUD":
        cloud = bpy.data.meshes.new("points")
        cloud.vertices.add(len(evaluated.data.points))
        return cloud
    if evaluated.type not in {"MESH", "CURVE", "SURFACE", "FONT", "META"}:
        return None
    try:
        mesh = bpy.data.meshes.new_from_object(evaluated, preserve_all_data_layers=True, depsgraph=depsgraph)
    except RuntimeError:  # a curve without thickness or a metaball of another family has no surface
        return None
    _set_materials(
        mesh, [slot.material.original if slot.material else None for slot in evaluated.material_slots]
    )
    return mesh


def _set_materials(mesh: bpy.types.Mesh, materials: list[bpy.types.Material | None]) -> None:
    """Give a mesh the materials of its object's slots; faces keep their slots."""
    slots = np.empty(len(mesh.polygons), dtype=np.int32)
    mesh.polygons.foreach_get("material_index", slots)
    mesh.materials.clear()  # moves every face to the first slot
    for material in materials:
        mesh.materials.append(material)
    mesh.polygons.foreach_set("material_index", slots)


def apply_transform(mesh: bpy.types.Mesh, matrix: Matrix) -> None:
    """Transform a mesh's vertices; faces still face outwards and custom normals stay perpendicular."""
    linear = np.array(matrix.to_3x3())
    determinant = np.linalg.det(linear)
    gram = linear.T @ linear
    similar = determinant > 0 and np.allclose(gram, np.eye(3) * gram[0, 0], atol=1e-5 * gram.max())
    normals = None
    if mesh.has_custom_normals and not similar and determinant != 0:
        normals = _corner_vectors(mesh) @ np.linalg.inv(linear)
        normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
        attribute = mesh.attributes.new("blendgen_normal", "FLOAT_VECTOR", "CORNER")
        attribute.data.foreach_set("vector", normals.astype(np.float32).ravel())
    mesh.transform(matrix)
    if determinant < 0:
        mesh.flip_normals()
    if normals is not None:
        _restore_normals(mesh)


def _corner_vectors(mesh: bpy.types.Mesh) -> np.ndarray:
    vectors = np.empty(len(mesh.loops) * 3, dtype=np.float32)
    mesh.corner_normals.foreach_get("vector", vectors)
    return vectors.reshape(-1, 3).astype(np.float64)


def _restore_normals(mesh: bpy.types.Mesh) -> None:
    """Flipping reverses the corners of each face, so the normals travel as a corner attribute."""
    vectors = np.empty(len(mesh.loops) * 3, dtype=np.float32)
    attribute = mesh.attributes["blendgen_normal"]
    attribute.data.foreach_get("vector", vectors)
    mesh.attributes.remove(attribute)
    mesh.normals_split_custom_set(vectors.reshape(-1, 3))


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


def vertex_positions(mesh: bpy.types.Mesh) -> np.ndarray:
    """(n, 3) float64 coordinates of a mesh in its own frame."""
    positions = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
    mesh.vertices.foreach_get("co", positions)
    return positions.reshape(-1, 3).astype(np.float64)


def _fill_materials(mesh: bpy.types.Mesh) -> None:
    """Fill empty slots with the material "default", which is light grey or shows the vertex colours."""
    if not mesh.materials:
        mesh.materials.append(None)
    for slot, material in enumerate(mesh.materials):
        if material is None:
            mesh.materials[slot] = _default_material(_vertex_colors(mesh))


def _vertex_colors(mesh: bpy.types.Mesh) -> str:
    index = mesh.color_attributes.render_color_index
    return mesh.color_attributes[index].name if 0 <= index < len(mesh.color_attributes) else ""


def _default_material(vertex_colors: str) -> bpy.types.Material:
    mark = f"of {vertex_colors}"
    known = next((m for m in bpy.data.materials if m.get("blendgen_default") == mark), None)
    if known is not None:
        return known
    material, tree, principled = new_material("default", Base_Color=_DEFAULT_GREY_LINEAR, Roughness=0.5)
    material["blendgen_default"] = mark
    if vertex_colors:
        colors = add_node(tree, "ShaderNodeVertexColor", layer_name=vertex_colors)
        tree.links.new(colors.outputs["Color"], principled.inputs["Base Color"])
    return material


def _name_main_uv(mesh: bpy.types.Mesh) -> None:
    """Rename the UV map that renders use, so that joining merges these maps."""
    main = next((layer for layer in mesh.uv_layers if layer.active_render), None)
    if main is None or main.name in {_MAIN_UV, *_uv_names_in_shaders(mesh)}:
        return
    other = mesh.uv_layers.get(_MAIN_UV)
    if other is not None:
        other.name = f"{_MAIN_UV}_other"
    main.name = _MAIN_UV


def _uv_names_in_shaders(mesh: bpy.types.Mesh) -> set[str]:
    trees = [material.node_tree for material in mesh.materials if material and material.node_tree]
    return {node.uv_map for tree in trees for node in tree.nodes if hasattr(node, "uv_map")}


def _joined(parts: list[bpy.types.Object]) -> bpy.types.Object:
    product = parts[0]
    for part in parts:
        bpy.context.scene.collection.objects.link(part)
    if len(parts) > 1:
        with bpy.context.temp_override(
            active_object=product, object=product, selected_objects=parts, selected_editable_objects=parts
        ):
            bpy.ops.object.join()
    main = product.data.uv_layers.get(_MAIN_UV)
    if main is not None:
        main.active_render = True
    with bpy.context.temp_override(active_object=product, object=product, selected_objects=[product]):
        bpy.ops.object.material_slot_remove_unused()
    product.name = product.data.name = PRODUCT_NAME
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
