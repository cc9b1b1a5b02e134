"""Write: the files of a Frame and its Row. Each file appears whole or not at all.

A file is written in OUT/.partial, flushed to the disk and renamed into place; only then the Row is made.
Before that, the names of the files go into a list of this process, so that files that a killed run wrote
without a row are recognised as ours. Rows of a run come in any order; manifest.py sorts them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from typing import Any, cast

import numpy as np

from blendgen.dataset.label_registry import LABEL_FILES, encoded_files
from blendgen.dataset.layout import PENDING_SUFFIX, Layout
from blendgen.files.folder import Folder
from blendgen.geometry.arrays import Array2, PointsN3
from blendgen.geometry.projection import project, rows_of, transform_points, within_lens
from blendgen.optics.overscan import box_corners
from blendgen.scene.film import Frame, Labels, ObjectLabel, requested
from blendgen.scene.row import Objects, Row, RowCamera, RowFile
from blendgen.scene.shot import Camera, Matrix4
from blendgen.spec.output import Output


def write_frame(layout: Layout, frame: Frame, output: Output) -> Row:
    """Write an image and its label files; returns its row. Raises DatasetError if the disk fails."""
    contents = encoded_files(frame, output)
    names = {name: LABEL_FILES[name].path(frame.shot, frame.index, output) for name in contents}
    folder = Folder(layout.root, layout.temporary.name)
    pending = f"{layout.temporary.name}/{os.getpid()}{PENDING_SUFFIX}"
    folder.append(pending, "".join(f"{path}\n" for path in names.values()).encode())
    for name, data in contents.items():
        folder.write(names[name], data)
    files = {name: _row_file(names[name], data) for name, data in contents.items()}
    return make_row(frame, files, output)


def make_row(frame: Frame, files: Mapping[str, RowFile], output: Output) -> Row:
    """The row of a frame; it holds no times, so that the same spec and seed give the same bytes.

    files: by the name of their kind
    """
    shot, subject = frame.shot, frame.shot.products[0]
    height, width = frame.rgb_u8.shape[:2]
    return Row(
        index=frame.index,
        label=subject.label,
        split=shot.split,
        files=dict(files),
        label_id=subject.label_id,
        shot_index=shot.index,
        width=width,
        height=height,
        objects=_objects(frame.labels, shot.camera, output),
        camera=RowCamera(
            intrinsics=shot.camera.intrinsics,
            world_to_camera=shot.camera.world_to_camera,
            focal_length_mm=shot.camera.focal_length_mm,
            sensor_width_mm=shot.camera.sensor_width_mm,
            distortion=shot.camera.distortion,
        ),
        shot_values=shot.model_dump(mode="json"),
        exposure_values=frame.exposure.model_dump(mode="json"),
    )


def _row_file(name: str, data: bytes) -> RowFile:
    return RowFile(name=name, sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data))


def _objects(labels: Labels, camera: Camera, output: Output) -> Objects:
    """Parallel columns, one entry per product, as in object detection data sets of Hugging Face."""
    to_camera = np.array(camera.world_to_camera)
    objects = labels.objects
    return Objects(
        bbox=tuple(label.bbox for label in objects),
        bbox_amodal=tuple(label.bbox_amodal for label in objects),
        category=tuple(label.label for label in objects),
        category_id=tuple(label.label_id for label in objects),
        area=tuple(label.area for label in objects),
        product=tuple(label.product for label in objects),
        colorway=tuple(label.colorway for label in objects),
        case=tuple(label.case for label in objects),
        visible_fraction=tuple(round(label.visible_fraction, 6) for label in objects),
        instance_id=tuple(label.instance_id for label in objects),
        object_to_world=tuple(label.object_to_world for label in objects),
        object_to_camera=tuple(
            cast(Matrix4, rows_of(to_camera @ np.array(label.object_to_world))) for label in objects
        ),
        size_m=tuple(label.size_m for label in objects),
        **_optional_columns(objects, camera, output),
    )


def _optional_columns(objects: Iterable[ObjectLabel], camera: Camera, output: Output) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    if output.truncation:
        columns["truncation"] = [round(requested(label.truncation), 6) for label in objects]
    if output.obb:
        columns["obb"] = [_rounded(requested(label.obb), 3) for label in objects]
    if output.keypoints:
        columns["keypoints"] = [
            [(round(x, 3), round(y, 3), visibility) for x, y, visibility in requested(label.keypoints)]
            for label in objects
        ]
    if output.bbox_3d:
        boxes = [_box_3d(label, camera) for label in objects]
        columns["bbox_3d_m"] = [_rounded(corners, 6) for corners, _ in boxes]
        columns["bbox_3d_px"] = [_rounded(pixels, 3) for _, pixels in boxes]
    return columns


def _box_3d(label: ObjectLabel, camera: Camera) -> tuple[PointsN3, list[Array2 | None]]:
    """Corners of a product's box, (8, 3) in the camera's frame and (8, 2) pixels; None where the lens
    cannot show them."""
    world = transform_points(label.object_to_world, box_corners(label.size_m))
    corners = transform_points(camera.world_to_camera, world)
    if corners[:, 2].min() <= 0:
        return corners, [None] * len(corners)
    shown = within_lens(corners[:, :2] / corners[:, 2:], camera.distortion)
    pixels = project(world, camera.intrinsics, camera.world_to_camera, camera.distortion)
    return corners, [pixel if is_shown else None for pixel, is_shown in zip(pixels, shown, strict=True)]


def _rounded(points: Iterable[Iterable[float] | None], digits: int) -> list[tuple[float, ...] | None]:
    return [None if p is None else tuple(round(float(value), digits) for value in p) for p in points]
