"""Film, Labels, Frame: what an engine measured of a Shot, and what follows from it; arrays, top row first.

They exist only inside a worker; only files and a Row leave it. Fields that a spec does not ask for
(spec/output.py) are None.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from blendgen.geometry.arrays import IdsHW, ImageHW3F32, ImageHW3U8, ImageHWF32, MaskHW, MaskN
from blendgen.scene.frozen import Vector3
from blendgen.scene.shot import Camera, Exposure, Matrix4, Shot

_Layer = TypeVar("_Layer")


def requested(layer: _Layer | None) -> _Layer:
    """A layer or a column that the spec requests; raises TypeError where its maker left it out."""
    if layer is None:
        raise TypeError("a layer that the spec requests was not made")
    return layer


@dataclass(frozen=True, eq=False)
class Overscan:
    """The products beyond the border of the image.

    camera: a pinhole at the shot's camera with a wider view
    amodal_masks: instance id -> (H, W) bool in its image
    inside: (H, W) float32, share of each pixel that the shot's camera sees
    """

    camera: Camera
    amodal_masks: dict[int, MaskHW]
    inside: ImageHWF32


@dataclass(frozen=True, eq=False)
class Film:
    """The measurements of an engine for one shot.

    radiance_linear: light group -> (h, w, 3) float32 scene-linear, each at unit gain
    depth_m: (h, w) float32 along the optical axis, inf where nothing was hit
    instance_id: (h, w) uint16, 0 for everything that is not a product
    amodal_masks: instance id -> (h, w) bool, the product as if nothing occluded it
    still: (h, w) bool, occluders in front of a belt, which do not move with it; None without them
    albedo_linear, normal_world: (h, w, 3) float32 denoiser guides, None without a denoiser
    part_slot: (h, w) uint16, 1 + the material slot of the visible product; 0 elsewhere
    soft_masks: instance id -> (h, w) float32, share of each pixel that the product covers
    central_normal_world: (h, w, 3) float32 unit normals at the pixel centres, 0 where nothing was hit
    central_albedo_linear: (h, w, 3) float32 of the surface at the pixel centres, likewise
    keypoint_seen: instance id -> (n,) bool, which of the product's keypoints are not occluded
    """

    radiance_linear: dict[str, ImageHW3F32]
    depth_m: ImageHWF32
    instance_id: IdsHW
    amodal_masks: dict[int, MaskHW]
    still: MaskHW | None = None
    albedo_linear: ImageHW3F32 | None = None
    normal_world: ImageHW3F32 | None = None
    part_slot: IdsHW | None = None
    soft_masks: dict[int, ImageHWF32] | None = None
    central_normal_world: ImageHW3F32 | None = None
    central_albedo_linear: ImageHW3F32 | None = None
    keypoint_seen: dict[int, MaskN] | None = None
    overscan: Overscan | None = None


@dataclass(frozen=True)
class ObjectLabel:
    """The labels of one product in one image; boxes are (x, y, width, height) in pixels.

    truncation: share of the product, as if nothing occluded it, that is outside of the image
    obb: corners (x, y) of the rotated rectangle of least area around the visible part
    keypoints: (x, y, visibility) of each keypoint of the class; 0 not in the image, 1 hidden, 2 visible
    """

    instance_id: int
    label: str
    label_id: int
    product: str
    colorway: str
    bbox: tuple[int, int, int, int]
    bbox_amodal: tuple[int, int, int, int]
    area: int
    visible_fraction: float
    object_to_world: Matrix4
    size_m: Vector3
    case: str | None = None
    truncation: float | None = None
    obb: tuple[tuple[float, float], ...] | None = None
    keypoints: tuple[tuple[float, float, int], ...] | None = None


@dataclass(frozen=True, eq=False)
class Labels:
    """All labels of one shot.

    objects: one for each product that is at least partly visible
    instance_id: (h, w) uint16; depth_m: (h, w) float32, as in Film
    amodal_masks: instance id -> (h, w) bool, the product as if nothing hid it; contains its visible pixels
    semantic: (h, w) uint8 or uint16, label_id + 1 of the visible product, 0 elsewhere
    parts: (h, w) uint16, 1 + the index of the part in dataset.json's list, 0 elsewhere
    soft_masks: instance id -> (h, w) float32, the share of each pixel that the product covers
    normals: (h, w, 3) float32, OpenCV camera; albedo_linear: (h, w, 3) float32
    nocs: (h, w, 3) float32, normalised object coordinates in [0, 1]; 0 without a product
    """

    objects: tuple[ObjectLabel, ...]
    instance_id: IdsHW
    depth_m: ImageHWF32
    amodal_masks: dict[int, MaskHW]
    semantic: IdsHW | None = None
    parts: IdsHW | None = None
    soft_masks: dict[int, ImageHWF32] | None = None
    normals: ImageHW3F32 | None = None
    albedo_linear: ImageHW3F32 | None = None
    nocs: ImageHW3F32 | None = None


@dataclass(frozen=True, eq=False)
class Frame:
    """A finished image, (h, w, 3) uint8 sRGB, with its labels, its Shot and its Exposure.

    clean_u8: the same without the sensor's noise, None if the spec does not ask for it
    """

    index: int
    rgb_u8: ImageHW3U8
    clean_u8: ImageHW3U8 | None
    labels: Labels
    shot: Shot
    exposure: Exposure
