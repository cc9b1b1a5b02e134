"""Phones: a description -> one mesh object with named material slots.

In: the description as plain data (`Source.options` of a phone). Out: one object called "product" in the
current scene, true size in metres, back up (+Z), top edge towards +Y, bounding box centred in x and y, lowest
point at z = 0, in the colours of the first colourway. Nothing in it is random. Wear, dirt and cracks are
added later.
"""

from __future__ import annotations

import bpy

from blendgen.engine.blender.importing.keypoints import on_surface
from blendgen.engine.blender.phones.body import add_body, body_shape
from blendgen.engine.blender.phones.camera import add_camera
from blendgen.engine.blender.phones.case import add_case
from blendgen.engine.blender.phones.front import add_front
from blendgen.engine.blender.phones.keypoints import phone_keypoints
from blendgen.engine.blender.phones.loft import PhoneMesh
from blendgen.engine.blender.phones.materials import phone_materials
from blendgen.engine.blender.phones.sides import add_sides
from blendgen.models.families.phone_model import Phone
from blendgen.models.families.phones import phone_colorways
from blendgen.models.product import Keypoint


def build_phone(description: dict, in_case: bool = False) -> tuple[bpy.types.Object, tuple[Keypoint, ...]]:
    """The phone as an object, linked to the current scene's collection, and its keypoints.

    in_case: whether to add a case
    raises: pydantic.ValidationError for an invalid description
    """
    phone = Phone.model_validate(description)
    shape = body_shape(phone)
    parts = PhoneMesh()
    add_body(parts, phone, shape)
    add_camera(parts, phone)
    add_front(parts, phone)
    add_sides(parts, phone, shape)
    if in_case:
        add_case(parts, phone, shape)
    mesh, shift_mm = parts.to_mesh("product")
    for material in phone_materials(phone, parts.slots, phone_colorways(phone)[0]):
        mesh.materials.append(material)
    product = bpy.data.objects.new("product", mesh)
    bpy.context.scene.collection.objects.link(product)
    return product, on_surface(product, phone_keypoints(phone, shape, shift_mm))
