"""Label checks: the optional label images and columns of a row against its instance mask and its camera.

In: a row, dataset.json, and the row's label images as arrays. Out: what is wrong, in words. Label images are
checked only if there is an instance mask; each independently of the code that made it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.ndimage import binary_dilation

from blendgen.annotate import HIDDEN, NOT_LABELLED, VISIBLE
from blendgen.dataset.label_array import Channels
from blendgen.dataset.label_registry import LABEL_FILES
from blendgen.geometry.projection import project, transform_points, within_lens
from blendgen.optics.overscan import box_corners
from blendgen.scene.row import Keypoint, Points3, Row

Images = Mapping[str, Channels]  # by the name of the label file


def label_faults(row: Row, record: dict[str, Any], images: Images) -> Iterator[str]:
    objects = row.objects
    if objects.keypoints is None and record.get("keypoints"):
        yield "objects.keypoints is missing, dataset.json names keypoints"
    for number in range(len(objects)):
        yield from (f"object {number}: {what}" for what in _columns(row, record, number))
    if "mask" not in images:
        return
    ids = images["mask"][""]
    for name, kind in LABEL_FILES.items():
        if name in images:
            yield from (f"{name}: {what}" for what in kind.check(row, record, images[name], ids))
    for number, instance_id in enumerate(objects.instance_id):
        own = ids == instance_id
        if own.any():
            yield from (f"object {number}: {what}" for what in _against_mask(row, number, own))


def _columns(row: Row, record: dict[str, Any], number: int) -> Iterator[str]:
    objects = row.objects
    if objects.truncation is not None and not 0 <= objects.truncation[number] <= 1:
        yield f"truncation is {objects.truncation[number]}"
    if objects.keypoints is not None:
        yield from _keypoints(row, record, objects.category[number], objects.keypoints[number])
    if objects.bbox_3d_m is not None:
        yield from _box_3d(row, number, objects.bbox_3d_m[number])


def _keypoints(row: Row, record: dict[str, Any], label: str, points: Sequence[Keypoint]) -> Iterator[str]:
    names = record.get("keypoints", {}).get(label, {}).get("names", [])
    if len(points) != len(names):
        yield f"{len(points)} keypoints, dataset.json names {len(names)} of {label!r}"
    for x, y, visibility in points:
        if visibility not in (NOT_LABELLED, HIDDEN, VISIBLE):
            yield f"a keypoint's visibility is {visibility}"
        elif visibility == NOT_LABELLED and (x, y) != (0, 0):
            yield "a keypoint that is not labelled has coordinates"
        elif not (0 <= x <= row.width and 0 <= y <= row.height):
            yield f"keypoint [{x}, {y}] is outside the image"


def _box_3d(row: Row, number: int, corners_m: Points3) -> Iterator[str]:
    objects, camera = row.objects, row.camera
    world = transform_points(objects.object_to_world[number], box_corners(objects.size_m[number]))
    corners = transform_points(camera.world_to_camera, world)
    if not np.allclose(corners_m, corners, rtol=0, atol=1e-5):
        yield "bbox_3d_m is not the box of object_to_world and size_m"
    if objects.bbox_3d_px is None:
        yield "bbox_3d_px is missing"
    elif corners[:, 2].min() > 0:
        pixels = project(world, camera.intrinsics, camera.world_to_camera, camera.distortion)
        pixels[~within_lens(corners[:, :2] / corners[:, 2:], camera.distortion)] = np.nan
        row_pixels = [pixel or (np.nan, np.nan) for pixel in objects.bbox_3d_px[number]]
        if not np.allclose(np.array(row_pixels, float), pixels, rtol=1e-4, atol=0.01, equal_nan=True):
            yield "bbox_3d_px is not bbox_3d_m, projected"


def _against_mask(row: Row, number: int, own: np.ndarray) -> Iterator[str]:
    objects = row.objects
    if objects.obb is not None:
        yield from _obb(np.array(objects.obb[number], float), own)
    if objects.keypoints is not None:
        near = binary_dilation(own, iterations=3)
        for x, y, visibility in objects.keypoints[number]:
            column, line = min(int(x), row.width - 1), min(int(y), row.height - 1)
            if visibility == VISIBLE and not near[line, column]:
                yield f"keypoint [{x}, {y}] is marked as visible, but its product is not visible there"


def _obb(corners: np.ndarray, own: np.ndarray) -> Iterator[str]:
    """The box contains all pixels of the product, and each side touches one."""
    rows, columns = np.nonzero(own)
    centres = np.column_stack([columns, rows]) + 0.5
    sides = np.roll(corners, -1, axis=0) - corners
    lengths = np.linalg.norm(sides, axis=1, keepdims=True)
    normals = np.column_stack([-sides[:, 1], sides[:, 0]]) / np.maximum(lengths, 1e-9)
    is_inward = np.sum((corners.mean(axis=0) - corners) * normals, axis=1, keepdims=True) >= 0
    distances = (centres[:, None] - corners[None]) * np.where(is_inward, normals, -normals)[None]
    nearest = distances.sum(axis=2).min(axis=0)
    if nearest.min() < 0:
        yield "obb does not contain all of the product"
    elif nearest.max() > 1:
        yield "obb is larger than the product"
