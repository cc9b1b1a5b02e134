"""Backdrop: a photo far behind everything, which only the camera sees and which emits no light.

A plane that fills the frame, in its own light group at unit gain: the exposure makes its white as bright as
white paper in any light. In the Film its depth is infinite; the denoiser treats it as free of noise.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import bpy
import numpy as np
from mathutils import Matrix

from blendgen.engine.blender.session.stage import link_to_scene
from blendgen.engine.blender.shading.nodes import add_node, enable_nodes
from blendgen.geometry.projection import inverse_rigid
from blendgen.scene.ground import Backdrop
from blendgen.scene.shot import BACKDROP_GROUP, Camera

_NAME = "backdrop"
_REST = ("visible_diffuse", "visible_glossy", "visible_transmission", "visible_volume_scatter")


def build_backdrop(backdrop: Backdrop, image: bpy.types.Image, camera: Camera, depth_m: float) -> None:
    """Link the plane to the scene; camera: the pinhole of the render."""
    width, height = camera.resolution
    per_px = depth_m / camera.intrinsics[0][0]
    half = np.array([width / 2 * per_px, -height / 2 * per_px, 1.0])
    plane = bpy.data.objects.new(_NAME, _mesh(_material(backdrop, image, width / height)))
    # the mesh goes from -1 to 1 with y up; the camera's y points down
    local = np.diag([*half, 1.0])
    local[2, 3] = depth_m
    plane.matrix_world = Matrix((inverse_rigid(camera.world_to_camera) @ local).tolist())
    for ray in (*_REST, "visible_shadow"):
        setattr(plane, ray, False)
    plane.lightgroup = BACKDROP_GROUP
    link_to_scene(plane)


@contextmanager
def hidden() -> Iterator[None]:
    """Hide the plane within the block."""
    plane = bpy.context.scene.objects[_NAME]
    plane.hide_render = True
    try:
        yield
    finally:
        plane.hide_render = False


def shown_part(backdrop: Backdrop, frame_aspect: float, photo_aspect: float):
    """((left, bottom), (width, height)) of the part of a photo that fills the frame, as shares of it."""
    width = min(1.0, frame_aspect / photo_aspect) / backdrop.zoom
    height = min(1.0, photo_aspect / frame_aspect) / backdrop.zoom
    x, y = backdrop.offset
    return ((1 - width) * (1 + x) / 2, (1 - height) * (1 + y) / 2), (width, height)


def guides_behind(behind: np.ndarray, radiance_linear, albedo_linear, normal_world) -> None:
    """Make the guides show the picture, which has no noise; behind: (h, w) bool, where it is visible."""
    albedo_linear[behind] = np.minimum(radiance_linear[behind], 1.0)
    normal_world[behind] = 0.0


def _mesh(material: bpy.types.Material) -> bpy.types.Mesh:
    mesh = bpy.data.meshes.new(_NAME)
    mesh.from_pydata([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)], [], [(0, 1, 2, 3)])
    mesh.materials.append(material)
    return mesh


def _material(backdrop: Backdrop, image: bpy.types.Image, frame_aspect: float) -> bpy.types.Material:
    material = bpy.data.materials.get(_NAME) or _new_material()
    nodes = material.node_tree.nodes
    (left, bottom), (width, height) = shown_part(backdrop, frame_aspect, image.size[0] / image.size[1])
    nodes["part"].inputs["Scale"].default_value = (width / 2, height / 2, 1.0)
    nodes["part"].inputs["Location"].default_value = (left + width / 2, bottom + height / 2, 0.0)
    nodes["image"].image = image
    nodes["emission"].inputs["Strength"].default_value = 2.0**backdrop.ev
    return material


def _new_material() -> bpy.types.Material:
    material = bpy.data.materials.new(_NAME)
    tree = enable_nodes(material)
    tree.nodes.clear()
    place = add_node(tree, "ShaderNodeTexCoord").outputs["Object"]
    part = add_node(tree, "ShaderNodeMapping", {"Vector": place}, name="part", vector_type="POINT")
    shown = add_node(tree, "ShaderNodeTexImage", {"Vector": part.outputs["Vector"]}, name="image")
    shown.extension = "EXTEND"
    emission = add_node(tree, "ShaderNodeEmission", {"Color": shown.outputs["Color"]}, name="emission")
    add_node(tree, "ShaderNodeOutputMaterial", {"Surface": emission.outputs[0]})
    material.cycles.emission_sampling = "NONE"
    material.use_fake_user = True
    return material
