"""Photo: a user's photo as a level surface without edges, at its real size.

It is the surface's colour, continued by its mirror images, so that there is no visible seam. Wear, dust and
stains are in the photo; only water is added.
"""

from __future__ import annotations

import bpy

from blendgen.engine.blender.surfaces.builders import surface_builder
from blendgen.engine.blender.surfaces.meshes import place, plate, quad_mesh
from blendgen.engine.blender.surfaces.shading import Shading, surface_material
from blendgen.engine.blender.surfaces.water import wet
from blendgen.scene.ground import Surface

HALF_SIDE_M = 12.0


@surface_builder("photo")
def build_photo(surface: Surface, photo: bpy.types.Image) -> list[bpy.types.Object]:
    material = surface_material("photo", write_photo, surface)
    nodes = material.node_tree.nodes
    if surface.photo is None:
        raise ValueError("a surface of kind photo needs Surface.photo")
    width_px, height_px = photo.size
    per_m = 1 / surface.photo.width_m
    nodes["photo"].image = photo
    nodes["roughness"].outputs[0].default_value = surface.photo.roughness
    scale = next(one for one in nodes["scale"].inputs if one.identifier == "Vector_001")
    scale.default_value = (per_m, per_m * width_px / height_px, 0.0)
    reach = (-HALF_SIDE_M, HALF_SIDE_M)
    return [place(quad_mesh("photo", *plate(reach, reach, 0.0), material), surface)]


def write_photo(s: Shading) -> None:
    """The photo as colour, tinted; +Y of the surface is up in it."""
    at = s.node("ShaderNodeVectorMath", {"Vector": s.point}, name="scale", operation="MULTIPLY")
    shown = s.node("ShaderNodeTexImage", {"Vector": at.outputs["Vector"]}, name="photo", extension="MIRROR")
    tinted = s.node("ShaderNodeVectorMath", {"Vector": shown.outputs["Color"]}, operation="MULTIPLY")
    s.tree.links.new(s.base, next(one for one in tinted.inputs if one.identifier == "Vector_001"))
    roughness = s.node("ShaderNodeValue", name="roughness").outputs[0]
    color, gloss = wet(s, tinted.outputs["Vector"], 0.3, porous=0.5)
    s.set(Base_Color=color, Roughness=roughness, Specular_IOR_Level=gloss)
