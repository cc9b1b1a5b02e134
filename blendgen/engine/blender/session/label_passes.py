"""Label passes: measurements of Cycles besides the picture, for the labels that a spec asks for.

In: the Output of a spec. Out: fields of Film. Parts come, as the instance ids do, from the picture layer's
first sample, which goes through the pixel's centre; soft masks from all its samples; normals and albedo from
a layer with one sample, also through the centre. If a product reaches beyond the border, that takes another
render. None of this changes the picture.
"""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from blendgen.engine.blender.session import amodal, capture, sight
from blendgen.engine.blender.session.models import Models, object_name, outline_names
from blendgen.engine.blender.session.stage import exclude_outlines
from blendgen.optics.overscan import frame_within, overscan_camera
from blendgen.scene.film import Overscan
from blendgen.scene.shot import Shot
from blendgen.spec.output import Output

_LAYER = "surface"
_COVERAGE_DEPTH = 8  # objects that share one pixel
_SCATTERED = ("Diffuse Color", "Glossy Color", "Transmission Color")


class LabelPasses:
    """The passes that a spec's output needs; `picture` is the layer of the picture."""

    def __init__(self, scene: bpy.types.Scene, picture: bpy.types.ViewLayer, output: Output, models: Models):
        self._scene, self._picture, self._output, self._models = scene, picture, output, models
        picture.use_pass_material_index = output.parts
        if output.soft_masks:
            picture.use_pass_cryptomatte_object = True
            picture.pass_cryptomatte_depth = _COVERAGE_DEPTH
        self._surface = _surface_layer(scene) if output.surfaces else None

    def measured(self, shot: Shot, passes: capture.Passes, instance_id: np.ndarray) -> dict[str, Any]:
        """Fields of the Film; to be called while the objects of the shot are in the scene."""
        output = self._output
        fields: dict[str, Any] = {}
        picture = passes[self._picture.name]
        if output.parts:
            slots = np.rint(picture["Material Index"][..., 0]).astype(np.uint16)
            fields["part_slot"] = np.where(instance_id > 0, slots, np.uint16(0))
        if output.soft_masks:
            names = {placed.instance_id: object_name(placed.instance_id) for placed in shot.products}
            fields["soft_masks"] = amodal.soft_masks(picture, names)
        if self._surface is not None:
            fields |= _surfaces(passes[_LAYER])
        if output.keypoints:
            fields["keypoint_seen"] = sight.keypoints_seen(shot, self._models, self._picture)
        return fields

    def overscan(self, shot: Shot, amodal_masks: dict[int, np.ndarray], set_camera) -> Overscan | None:
        """The products beyond the border; set_camera: sets the camera of the scene."""
        if not self._output.truncation:
            return None
        camera = overscan_camera(shot)
        if camera == shot.camera:
            return Overscan(shot.camera, amodal_masks, frame_within(shot.camera, shot.camera))
        others = [one for one in self._scene.view_layers if one.use and one.name != amodal.LAYER]
        try:
            for layer in others:
                layer.use = False
            set_camera(camera)
            passes = capture.render_passes()[amodal.LAYER]
        finally:
            for layer in others:
                layer.use = True
        masks = amodal.masks(passes, outline_names(shot))
        return Overscan(camera, masks, frame_within(shot.camera, camera))


def _surface_layer(scene: bpy.types.Scene) -> bpy.types.ViewLayer:
    layer = scene.view_layers.new(_LAYER)
    exclude_outlines(layer)
    layer.samples = 1
    layer.use_pass_z = False
    layer.use_pass_normal = True
    layer.use_pass_diffuse_color = layer.use_pass_glossy_color = layer.use_pass_transmission_color = True
    layer.pass_alpha_threshold = 0.5
    layer.cycles.use_denoising = False
    return layer


def _surfaces(passes: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    normal = passes["Normal"]
    length = np.linalg.norm(normal, axis=-1, keepdims=True)
    albedo = sum(passes[name] for name in _SCATTERED)
    return {
        "central_normal_world": np.where(length > 0, normal / np.maximum(length, 1e-20), 0).astype(
            np.float32
        ),
        "central_albedo_linear": np.ascontiguousarray(np.clip(albedo, 0, 1), np.float32),
    }
