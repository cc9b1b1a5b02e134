"""Lights: the environment and the lamps of a Shot, each in a light group of its own, at unit gain.

Environment images are scaled, each channel by itself, so that a white level patch under them alone
sends radiance (1, 1, 1) (the cosine-weighted mean over the upper half of the image): their colour
on the whole is the Exposure's to choose. Lamps by engine.base.lamp_radiance.
"""

from __future__ import annotations

import math
from functools import cache

import bpy
import numpy as np
from mathutils import Matrix

from blendgen.engine.base import lamp_area_m2, lamp_radiance
from blendgen.engine.blender.nodes import add_node, enable_nodes
from blendgen.shot import ENVIRONMENT_GROUP, Environment, Lamp, lamp_group
from blendgen.wheel import environment_image

_SHAPES = {"area": "SQUARE", "strip": "RECTANGLE", "disk": "DISK"}
WORLD_NAME = "environment"
_IMPORTANCE_MAP_PX = 512


def build_world() -> None:
    """The one World of the session; `set_environment` only changes values in it."""
    world = bpy.data.worlds.new(WORLD_NAME)
    tree = enable_nodes(world)
    tree.nodes.clear()
    coordinates = add_node(tree, "ShaderNodeTexCoord")
    mapping = add_node(tree, "ShaderNodeMapping", {"Vector": coordinates.outputs["Generated"]})
    mapping.name = "turn"
    image = add_node(tree, "ShaderNodeTexEnvironment", {"Vector": mapping.outputs["Vector"]})
    image.name = "image"
    balance = add_node(tree, "ShaderNodeVectorMath", operation="MULTIPLY")
    balance.name = "balance"
    tree.links.new(image.outputs["Color"], balance.inputs[0])
    background = add_node(tree, "ShaderNodeBackground", {"Color": balance.outputs["Vector"]})
    background.name = "background"
    add_node(tree, "ShaderNodeOutputWorld", {"Surface": background.outputs["Background"]})
    world.lightgroup = ENVIRONMENT_GROUP
    # the automatic map is made at 4096 x 2048 for each render, ten times the price of the render
    world.cycles.sampling_method = "MANUAL"
    world.cycles.sample_map_resolution = _IMPORTANCE_MAP_PX
    bpy.context.scene.world = world


def set_environment(environment: Environment) -> None:
    nodes = bpy.data.worlds[WORLD_NAME].node_tree.nodes
    image = _image(environment.image)
    nodes["image"].image = image
    nodes["turn"].inputs["Rotation"].default_value = (0, 0, math.radians(environment.rotation_deg))
    nodes["balance"].inputs[1].default_value = tuple(1 / v for v in _level_radiance(environment.image))


def _image(name: str) -> bpy.types.Image:
    return bpy.data.images.load(str(environment_image(name)), check_existing=True)


@cache
def _level_radiance(name: str) -> tuple[float, float, float]:
    """Linear radiance of a white level patch lit by an equirectangular environment image alone."""
    image = _image(name)
    width, height = image.size
    pixels = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(pixels)
    rgb = pixels.reshape(height, width, image.channels)[..., :3].astype(np.float64)
    elevation = ((np.arange(height) + 0.5) / height - 0.5) * math.pi
    # a row covers cos(elevation) of solid angle, and a level patch sees it at sin(elevation)
    weight = np.cos(elevation) * np.maximum(np.sin(elevation), 0)
    return tuple(float(v) for v in weight @ rgb.mean(axis=1) / weight.sum())


def build_lamps(lamps: tuple[Lamp, ...]) -> list[bpy.types.Object]:
    """One area light a lamp, linked to the scene; not visible to the camera."""
    return [_lamp(lamp, number) for number, lamp in enumerate(lamps)]


def _lamp(lamp: Lamp, number: int) -> bpy.types.Object:
    group = lamp_group(number)
    light = bpy.data.lights.new(group, "AREA")
    light.shape = _SHAPES[lamp.kind]
    light.size, light.size_y = lamp.size_m
    # Cycles: radiance = power / (pi * area); measured with a white plane on 4.5 and 5.2
    light.energy = lamp_radiance(lamp) * math.pi * lamp_area_m2(lamp)
    instance = bpy.data.objects.new(group, light)
    instance.matrix_world = Matrix(lamp.lamp_to_world)
    instance.visible_camera = False
    instance.lightgroup = group
    bpy.context.scene.collection.objects.link(instance)
    return instance
