"""BlenderEngine: one Blender process that renders Shot after Shot with Cycles.

In: a Catalog and RenderSettings once, then Shots. Out: Films. Meshes and materials stay loaded from shot to
shot; objects and lamps are created for each shot and removed after it, in a fixed order and with fixed names,
so that a shot never depends on what was rendered before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import bpy
import numpy as np
from mathutils import Matrix

from blendgen.engine.base import EngineError, PinholeEngine
from blendgen.engine.blender.session import amodal, backdrop, capture, lights
from blendgen.engine.blender.session.devices import require_device, use_device
from blendgen.engine.blender.session.eevee import Eevee
from blendgen.engine.blender.session.label_passes import LabelPasses
from blendgen.engine.blender.session.meshes import scene_meshes
from blendgen.engine.blender.session.models import Models, outline_names
from blendgen.engine.blender.session.pictures import Pictures
from blendgen.engine.blender.session.stage import clear, exclude_outlines, link_to_scene, show_nothing
from blendgen.engine.blender.shading.tile_images import set_detail
from blendgen.engine.blender.surfaces import build_surface
from blendgen.engine.blender.surfaces.containers import build_container
from blendgen.engine.device import CPU, Device
from blendgen.geometry.mesh import Mesh
from blendgen.geometry.projection import inverse_rigid
from blendgen.models.product import Catalog
from blendgen.models.watched import picture_states
from blendgen.scene.condition import Condition
from blendgen.scene.film import Film
from blendgen.scene.shot import BACKDROP_GROUP, EMISSION_GROUP, ENVIRONMENT_GROUP, Camera, Shot, lamp_group
from blendgen.spec.output import Output
from blendgen.spec.render import RenderSettings

_PICTURE_LAYER = "picture"
_NOTHING_MORE = Output()
_UNUSED = frozenset(
    {"Combined", "Noisy Image", "Denoising Depth", "Denoising Roughness", "Denoising Specular Albedo"}
)
_BACKGROUND_DEPTH_M = 1e9
_STILL_INDEX = 30000  # pass index of occluders, far above any instance id
_NEAREST, _FARTHEST_M = 1e-3, 1000.0
_CLAMP_DIRECT, _CLAMP_INDIRECT = 40.0, 6.0
# OpenCV camera -> Blender's camera, which looks along -Z with +Y up
_FLIP = Matrix.Diagonal((1.0, -1.0, -1.0, 1.0))


class BlenderEngine(PinholeEngine):
    """Cycles on one device (see engine/base.py for the protocol)."""

    def __init__(
        self,
        catalog: Catalog,
        settings: RenderSettings,
        max_lamps: int,
        threads: int = 0,
        output: Output = _NOTHING_MORE,
        device: Device = CPU,
    ):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self._made_for = picture_states(catalog), settings, max_lamps, threads, output, device
        self._output = output
        self._settings, self._denoise = settings, settings.denoise and settings.engine == "cycles"
        self._models, self._environments = Models(catalog, output.parts), catalog.environments
        self._pictures = Pictures(catalog.photos, catalog.backdrops)
        self._groups = [ENVIRONMENT_GROUP, EMISSION_GROUP, *([BACKDROP_GROUP] if catalog.backdrops else [])]
        self._scene = bpy.context.scene
        self._max_lamps = max_lamps
        _configure(self._scene, settings, threads)
        self.set_samples(settings.samples_per_pixel or 1)
        use_device(self._scene, device)
        self._device = device
        self._layer = layer = self._picture_layer(self._scene)
        self._amodal_layer = amodal.build_layer(self._scene)
        self._label_passes = LabelPasses(self._scene, layer, output, self._models)
        self._camera = _new_camera(self._scene)
        show_nothing(self._scene)
        lights.build_world()
        self._painter: Eevee | None = None

    def take_catalog(self, catalog: Catalog, *others: object) -> bool:
        """Go on with another catalogue, and keep the models that are the same.

        others: as the engine was made with
        returns: False if these, or pictures, are different: only a new engine is right then
        """
        if (picture_states(catalog), *others) != self._made_for:
            return False
        self._models.take_catalog(catalog)
        return True

    def set_samples(self, samples_per_pixel: int) -> None:
        """Set the samples per pixel of all later renders, instead of those in the settings."""
        self._samples = samples_per_pixel
        # with EEVEE, Cycles only has to trace the pixels' centres, except for shares of pixels
        enough = self._settings.engine == "eevee" and not self._output.soft_masks
        self._scene.cycles.samples = 1 if enough else samples_per_pixel

    def identity(self) -> dict[str, str]:
        cycles = {
            "engine": self._settings.engine,
            "version": _version(),
            "device": self._device.backend,
            "kernel": self._device.name or _kernel(),
        }
        return cycles | ({"graphics_card": self._eevee().card} if self._settings.engine == "eevee" else {})

    def render_pinhole(self, shot: Shot) -> Film:
        if len(shot.lamps) > self._max_lamps:
            raise EngineError(
                f"shot {shot.index}: {len(shot.lamps)} lamps, but the engine was built for {self._max_lamps}"
            )
        require_device(self._scene, self._device)
        with self.built(shot):
            film = self._film(shot)
            overscan = self._label_passes.overscan(shot, film.amodal_masks, self._look_through)
            return replace(film, overscan=overscan)

    def scene_meshes(self, shot: Shot) -> list[Mesh]:
        """All meshes that camera rays can hit in a shot.

        Wear is left out: it is slow and does not change the geometry.
        """
        new = tuple(placed.model_copy(update={"condition": Condition()}) for placed in shot.products)
        with self.built(shot.model_copy(update={"products": new})):
            return scene_meshes(self._layer)

    @contextmanager
    def built(self, shot: Shot) -> Iterator[None]:
        """The scene of a shot, which is removed at the end of the block."""
        try:
            self._build(shot)
            yield
        finally:
            clear(self._scene, self._camera, self._models.taken_paint())

    def _build(self, shot: Shot) -> None:
        set_detail(shot.camera)
        build_surface(shot.surface, self._pictures.of_surface(shot))
        for placed in shot.products:
            self._models.place(placed)
        for number, distractor in enumerate(shot.distractors):
            self._models.place_distractor(distractor, f"distractor_{number}")
        for number, occluder in enumerate(shot.occluders):
            self._models.place_distractor(occluder, f"occluder_{number}", _STILL_INDEX)
        if shot.container is not None:
            build_container(shot.container, shot.surface)
        lights.set_environment(shot.environment, self._environments)
        lights.build_lamps(shot.lamps)
        if shot.backdrop is not None:
            depth_m = _backdrop_depth_m(shot.camera)
            backdrop.build_backdrop(shot.backdrop, self._pictures.of_backdrop(shot), shot.camera, depth_m)
        amodal.make_room(self._amodal_layer, len(shot.products))
        self._look_through(shot.camera)
        self._scene.cycles.seed = shot.render_seed

    def _look_through(self, camera: Camera) -> None:
        _set_camera(self._scene, self._camera, camera)

    def _light(self, shot: Shot, picture: dict[str, np.ndarray], depth_m) -> dict[str, np.ndarray]:
        if self._settings.engine == "eevee":
            return self._eevee().light_groups(shot, self._samples, lit=np.isfinite(depth_m))
        groups = [*self._groups, *map(lamp_group, range(len(shot.lamps)))]
        return {name: _array(picture[f"Combined_{name}"]) for name in groups}

    def _film(self, shot: Shot) -> Film:
        """Render the scene once, and assemble the film from its passes."""
        passes = capture.render_passes(_unread(len(shot.lamps), self._max_lamps))
        picture = passes[_PICTURE_LAYER]
        depth = picture["Depth"][..., 0]
        index = np.rint(picture["Object Index"][..., 0]).astype(np.uint16)
        still = index == _STILL_INDEX if shot.occluders else None
        instance_id = np.where(index == _STILL_INDEX, np.uint16(0), index)
        farthest_m = _BACKGROUND_DEPTH_M if shot.backdrop is None else 0.9 * _backdrop_depth_m(shot.camera)
        depth_m = _array(np.where(depth < farthest_m, depth, np.float32(np.inf)))
        film = Film(
            radiance_linear=self._light(shot, picture, depth_m),
            depth_m=depth_m,
            instance_id=np.ascontiguousarray(instance_id),
            amodal_masks=amodal.masks(passes[amodal.LAYER], outline_names(shot)),
            still=still,
            albedo_linear=_array(picture["Denoising Albedo"]) if self._denoise else None,
            normal_world=_array(picture["Denoising Normal"]) if self._denoise else None,
            **self._label_passes.measured(shot, passes, instance_id),
        )
        if shot.backdrop is not None and self._denoise:
            shown = film.radiance_linear[BACKDROP_GROUP]
            backdrop.guides_behind(np.isinf(film.depth_m), shown, film.albedo_linear, film.normal_world)
        return film

    def _eevee(self) -> Eevee:
        """Created for the first picture: it needs a graphics card and seconds to compile shaders."""
        if self._painter is None:
            self._painter = Eevee(self._scene, self._layer)
        return self._painter

    def _picture_layer(self, scene: bpy.types.Scene) -> bpy.types.ViewLayer:
        layer = scene.view_layers[0]
        layer.name = _PICTURE_LAYER
        exclude_outlines(layer)
        layer.use_pass_z = True
        layer.use_pass_object_index = True
        layer.pass_alpha_threshold = 0.5
        layer.cycles.denoising_store_passes = self._denoise
        for name in (*self._groups, *map(lamp_group, range(self._max_lamps))):
            layer.lightgroups.add(name=name)
        return layer


def _configure(scene: bpy.types.Scene, settings: RenderSettings, threads: int) -> None:
    render, cycles = scene.render, scene.cycles
    render.engine = "CYCLES"
    render.resolution_percentage = 100
    render.use_compositing = render.use_sequencer = False
    render.film_transparent = False
    render.dither_intensity = 0.0
    # it would save nothing, as the materials are new, and results would depend on the shot before
    render.use_persistent_data = False
    if hasattr(render, "compositor_device"):
        render.compositor_device = "CPU"
    if hasattr(render, "use_texture_cache"):
        render.use_texture_cache = False
    if threads:
        render.threads_mode, render.threads = "FIXED", threads
    cycles.use_adaptive_sampling = False
    cycles.use_denoising = False
    cycles.use_animated_seed = False
    cycles.use_light_tree = True
    cycles.use_auto_tile = False
    cycles.max_bounces = settings.max_bounces
    cycles.diffuse_bounces = cycles.glossy_bounces = settings.max_bounces
    cycles.transmission_bounces = settings.max_bounces
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.blur_glossy = 1.0
    # single samples that are many times brighter than white leave speckles and ragged edges
    cycles.sample_clamp_direct, cycles.sample_clamp_indirect = _CLAMP_DIRECT, _CLAMP_INDIRECT


def _new_camera(scene: bpy.types.Scene) -> bpy.types.Object:
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.sensor_fit = "HORIZONTAL"
    link_to_scene(camera)
    scene.camera = camera
    return camera


def _set_camera(scene: bpy.types.Scene, instance: bpy.types.Object, camera: Camera) -> None:
    scene.render.resolution_x, scene.render.resolution_y = camera.resolution
    instance.data.lens = camera.focal_length_mm
    instance.data.sensor_width = camera.sensor_width_mm
    # single precision: a ratio of a million between near and far is safe
    instance.data.clip_start = camera.distance_m * _NEAREST
    instance.data.clip_end = _farthest_m(camera)
    instance.matrix_world = Matrix(inverse_rigid(camera.world_to_camera).tolist()) @ _FLIP


def _farthest_m(camera: Camera) -> float:
    return max(_FARTHEST_M, camera.distance_m * 10)


def _backdrop_depth_m(camera: Camera) -> float:
    return 0.9 * _farthest_m(camera)


def _unread(lamps: int, max_lamps: int) -> frozenset[str]:
    """Passes that nothing is made from, also the light of lamps that a shot does not have."""
    return _UNUSED | {f"Combined_{lamp_group(number)}" for number in range(lamps, max_lamps)}


def _array(values) -> np.ndarray:
    return np.ascontiguousarray(values[..., :3] if values.ndim == 3 else values, dtype=np.float32)


def _version() -> str:
    return bpy.app.version_string.split()[0]


def _kernel() -> str:
    """The CPU kernel that Cycles selected; results are identical only for the same kernel."""
    import _cycles

    for line in _cycles.system_info().splitlines():
        if "CPU device capabilities" in line:
            return line.split(":", 1)[1].strip()
    return "unknown"
