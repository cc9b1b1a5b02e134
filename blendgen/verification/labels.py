"""The label images and columns that a spec may ask for, against the instance mask and the camera.

In: a row, dataset.json, and the row's label images as arrays. Out: what is wrong, in words. Images are
checked where the instance mask is there, too; each by another path than the one by which it was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from scipy.ndimage import binary_dilation

from blendgen.annotate import HIDDEN, NOT_LABELLED, VISIBLE
from blendgen.develop.encode import DEPTH_STEP_M
from blendgen.geometry.projection import distort, project, transform_points, within_lens
from blendgen.optics.overscan import box_corners
from blendgen.scene.shot import Row

# kind -> channel ("" for grey) -> (h, w)
Images = Mapping[str, Mapping[str, np.ndarray]]
_SLACK_PX = 1.0  # a distorting lens takes ids from the nearest pixel
_SLACK_M = 0.001
_ROUNDING = 2e-3
_ENOUGH_PIXELS = 16


def label_faults(row: Row, record: dict[str, Any], images: Images) -> Iterator[str]:
    objects = row["objects"]
    for number in range(len(objects["bbox"])):
        yield from (f"object {number}: {what}" for what in _columns(row, record, number))
    if "mask" not in images:
        return
    ids = images["mask"][""]
    for kind, check in _CHECKS.items():
        if kind in images:
            yield from (f"{kind}: {what}" for what in check(row, record, images[kind], ids))
    for number, instance_id in enumerate(objects["instance_id"]):
        own = ids == instance_id
        if own.any():
            yield from (f"object {number}: {what}" for what in _against_mask(row, number, own))


def _columns(row: Row, record: dict[str, Any], number: int) -> Iterator[str]:
    objects = row["objects"]
    if "truncation" in objects and not 0 <= objects["truncation"][number] <= 1:
        yield f"truncation is {objects['truncation'][number]}"
    if "keypoints" in objects:
        yield from _keypoints(row, record, number)
    if "bbox_3d_m" in objects:
        yield from _box_3d(row, number)


def _keypoints(row: Row, record: dict[str, Any], number: int) -> Iterator[str]:
    points, label = row["objects"]["keypoints"][number], row["objects"]["category"][number]
    names = record.get("keypoints", {}).get(label, {}).get("names", [])
    if len(points) != len(names):
        yield f"{len(points)} keypoints, dataset.json names {len(names)} of {label!r}"
    for x, y, visibility in points:
        if visibility not in (NOT_LABELLED, HIDDEN, VISIBLE):
            yield f"a keypoint's visibility is {visibility}"
        elif visibility == NOT_LABELLED and (x, y) != (0, 0):
            yield "a keypoint that is not labelled has a place"
        elif not (0 <= x <= row["width"] and 0 <= y <= row["height"]):
            yield f"keypoint [{x}, {y}] lies out of the image"


def _box_3d(row: Row, number: int) -> Iterator[str]:
    objects, camera = row["objects"], row["camera"]
    world = transform_points(objects["object_to_world"][number], box_corners(objects["size_m"][number]))
    corners = transform_points(camera["world_to_camera"], world)
    if not np.allclose(objects["bbox_3d_m"][number], corners, rtol=0, atol=1e-5):
        yield "bbox_3d_m is not the box of object_to_world and size_m"
    if corners[:, 2].min() > 0:
        pixels = project(world, camera["intrinsics"], camera["world_to_camera"], camera["distortion"])
        pixels[~within_lens(corners[:, :2] / corners[:, 2:], camera["distortion"])] = np.nan
        told = [pixel or (np.nan, np.nan) for pixel in objects["bbox_3d_px"][number]]
        if not np.allclose(np.array(told, float), pixels, rtol=1e-4, atol=0.01, equal_nan=True):
            yield "bbox_3d_px is not bbox_3d_m, projected"


def _against_mask(row: Row, number: int, own: np.ndarray) -> Iterator[str]:
    objects = row["objects"]
    if "obb" in objects:
        yield from _obb(np.array(objects["obb"][number], float), own)
    if "keypoints" in objects:
        near = binary_dilation(own, iterations=3)
        for x, y, visibility in objects["keypoints"][number]:
            column, line = min(int(x), row["width"] - 1), min(int(y), row["height"] - 1)
            if visibility == VISIBLE and not near[line, column]:
                yield f"keypoint [{x}, {y}] is said to be visible, and its product is not seen there"


def _obb(corners: np.ndarray, own: np.ndarray) -> Iterator[str]:
    """All pixels lie within, and each side is touched."""
    rows, columns = np.nonzero(own)
    centres = np.column_stack([columns, rows]) + 0.5
    sides = np.roll(corners, -1, axis=0) - corners
    lengths = np.linalg.norm(sides, axis=1, keepdims=True)
    normals = np.column_stack([-sides[:, 1], sides[:, 0]]) / np.maximum(lengths, 1e-9)
    inwards = np.sum((corners.mean(axis=0) - corners) * normals, axis=1, keepdims=True) >= 0
    distances = (centres[:, None] - corners[None]) * np.where(inwards, normals, -normals)[None]
    nearest = distances.sum(axis=2).min(axis=0)
    if nearest.min() < 0:
        yield "obb does not hold all of the product"
    elif nearest.max() > 1:
        yield "obb is larger than the product"


def _semantic(row: Row, record, image, ids) -> Iterator[str]:
    wanted = np.zeros_like(ids)
    for instance_id, label_id in zip(
        row["objects"]["instance_id"], row["objects"]["category_id"], strict=True
    ):
        wanted[ids == instance_id] = label_id + 1
    if not np.array_equal(image[""], wanted):
        yield f"{np.count_nonzero(image[''] != wanted)} pixels have another class than their instance"


def _parts(row: Row, record, image, ids) -> Iterator[str]:
    if not np.array_equal(image[""] > 0, ids > 0):
        yield "parts are not where products are"
    if image[""].max(initial=0) > len(record.get("parts", ())):
        yield f"part {image[''].max()} is not in dataset.json's list of {len(record.get('parts', ()))}"


def _soft_masks(row: Row, record, image, ids) -> Iterator[str]:
    wanted = {f"instance_{placed['instance_id']}" for placed in row["shot"]["products"]}
    if set(image) != wanted:
        yield f"has the channels {sorted(image)}, the shot {sorted(wanted)}"
        return
    for name, share in image.items():
        if not (share.min() >= 0 and share.max() <= 1 + _ROUNDING):
            yield f"{name} is not between 0 and 1"
        if not (share[ids == int(name.removeprefix("instance_"))] > 0).all():
            yield f"{name} covers nothing of a pixel that the mask gives it"


def _normals(row: Row, record, image, ids) -> Iterator[str]:
    length = np.linalg.norm([image[name] for name in "RGB"], axis=0)
    if not np.isclose(length[ids > 0], 1, atol=_ROUNDING).all():
        yield "normals of products do not have length 1"


def _albedo(row: Row, record, image, ids) -> Iterator[str]:
    """The blackest surface sends some light back; but one that shines by itself may send none."""
    products = ids > 0
    lit = any(channel[products].any() for channel in image.values())
    if np.count_nonzero(products) >= _ENOUGH_PIXELS and not lit:
        yield "all products are black"


def _depth(row: Row, record, image, ids) -> Iterator[str]:
    """Each product's depth lies within its box in space."""
    (values,) = image.values()
    whole_steps = values.dtype.kind in "iu"
    depth_m = values * DEPTH_STEP_M if whole_steps else values
    objects = row["objects"]
    for number, instance_id in enumerate(objects["instance_id"]):
        own = depth_m[(ids == instance_id) & ((values > 0) | (not whole_steps))]  # 0 is too far for a PNG
        corners = transform_points(
            objects["object_to_camera"][number], box_corners(objects["size_m"][number])
        )
        near, far = corners[:, 2].min() - _SLACK_M, corners[:, 2].max() + _SLACK_M
        if own.size and not (near <= own.min() and own.max() <= far):
            yield f"object {number} is {own.min():.4f} to {own.max():.4f} m away, its box in space elsewhere"


def _nocs(row: Row, record, image, ids) -> Iterator[str]:
    """Scaled back and projected, each coordinate comes to its pixel."""
    coordinates = np.stack([image[name] for name in "RGB"], axis=-1).astype(float)
    if coordinates[ids == 0].any():
        yield "there are coordinates where no product is"
    camera, objects = row["camera"], row["objects"]
    intrinsics = np.array(camera["intrinsics"])
    for number, instance_id in enumerate(objects["instance_id"]):
        own = ids == instance_id
        size_m = np.array(objects["size_m"][number])
        points = (coordinates[own] - 0.5) * np.linalg.norm(size_m) + [0, 0, size_m[2] / 2]
        seen = transform_points(objects["object_to_camera"][number], points)
        if not own.any() or seen[:, 2].min() <= 0:
            continue
        pixels = distort(seen[:, :2] / seen[:, 2:], camera["distortion"]) @ intrinsics[:2, :2].T
        rows, columns = np.nonzero(own)
        off_px = np.abs(pixels + intrinsics[:2, 2] - np.column_stack([columns, rows]) - 0.5).max()
        if off_px > _SLACK_PX:
            yield f"coordinates of object {number} lie up to {off_px:.1f} px from their pixels"


_CHECKS = {
    "semantic": _semantic,
    "parts": _parts,
    "soft_masks": _soft_masks,
    "normals": _normals,
    "albedo": _albedo,
    "depth": _depth,
    "nocs": _nocs,
}
