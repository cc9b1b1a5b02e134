"""Lights: the environment and the lamps of a Shot, each in its own light group, at unit gain.

Each channel of an environment image is divided by its cosine-weighted mean over the upper half, so that a
white level patch under it alone has radiance 1 in each channel: the overall colour is up to the Exposure.
Lamps follow engine.base.lamp_radiance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

from blendgen.engine.base import EngineError, lamp_area_m2, lamp_radiance
from blendgen.engine.blender.session.stage import link_to_scene
from blendgen.engine.blender.shading.nodes import add_node, enable_nodes
from blendgen.scene.kinds.environments import ENVIRONMENTS
from blendgen.scene.kinds.lamps import LAMP_KINDS
from blendgen.scene.openings import BAR
from blendgen.scene.shot import ENVIRONMENT_GROUP, Environment, Lamp, lamp_group
from blendgen.system.wheel import environment_image

_SHAPES = {"rectangle": "RECTANGLE", "disk": "DISK"}
WORLD_NAME = "environment"
_IMPORTANCE_MAP_PX = 512
_IN_MEMORY_PX = 2**20  # 16 MB
_RING_SEGMENTS = 48
# light with this spread, brightest along its axis, has edges as soft as that of an even disk
_SPREAD_OF_SUN = math.sqrt(5 / 3)


def build_world() -> None:
    """The one World of the session; `set_environment` only changes values in it."""
    for of_earlier_session in (_image, _level_radiance):
        of_earlier_session.cache_clear()  # its files may have changed
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
    # the automatic map would have 4096 x 2048 pixels and take ten times as long as the render
    world.cycles.sampling_method = "MANUAL"
    world.cycles.sample_map_resolution = _IMPORTANCE_MAP_PX
    bpy.context.scene.world = world


def set_environment(environment: Environment, files: Mapping[str, Path]) -> None:
    """files: the user's panoramas, by the names that an Environment may give"""
    nodes = bpy.data.worlds[WORLD_NAME].node_tree.nodes
    name = str(files.get(environment.image, environment.image))
    image = _image(name)
    nodes["image"].image = image
    nodes["turn"].inputs["Rotation"].default_value = (0, 0, math.radians(environment.rotation_deg))
    nodes["balance"].inputs[1].default_value = tuple(1 / v for v in _level_radiance(name))


@cache
def _image(name: str) -> bpy.types.Image:
    """The panorama of a built-in environment, or of the file at a path; read once a session."""
    built_in = ENVIRONMENTS.get(name)
    if built_in is not None and built_in.panorama is None:
        return _white_image(name)
    panorama = None if built_in is None else built_in.panorama
    path = Path(name) if panorama is None else environment_image(panorama)
    try:
        image = bpy.data.images.load(str(path), check_existing=True)
    except RuntimeError as error:
        raise EngineError(f"{path}: cannot be read as a panorama: {error}") from None
    if image.size[0] == 0:
        raise EngineError(f"{path}: cannot be read as a panorama")
    return _in_memory(image)


def _in_memory(image: bpy.types.Image) -> bpy.types.Image:
    """The image without its file, which Cycles would decode for each render; large ones stay as they are."""
    width, height = image.size
    if not image.is_float or image.channels != 4 or width * height > _IN_MEMORY_PX:
        return image
    pixels = np.empty((height, width, 4), np.float32)
    image.pixels.foreach_get(pixels.ravel())
    if (pixels[..., 3] != 1).any():
        return image
    copy = bpy.data.images.new(image.name, width, height, float_buffer=True)
    copy.colorspace_settings.name = image.colorspace_settings.name
    copy.pixels.foreach_set(pixels.ravel())
    copy.update()
    bpy.data.images.remove(image)
    return copy


def _white_image(name: str) -> bpy.types.Image:
    image = bpy.data.images.new(name, 8, 4, float_buffer=True)
    image.pixels.foreach_set(np.ones(8 * 4 * 4, np.float32))
    image.update()
    return image


@cache
def _level_radiance(name: str) -> tuple[float, float, float]:
    """Linear radiance of a white level patch lit by an equirectangular environment image alone."""
    image = _image(name)
    width, height = image.size
    pixels = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(pixels)
    rgb = pixels.reshape(height, width, image.channels)[..., :3].astype(np.float64)
    elevation = ((np.arange(height) + 0.5) / height - 0.5) * math.pi
    # the solid angle of a row is proportional to cos(elevation); a level patch sees it at sin(elevation)
    weight = np.cos(elevation) * np.maximum(np.sin(elevation), 0)
    with np.errstate(invalid="ignore"):
        level = weight @ rgb.mean(axis=1) / weight.sum()
    if not (np.isfinite(level) & (level > 0)).all():
        raise EngineError(
            f"{name}: cannot light a scene: the upper half of a panorama must have light in all three "
            "channels and no infinite values"
        )
    red, green, blue = map(float, level)
    return red, green, blue


def build_lamps(lamps: tuple[Lamp, ...]) -> None:
    """Link a light, or an emissive mesh, for each lamp to the scene."""
    for number, lamp in enumerate(lamps):
        group = lamp_group(number)
        instance = bpy.data.objects.new(group, _light(lamp, group))
        instance.matrix_world = Matrix(lamp.lamp_to_world)
        instance.visible_camera = lamp.visible
        instance.lightgroup = group
        link_to_scene(instance)


@contextmanager
def all_off(lamps: tuple[Lamp, ...]) -> Iterator[Callable[[str], AbstractContextManager[None]]]:
    """Switch off all lights of a shot; yields a function that switches those of one group on for a while."""
    strength = bpy.data.worlds[WORLD_NAME].node_tree.nodes["background"].inputs["Strength"]
    objects = bpy.context.scene.objects

    def switch(group: str, on: bool) -> None:
        if group == ENVIRONMENT_GROUP:
            strength.default_value = float(on)
        else:
            objects[group].hide_render = not on

    @contextmanager
    def light(group: str) -> Iterator[None]:
        switch(group, True)
        try:
            yield
        finally:
            switch(group, False)

    groups = (ENVIRONMENT_GROUP, *map(lamp_group, range(len(lamps))))
    for group in groups:
        switch(group, False)
    try:
        yield light
    finally:
        for group in groups:
            switch(group, True)


@contextmanager
def unturned() -> Iterator[None]:
    """The environment without its rotation, within the block."""
    rotation = bpy.data.worlds[WORLD_NAME].node_tree.nodes["turn"].inputs["Rotation"]
    before, rotation.default_value = tuple(rotation.default_value), (0, 0, 0)
    try:
        yield
    finally:
        rotation.default_value = before


def _light(lamp: Lamp, name: str) -> bpy.types.Light | bpy.types.Mesh:
    """A light, or an emissive mesh."""
    kind = LAMP_KINDS[lamp.kind]
    if kind.panes:
        return _opening(lamp, name)
    if kind.sunlight:
        return _sun(lamp, name)
    return _ring(lamp, name) if kind.face == "ring" else _area(lamp, name)


def _sun(lamp: Lamp, name: str) -> bpy.types.Light:
    sun = bpy.data.lights.new(name, "SUN")
    sun.angle, sun.energy = math.radians(lamp.angle_deg), math.pi
    return sun


def _opening(lamp: Lamp, name: str) -> bpy.types.Light:
    """A rectangle that emits only within the angle of the sun: outside of its beam it is dark."""
    opening = bpy.data.lights.new(name, "AREA")
    opening.shape = "RECTANGLE"
    opening.size, opening.size_y = lamp.size_m
    opening.spread = math.radians(lamp.angle_deg * _SPREAD_OF_SUN)
    # in Cycles the spread does not change the power: inside the beam the irradiance is power / area
    opening.energy = math.pi * lamp.size_m[0] * lamp.size_m[1]
    if LAMP_KINDS[lamp.kind].panes > 1:
        _set_bars(enable_nodes(opening), LAMP_KINDS[lamp.kind].panes)
    return opening


def _set_bars(tree: bpy.types.NodeTree, panes: int) -> None:
    """Let a light emit from its panes only; one light with bars has less noise than several panes."""
    tree.nodes.clear()
    place = add_node(tree, "ShaderNodeSeparateXYZ")
    tree.links.new(add_node(tree, "ShaderNodeNewGeometry").outputs["Parametric"], place.inputs[0])
    in_panes = []
    for axis in ("X", "Y"):
        counted = add_node(tree, "ShaderNodeMath", operation="MULTIPLY")
        tree.links.new(place.outputs[axis], counted.inputs[0])
        counted.inputs[1].default_value = (panes + (panes - 1) * BAR) / (1 + BAR)
        within = add_node(tree, "ShaderNodeMath", operation="FRACT")
        tree.links.new(counted.outputs[0], within.inputs[0])
        pane = add_node(tree, "ShaderNodeMath", operation="LESS_THAN")
        tree.links.new(within.outputs[0], pane.inputs[0])
        pane.inputs[1].default_value = 1 / (1 + BAR)
        in_panes.append(pane.outputs[0])
    both = add_node(tree, "ShaderNodeMath", operation="MULTIPLY")
    for socket, output in zip(both.inputs, in_panes, strict=False):
        tree.links.new(output, socket)
    emission = add_node(tree, "ShaderNodeEmission", {"Strength": both.outputs[0]})
    add_node(tree, "ShaderNodeOutputLight", {"Surface": emission.outputs[0]})


def _area(lamp: Lamp, name: str) -> bpy.types.Light:
    light = bpy.data.lights.new(name, "AREA")
    light.shape = _SHAPES[LAMP_KINDS[lamp.kind].face]
    light.size, light.size_y = lamp.size_m
    # Cycles: radiance = power / (pi * area); measured with a white plane on 4.5 and 5.2
    light.energy = lamp_radiance(lamp) * math.pi * lamp_area_m2(lamp)
    return light


def _ring(lamp: Lamp, name: str) -> bpy.types.Mesh:
    """A flat ring that emits along -Z only."""
    angle = np.arange(_RING_SEGMENTS) * (2 * math.pi / _RING_SEGMENTS)
    circle = np.column_stack([np.cos(angle), np.sin(angle), np.zeros(_RING_SEGMENTS)])
    outer, inner = (circle * side / 2 for side in lamp.size_m)
    near = np.arange(_RING_SEGMENTS)
    following = np.roll(near, -1)
    # counter-clockwise seen from below, the emitting side
    quads = np.column_stack([near, near + _RING_SEGMENTS, following + _RING_SEGMENTS, following])
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(np.concatenate([outer, inner]).tolist(), [], quads.tolist())
    mesh.materials.append(_glow(f"{name}.glow", lamp_radiance(lamp)))
    return mesh


def _glow(name: str, radiance: float) -> bpy.types.Material:
    """Emission from the front of faces; reused by name, so that materials do not accumulate."""
    material = bpy.data.materials.get(name)
    if material is None:
        material = bpy.data.materials.new(name)
        tree = enable_nodes(material)
        tree.nodes.clear()
        geometry, front = add_node(tree, "ShaderNodeNewGeometry"), add_node(tree, "ShaderNodeMath")
        front.operation = "SUBTRACT"
        front.inputs[0].default_value = 1.0
        tree.links.new(geometry.outputs["Backfacing"], front.inputs[1])
        strength = add_node(tree, "ShaderNodeMath", operation="MULTIPLY")
        strength.name = "strength"
        tree.links.new(front.outputs[0], strength.inputs[0])
        emission = add_node(tree, "ShaderNodeEmission", {"Strength": strength.outputs[0]})
        add_node(tree, "ShaderNodeOutputMaterial", {"Surface": emission.outputs[0]})
        material.use_fake_user = True
    material.node_tree.nodes["strength"].inputs[1].default_value = radiance
    return material
