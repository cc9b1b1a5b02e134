"""Meshes: what the camera can meet in the open scene, and in a cached asset, as plain triangles.

Triangles are those that Cycles renders: evaluated meshes, polygons triangulated as Blender does it. Lights
and meshes that are invisible to the camera are left out, and the backdrop, because it has no depth in a Film.
"""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import numpy as np

from blendgen.engine.blender.importing.join import vertex_positions
from blendgen.engine.blender.session.stage import evaluated
from blendgen.geometry.mesh import Mesh
from blendgen.models.product import Product
from blendgen.scene.shot import BACKDROP_GROUP

# vertices, triangles and slots of a Mesh
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


def scene_meshes(layer: bpy.types.ViewLayer) -> list[Mesh]:
    """The meshes of a view layer, first the products and everything that moves with them, then the set."""
    depsgraph = evaluated(layer)
    shown = (one for one in layer.objects if one.type == "MESH" and one.visible_camera)
    known: dict[int, Arrays] = {}  # a belt repeats one mesh many times
    meshes = []
    for one in shown:
        if one.lightgroup != BACKDROP_GROUP:
            instance = one.evaluated_get(depsgraph)
            key = instance.data.as_pointer()
            if key not in known:
                known[key] = _arrays(instance.data)
            meshes.append(_mesh(one.name, instance, known[key]))
    return meshes


def asset_mesh(product: Product) -> Mesh:
    """The mesh of a cached asset in the product frame; it is read and removed from Blender again."""
    before = all_blocks()
    with bpy.data.libraries.load(str(product.asset_path), link=False) as (_, into):
        into.objects = ["product"]
    try:
        return _mesh(product.name, into.objects[0], _arrays(into.objects[0].data))
    finally:
        bpy.data.batch_remove(all_blocks() - before)


def all_blocks() -> set[bpy.types.ID]:
    """All data blocks of the open file."""
    return set(bpy.data.user_map())


def _arrays(mesh: bpy.types.Mesh) -> Arrays:
    mesh.calc_loop_triangles()
    count = len(mesh.loop_triangles)
    corners, slots = np.empty(3 * count, np.int32), np.empty(count, np.int32)
    mesh.loop_triangles.foreach_get("vertices", corners)
    mesh.loop_triangles.foreach_get("material_index", slots)
    return vertex_positions(mesh), corners.reshape(-1, 3), slots


def _mesh(name: str, instance: bpy.types.Object, arrays: Arrays) -> Mesh:
    materials = (slot.material for slot in instance.material_slots)
    see_through = frozenset(slot for slot, one in enumerate(materials) if may_be_seen_through(one))
    return Mesh(name, *arrays, see_through, np.array(instance.matrix_world))


def may_be_seen_through(material: bpy.types.Material | None) -> bool:
    """Whether its alpha may be less than 1 for a camera ray. Glass does not count: rays hit it."""
    if material is None or material.node_tree is None:
        return False
    for node in _nodes(material.node_tree):
        if node.type == "BSDF_PRINCIPLED":
            alpha = node.inputs["Alpha"]
            if alpha.is_linked or alpha.default_value < 1:
                return True
        if node.type == "BSDF_TRANSPARENT" and not _for_other_rays(node):
            return True
    return False


def _nodes(tree: bpy.types.NodeTree) -> Iterator[bpy.types.Node]:
    for node in tree.nodes:
        yield node
        if node.type == "GROUP" and node.node_tree is not None:
            yield from _nodes(node.node_tree)


def _for_other_rays(node: bpy.types.Node) -> bool:
    """Whether it is mixed in only for other rays than the camera's, as in blendgen's own materials."""
    mixes = [link.to_node for link in node.outputs["BSDF"].links]
    return all(mix.type == "MIX_SHADER" and _by_kind_of_ray(mix.inputs["Fac"]) for mix in mixes)


def _by_kind_of_ray(factor: bpy.types.NodeSocket) -> bool:
    return [link.from_node.type for link in factor.links] == ["LIGHT_PATH"]
