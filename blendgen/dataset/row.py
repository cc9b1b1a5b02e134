"""Row: the manifest's line of a Frame; its columns are documented in docs/dataset.md."""

from __future__ import annotations

import numpy as np

from blendgen.geometry.projection import project, rows_of, transform_points, within_lens
from blendgen.optics.overscan import box_corners
from blendgen.scene.film import Frame, Labels, ObjectLabel
from blendgen.scene.shot import Camera, Row
from blendgen.spec.output import Output


def make_row(frame: Frame, names: dict[str, str], facts: dict[str, str | int], output: Output) -> Row:
    """The manifest's line of a frame; columns in docs/dataset.md. Holds no times, so that the same
    spec and seed give the same bytes.

    names, facts: paths, digests and sizes of its files, by column
    """
    shot, camera = frame.shot, frame.shot.camera
    subject = shot.products[0]
    height, width = frame.rgb_u8.shape[:2]
    return {
        **names,
        "label": subject.label,
        "label_id": subject.label_id,
        "split": shot.split,
        "index": frame.index,
        "shot_index": shot.index,
        "width": width,
        "height": height,
        **facts,
        "objects": object_columns(frame.labels, camera, output),
        "camera": {
            "intrinsics": camera.intrinsics,
            "world_to_camera": camera.world_to_camera,
            "focal_length_mm": camera.focal_length_mm,
            "sensor_width_mm": camera.sensor_width_mm,
            "distortion": camera.distortion,
        },
        "shot": shot.model_dump(mode="json"),
        "exposure": frame.exposure.model_dump(mode="json"),
    }


def object_columns(labels: Labels, camera: Camera, output: Output) -> dict[str, list]:
    """Parallel lists, one entry a product, as Hugging Face's object detection data sets have them."""
    to_camera = np.array(camera.world_to_camera)
    objects = labels.objects
    columns = {
        "bbox": [list(label.bbox) for label in objects],
        "bbox_amodal": [list(label.bbox_amodal) for label in objects],
        "category": [label.label for label in objects],
        "category_id": [label.label_id for label in objects],
        "area": [label.area for label in objects],
        "product": [label.product for label in objects],
        "colorway": [label.colorway for label in objects],
        "case": [label.case for label in objects],
        "visible_fraction": [round(label.visible_fraction, 6) for label in objects],
        "instance_id": [label.instance_id for label in objects],
        "object_to_world": [label.object_to_world for label in objects],
        "object_to_camera": [rows_of(to_camera @ np.array(label.object_to_world)) for label in objects],
        "size_m": [label.size_m for label in objects],
    }
    if output.truncation:
        columns["truncation"] = [round(label.truncation, 6) for label in objects]
    if output.obb:
        columns["obb"] = [_rounded(label.obb, 3) for label in objects]
    if output.keypoints:
        columns["keypoints"] = [
            [[round(x, 3), round(y, 3), seen] for x, y, seen in label.keypoints] for label in objects
        ]
    if output.bbox_3d:
        boxes = [_box_3d(label, camera) for label in objects]
        columns["bbox_3d_m"] = [_rounded(corners, 6) for corners, _ in boxes]
        columns["bbox_3d_px"] = [_rounded(pixels, 3) for _, pixels in boxes]
    return columns


def _box_3d(label: ObjectLabel, camera: Camera) -> tuple[np.ndarray, list[np.ndarray | None]]:
    """Corners of a product's box, (8, 3) in the camera's frame and (8, 2) pixels; None where the lens
    cannot show them."""
    world = transform_points(label.object_to_world, box_corners(label.size_m))
    corners = transform_points(camera.world_to_camera, world)
    if corners[:, 2].min() <= 0:
        return corners, [None] * len(corners)
    shown = within_lens(corners[:, :2] / corners[:, 2:], camera.distortion)
    pixels = project(world, camera.intrinsics, camera.world_to_camera, camera.distortion)
    return corners, [pixel if seen else None for pixel, seen in zip(pixels, shown, strict=True)]


def _rounded(rows, digits: int) -> list:
    return [None if row is None else [round(float(value), digits) for value in row] for row in rows]
