"""EEVEE: the picture of a shot by rasterisation, one render for each light group.

In: a scene with the objects of a shot. Out: the radiance of each of its light groups. EEVEE has no light
groups, and Python cannot read its result: all lights but those of one group are switched off, and the picture
goes through a file. Everything else in a Film comes from Cycles, whichever engine renders the picture.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy
import numpy as np

from blendgen.engine.base import EngineError
from blendgen.engine.blender.session import backdrop, lights
from blendgen.engine.blender.session.stage import link_to_scene
from blendgen.engine.blender.shading.nodes import add_node, enable_nodes
from blendgen.geometry.color import times_color
from blendgen.scene.shot import (
    BACKDROP_GROUP,
    EMISSION_GROUP,
    ENVIRONMENT_GROUP,
    Environment,
    Shot,
    lamp_group,
)

_OLD, _NEW = "BLENDER_EEVEE_NEXT", "BLENDER_EEVEE"


class Eevee:
    """Renders with the GPU that OpenGL (or Vulkan) finds, or in software without one."""

    def __init__(self, scene: bpy.types.Scene, layer: bpy.types.ViewLayer):
        if bpy.app.version >= (5, 0):  # Mesa's optimiser (LLVM 15) hangs on one of its shaders
            os.environ.setdefault("GALLIVM_PERF", "nopt")
        self._scene, self._layer = scene, layer
        self._file = Path(tempfile.gettempdir()) / f"blendgen-{secrets.token_hex(8)}.exr"
        self._level_gains: dict[str, np.ndarray] = {}
        scene.eevee.use_raytracing = True
        scene.world.sun_threshold = 0.0  # a sun that it extracts from a panorama would be counted twice
        scene.eevee.use_shadows = True
        image = scene.render.image_settings
        image.file_format, image.color_mode, image.color_depth, image.exr_codec = (
            "OPEN_EXR",
            "RGB",
            "32",
            "NONE",
        )
        with self._painting(), _white_level_patch(scene):
            self._picture()
            self.card = _graphics_card()

    def light_groups(self, shot: Shot, samples_per_pixel: int, lit: np.ndarray) -> dict[str, np.ndarray]:
        """Light group -> (h, w, 3) float32 radiance, in the order of Cycles.

        Emission is in every picture, and is subtracted again.
        lit: (h, w) bool, where a surface is visible instead of the environment itself
        """
        self._scene.eevee.taa_render_samples = samples_per_pixel
        with self._painting(), lights.all_off(shot.lamps) as light:
            shining = self._picture()
            groups = {ENVIRONMENT_GROUP: np.zeros_like(shining), EMISSION_GROUP: shining}
            if shot.backdrop is not None:
                with backdrop.hidden():
                    groups[EMISSION_GROUP] = self._picture()
                groups[BACKDROP_GROUP] = _without(shining, groups[EMISSION_GROUP])
            for group in (ENVIRONMENT_GROUP, *map(lamp_group, range(len(shot.lamps)))):
                with light(group):
                    groups[group] = _without(self._picture(), shining)
            with light(ENVIRONMENT_GROUP):
                level = times_color(groups[ENVIRONMENT_GROUP], self._level_gain(shot.environment))
                groups[ENVIRONMENT_GROUP] = np.where(lit[..., None], level, groups[ENVIRONMENT_GROUP])
        return groups

    def _level_gain(self, environment: Environment) -> np.ndarray:
        """(3,) factors that make a white level patch 1 under an environment: EEVEE's own light from panoramas
        is wrong by up to a factor of two. Measured once for each."""
        if environment.image not in self._level_gains:
            with lights.unturned(), _white_level_patch(self._scene):
                patch = self._picture().mean(axis=(0, 1), dtype=np.float64)
            self._level_gains[environment.image] = 1 / np.maximum(patch, 1e-3)
        return self._level_gains[environment.image]

    @contextmanager
    def _painting(self) -> Iterator[None]:
        """Use EEVEE instead of Cycles, with its one layer, within the block."""
        others = [layer for layer in self._scene.view_layers if layer != self._layer and layer.use]
        for layer in others:
            layer.use = False
        self._scene.render.engine = _OLD if bpy.app.version < (5, 0) else _NEW
        try:
            yield
        finally:
            self._scene.render.engine = "CYCLES"
            for layer in others:
                layer.use = True

    def _picture(self) -> np.ndarray:
        self._scene.render.filepath = str(self._file)
        try:
            bpy.ops.render.render(write_still=True)
            return _read(self._file)
        except RuntimeError as error:
            raise EngineError(f"EEVEE could not render: {str(error).strip()}") from None
        finally:
            self._file.unlink(missing_ok=True)


def _graphics_card() -> str:
    """The renderer of OpenGL; known after the first picture."""
    import gpu

    try:
        return gpu.platform.renderer_get()
    except SystemError:  # without a context
        return "unknown"


@contextmanager
def _white_level_patch(scene: bpy.types.Scene) -> Iterator[None]:
    """A white plane, seen from above, instead of the shot, within the block."""
    standing = [instance for instance in scene.objects if not instance.hide_render]
    camera, resolution = scene.camera, (scene.render.resolution_x, scene.render.resolution_y)
    mesh, eye = bpy.data.meshes.new("level"), bpy.data.cameras.new("level")
    mesh.from_pydata([(-9, -9, 0), (9, -9, 0), (9, 9, 0), (-9, 9, 0)], [], [(0, 1, 2, 3)])
    material = bpy.data.materials.new("level")
    tree = enable_nodes(material)
    tree.nodes.clear()
    white = add_node(tree, "ShaderNodeBsdfDiffuse", {"Color": (1, 1, 1)})
    add_node(tree, "ShaderNodeOutputMaterial", {"Surface": white.outputs[0]})
    mesh.materials.append(material)
    patch, above = bpy.data.objects.new("level patch", mesh), bpy.data.objects.new("above", eye)
    above.location = (0, 0, 1)
    for instance in standing:
        instance.hide_render = True
    for instance in (patch, above):
        link_to_scene(instance)
    scene.camera = above
    scene.render.resolution_x = scene.render.resolution_y = 16
    try:
        yield
    finally:
        scene.camera = camera
        scene.render.resolution_x, scene.render.resolution_y = resolution
        for block, room in ((mesh, bpy.data.meshes), (eye, bpy.data.cameras), (material, bpy.data.materials)):
            room.remove(block)
        for instance in standing:
            instance.hide_render = False


def _without(picture: np.ndarray, shining: np.ndarray) -> np.ndarray:
    return np.maximum(picture - shining, np.float32(0))


def _read(path: Path) -> np.ndarray:
    """(h, w, 3) float32, top row first."""
    image = bpy.data.images.load(str(path))
    try:
        width, height = image.size
        flat = np.empty(width * height * image.channels, np.float32)
        image.pixels.foreach_get(flat)
        picture = flat.reshape(height, width, image.channels)[::-1, :, :3]
    finally:
        bpy.data.images.remove(image)
    return np.ascontiguousarray(picture)
