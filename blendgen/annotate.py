"""annotate(film, shot, names, output) -> Labels: what the picture shows and where, from exact ids alone.

In: the film of an engine. Out: one ObjectLabel per visible product, and the label images that the spec
requests. Labels are new values: the shot does not change, and no pixel of the picture is read.
"""

from __future__ import annotations

import numpy as np

from blendgen.errors import GeometryError, InfeasibleDraw, Reason
from blendgen.geometry.arrays import MaskHW
from blendgen.geometry.oriented_box import oriented_box
from blendgen.geometry.projection import (
    box_of_mask,
    distort,
    inverse_rigid,
    pixel_rays,
    transform_points,
    undistort,
)
from blendgen.models.label_names import LabelNames
from blendgen.models.product import AS_MODELLED
from blendgen.optics.distortion import distorted_labels
from blendgen.scene.film import Film, Labels, ObjectLabel, requested
from blendgen.scene.shot import Camera, PlacedProduct, Shot
from blendgen.spec.output import Output

NOT_LABELLED, HIDDEN, VISIBLE = 0, 1, 2  # of keypoints, as COCO has them


def annotate(film: Film, shot: Shot, names: LabelNames, output: Output) -> Labels:
    """Labels of every visible product in the order of their instance ids.

    film: of the pinhole of the shot's camera, as engines render it
    """
    film = distorted_labels(film, shot.camera)
    amodal_masks = {placed.instance_id: _amodal_mask(film, placed) for placed in shot.products}
    labels = (
        _label(film, placed, amodal_masks[placed.instance_id], shot.camera, names, output)
        for placed in shot.products
    )
    return Labels(
        objects=tuple(label for label in labels if label.area),
        instance_id=film.instance_id,
        depth_m=film.depth_m,
        amodal_masks=amodal_masks,
        semantic=_semantic(film, shot, names) if output.semantic else None,
        parts=_parts(film, shot, names) if output.parts else None,
        soft_masks=film.soft_masks,
        normals=_normals(film, shot) if output.normals else None,
        albedo_linear=film.central_albedo_linear if output.albedo else None,
        nocs=_nocs(film, shot) if output.nocs else None,
    )


def require_visible_subject(labels: Labels, shot: Shot) -> None:
    """Raises InfeasibleDraw where too little or too much of the subject is visible."""
    subject = shot.products[0]
    label = next((one for one in labels.objects if one.instance_id == subject.instance_id), None)
    if label is None:
        raise InfeasibleDraw(
            Reason.SUBJECT_INVISIBLE,
            f"no pixel shows {_described(subject)}; raise the resolution or camera.frame_fill",
        )
    low, high = shot.visible_band
    if not low <= label.visible_fraction <= high:
        raise InfeasibleDraw(
            Reason.SUBJECT_VISIBILITY,
            f"{label.visible_fraction:.0%} of {subject.product} is visible, wanted {low:.0%} to {high:.0%}; "
            "widen visible_fraction of placement or occluders, or change what hides it",
        )


def _described(placed: PlacedProduct) -> str:
    """The product, and its colourway unless it is as modelled."""
    in_color = "" if placed.colorway == AS_MODELLED else f" in the colourway {placed.colorway}"
    return placed.product + in_color


def _amodal_mask(film: Film, placed: PlacedProduct) -> MaskHW:
    """Every visible pixel is also amodal, even where the two passes round an edge differently."""
    return film.amodal_masks[placed.instance_id] | (film.instance_id == placed.instance_id)


def _label(
    film: Film,
    placed: PlacedProduct,
    amodal: MaskHW,
    camera: Camera,
    names: LabelNames,
    output: Output,
) -> ObjectLabel:
    visible = film.instance_id == placed.instance_id
    area, whole = int(np.count_nonzero(visible)), int(np.count_nonzero(amodal))
    return ObjectLabel(
        instance_id=placed.instance_id,
        label=placed.label,
        label_id=placed.label_id,
        product=placed.product,
        colorway=placed.colorway,
        bbox=box_of_mask(visible),
        bbox_amodal=box_of_mask(amodal),
        area=area,
        visible_fraction=area / whole if whole else 0.0,
        object_to_world=placed.object_to_world,
        size_m=placed.size_m,
        case=placed.case,
        truncation=_truncation(film, placed),
        obb=_corners(visible) if output.obb and area else None,
        keypoints=_keypoints(film, placed, camera, names) if output.keypoints else None,
    )


def _corners(mask: np.ndarray) -> tuple[tuple[float, float], ...]:
    """Corners (x, y) of the rotated rectangle around a mask."""
    return tuple((float(x), float(y)) for x, y in oriented_box(mask))


def _truncation(film: Film, placed: PlacedProduct) -> float | None:
    """Share of the amodal product beyond the border; None where the film has no overscan."""
    if film.overscan is None:
        return None
    whole = film.overscan.amodal_masks[placed.instance_id]
    total, inside = int(np.count_nonzero(whole)), float(film.overscan.inside[whole].sum(dtype=np.float64))
    return 1 - inside / total if total else 0.0


def _keypoints(film: Film, placed: PlacedProduct, camera: Camera, names: LabelNames):
    """(x, y, visibility) of each keypoint of the class; 0, 0, 0 where it is not in the image."""
    points = names.catalog.product_of(placed).keypoints
    positions = np.array([point.position_m for point in points]).reshape(-1, 3)
    world = transform_points(placed.object_to_world, positions)
    visible = requested(film.keypoint_seen)[placed.instance_id]
    measured = [
        (*pixel, VISIBLE if is_visible else HIDDEN) if pixel is not None else (0.0, 0.0, NOT_LABELLED)
        for pixel, is_visible in zip((pixel_in_image(point, camera) for point in world), visible, strict=True)
    ]
    places = names.keypoint_places(placed)
    return tuple((0.0, 0.0, NOT_LABELLED) if place is None else measured[place] for place in places)


def pixel_in_image(point_world_m, camera: Camera) -> tuple[float, float] | None:
    """The pixel position of a world point (3,); None for a point outside the image."""
    (x, y, z), *_ = transform_points(camera.world_to_camera, [point_world_m])
    if z <= 0:
        return None
    image_point = distort((x / z, y / z), camera.distortion)
    intrinsics = np.array(camera.intrinsics)
    pixel = intrinsics[:2, :2] @ image_point + intrinsics[:2, 2]
    if not (0 <= pixel[0] < camera.resolution[0] and 0 <= pixel[1] < camera.resolution[1]):
        return None
    try:  # far outside the image, a lens may fold a point back into it
        if np.abs(undistort(image_point, camera.distortion) - (x / z, y / z)).max() > 1e-6:
            return None
    except GeometryError:
        return None
    return float(pixel[0]), float(pixel[1])


def _semantic(film: Film, shot: Shot, names: LabelNames) -> np.ndarray:
    """(h, w) label_id + 1, 0 for the background; 8 bit, as most trainers expect, for at most 254 classes."""
    of_instance = np.zeros(film.instance_id.max() + 1, np.uint8 if names.classes < 255 else np.uint16)
    for placed in shot.products:
        of_instance[placed.instance_id : placed.instance_id + 1] = placed.label_id + 1
    return of_instance[film.instance_id]


def _parts(film: Film, shot: Shot, names: LabelNames) -> np.ndarray:
    """(h, w) uint16 part ids, 0 for the background."""
    parts = np.zeros_like(film.instance_id)
    for placed in shot.products:
        own = film.instance_id == placed.instance_id
        parts[own] = names.part_ids(placed)[requested(film.part_slot)[own]]
    return parts


def _normals(film: Film, shot: Shot) -> np.ndarray:
    """(h, w, 3) float32 normals in the frame of the camera; 0 where nothing was hit."""
    rotation = np.array(shot.camera.world_to_camera, np.float32)[:3, :3]
    return requested(film.central_normal_world) @ rotation.T


def _nocs(film: Film, shot: Shot) -> np.ndarray:
    """(h, w, 3) float32 position of each visible point on its product, 0 for the background.

    The centre of the product's box is (0.5, 0.5, 0.5) and its diagonal has length 1: values are from 0 to 1.
    source: Wang et al., Normalized Object Coordinate Space for category-level 6D pose (CVPR 2019)
    """
    camera = shot.camera
    points = undistort(pixel_rays(camera.intrinsics, camera.resolution)[..., :2], camera.distortion)
    camera_to_world = inverse_rigid(camera.world_to_camera)
    nocs = np.zeros((*points.shape[:2], 3), np.float32)
    for placed in shot.products:
        own = film.instance_id == placed.instance_id
        depth_m = film.depth_m[own, None].astype(np.float64)
        world = transform_points(camera_to_world, np.hstack([points[own] * depth_m, depth_m]))
        within = transform_points(inverse_rigid(placed.object_to_world), world)
        middle = np.array([0.0, 0.0, placed.size_m[2] / 2])
        nocs[own] = (within - middle) / np.linalg.norm(placed.size_m) + 0.5
    return nocs
