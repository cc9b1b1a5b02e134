"""Write: a Frame's files and its Row, each appearing whole or not at all.

A file is written under OUT/.partial, flushed to the disk and renamed into place; the Row is made
only then. Rows of one run come in any order; `manifest.py` keeps them.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from blendgen.dataset.layout import Layout, clean_name, depth_name, image_name, mask_name
from blendgen.develop.encode import encode_depth, encode_image, encode_mask, encode_png
from blendgen.errors import DatasetError
from blendgen.geometry import rows_of
from blendgen.shot import Frame, Labels, Row
from blendgen.spec.model import Output


def write_frame(layout: Layout, frame: Frame, output: Output) -> Row:
    """Write a frame's image and mask; returns its row. Raises DatasetError where the disk refuses."""
    files = {"file_name": (image_name(frame.shot, frame.index, output), encode_image(frame.rgb_u8, output))}
    if output.masks:
        mask = encode_mask(frame.labels.instance_id)
        files["mask_file_name"] = (mask_name(frame.shot, frame.index), mask)
    if output.depth:
        depth = encode_depth(frame.labels.depth_m)
        files["depth_file_name"] = (depth_name(frame.shot, frame.index), depth)
    if frame.clean_u8 is not None:
        files["clean_file_name"] = (clean_name(frame.shot, frame.index), encode_png(frame.clean_u8))
    for name, data in files.values():
        write_atomically(layout, layout.root / name, data)
    names = {key: name for key, (name, _) in files.items()}
    digests = {key.replace("file_name", "sha256"): _sha256(data) for key, (_, data) in files.items()}
    return make_row(frame, names, digests)


def write_atomically(layout: Layout, path: Path, data: bytes | Iterable[bytes]) -> None:
    """`path` holds either what it held or all of `data` (in one or many pieces); raises DatasetError."""
    temporary = layout.temporary / f"{os.getpid()}-{path.name}"
    try:
        temporary.parent.mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.writelines([data] if isinstance(data, bytes) else data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise disk_error(path, error) from None


def disk_error(path: Path, error: OSError) -> DatasetError:
    """What the disk refused, in words; what is finished stays."""
    reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
    return DatasetError(
        f"{path}: cannot be written: {reason}. What is finished is kept; run the same command to go on"
    )


def make_row(frame: Frame, names: dict[str, str], digests: dict[str, str]) -> Row:
    """The manifest's line of a frame; columns in docs/dataset.md. Holds no times, so that the same
    spec and seed give the same bytes."""
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
        **digests,
        "objects": object_columns(frame.labels, camera.world_to_camera),
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


def object_columns(labels: Labels, world_to_camera) -> dict[str, list]:
    """Parallel lists, one entry a product, as Hugging Face's object detection data sets have them."""
    to_camera = np.array(world_to_camera)
    objects = labels.objects
    return {
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


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
