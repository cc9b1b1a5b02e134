"""Row checks: one row against its mask, its Shot and the list of classes.

In: a row, the classes, and the instance mask where there is one. Out: what is wrong, in words. Each check
derives a number independently of the code that made it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from blendgen.geometry.projection import (
    NO_DISTORTION,
    box_of_mask,
    distort,
    transform_points,
    within_lens,
)
from blendgen.scene.folder_names import image_place
from blendgen.scene.row import Row
from blendgen.scene.shot import Camera, PlacedProduct

_SLACK_PX = 1.5
_TOLERANCE = 1e-6
_ROUNDING = 5e-7  # of visible_fraction in a row
_CAMERA = ("intrinsics", "world_to_camera", "distortion", "focal_length_mm", "sensor_width_mm")
# columns of objects, and what a product of the shot calls them
_SHARED = (("product", "product"), ("colorway", "colorway"), ("category", "label"), ("case", "case"))
# of a box of 1 m that stands on z = 0: its corners, and points between them, as a lens bends straight lines
_CORNERS = np.array([(sx / 2, sy / 2, sz) for sx in (-1, 1) for sy in (-1, 1) for sz in (0, 1)])
_BETWEEN = np.unique(
    np.concatenate([_CORNERS + t * (_CORNERS[:, None] - _CORNERS) for t in (0.0, 0.25, 0.5)]).reshape(-1, 3),
    axis=0,
)


def row_faults(row: Row, classes: Sequence[str], mask: np.ndarray | None) -> Iterator[str]:
    """What is wrong with a row, a message for each fault.

    mask: (h, w) instance ids; None skips the checks of the mask
    """
    yield from _names(row, classes)
    yield from _numbers(row, classes)
    yield from _shot(row)
    for number in range(len(row.objects)):
        yield from (f"object {number}: {what}" for what in _object(row, number))
    if mask is not None:
        yield from _mask(row, mask)


def _names(row: Row, classes: Sequence[str]) -> Iterator[str]:
    if row.label not in classes:
        yield f"label {row.label!r} is not a class of dataset.json"
    elif row.label_id != classes.index(row.label):
        yield f"label_id {row.label_id} is not that of {row.label!r}"
    stem = f"/{row.split}/{image_place(row.label, row.index)}."
    for name, file in row.files.items():
        if stem not in file.name:
            yield f"the {name} {file.name!r} is not where split, label and index put it"


def _numbers(row: Row, classes: Sequence[str]) -> Iterator[str]:
    objects = row.objects
    if len(set(objects.instance_id)) < len(objects):
        yield "objects: an instance_id occurs twice"
    for label, label_id in zip(objects.category, objects.category_id, strict=True):
        if label not in classes or classes.index(label) != label_id:
            yield f"objects: category_id {label_id} is not that of {label!r}"


def _shot(row: Row) -> Iterator[str]:
    shot, subject = row.shot, row.shot.products[0]
    if (subject.label, subject.label_id) != (row.label, row.label_id):
        yield f"label {row.label!r}, but the subject of the shot is {subject.label!r}"
    if shot.split != row.split:
        yield f"split {row.split!r}, but the shot was sampled for {shot.split!r}"
    if shot.index != row.shot_index or row.exposure.index != row.index:
        yield "index or shot_index is not that of the shot or exposure"
    if shot.camera.resolution != (row.width, row.height):
        yield "width and height are not the camera's"
    for name in _CAMERA:
        if not _is_close(getattr(shot.camera, name), getattr(row.camera, name)):
            yield f"camera.{name} is not the shot's"
    placed = {product.instance_id: product for product in shot.products}
    for number, instance_id in enumerate(row.objects.instance_id):
        if instance_id not in placed:
            yield f"object {number}: the shot does not have an instance {instance_id}"
            continue
        faults = _placed(row, number, placed[instance_id], shot.camera)
        yield from (f"object {number}: {what}" for what in faults)


def _placed(row: Row, number: int, product: PlacedProduct, camera: Camera) -> Iterator[str]:
    objects = row.objects
    for column, own in _SHARED:
        values = getattr(objects, column)
        value, expected = None if values is None else values[number], getattr(product, own)
        if value != expected:
            yield f"{column} {value!r}, in the shot {expected!r}"
    if not _is_close(objects.object_to_world[number], product.object_to_world):
        yield "object_to_world is not the shot's"
    object_to_camera = np.array(camera.world_to_camera) @ np.array(product.object_to_world)
    if not _are_near(np.array(objects.object_to_camera[number]), object_to_camera):
        yield "object_to_camera is not that of the camera and the product"


def _is_close(values, others) -> bool:
    """Whether two numbers, or nested tuples of them, are the same but for rounding; most are equal."""
    return values == others or _are_near(np.array(values, float), np.array(others, float))


def _are_near(values: np.ndarray, others: np.ndarray) -> bool:
    return values.shape == others.shape and bool((np.abs(values - others) <= _TOLERANCE).all())


def _object(row: Row, number: int) -> Iterator[str]:
    objects = row.objects
    box, amodal = objects.bbox[number], objects.bbox_amodal[number]
    for name, (x, y, width, height) in (("bbox", box), ("bbox_amodal", amodal)):
        if min(width, height) < 1:
            yield f"{name} is empty"
        if x < 0 or y < 0 or x + width > row.width or y + height > row.height:
            yield f"{name} {[x, y, width, height]} extends beyond the image"
    if not _contains(amodal, box):
        yield f"bbox {box} extends beyond bbox_amodal {amodal}"
    area, share = objects.area[number], objects.visible_fraction[number]
    if not 0 <= share <= 1:
        yield f"visible_fraction is {share}"
    elif area / (share + _ROUNDING) > amodal[2] * amodal[3] or area > box[2] * box[3]:
        yield f"area {area} and visible_fraction {share} do not fit the boxes"
    yield from _pose(row, number)


def _pose(row: Row, number: int) -> Iterator[str]:
    """The product's box in space, projected, must contain its box in the image."""
    objects, camera = row.objects, row.camera
    is_straight = camera.distortion == NO_DISTORTION
    box = (_CORNERS if is_straight else _BETWEEN) * objects.size_m[number]
    world = transform_points(objects.object_to_world[number], box)
    in_camera = transform_points(camera.world_to_camera, world)
    if in_camera[:, 2].min() <= 0:
        yield "object_to_world puts it behind the camera"
        return
    points = in_camera[:, :2] / in_camera[:, 2:]
    if not is_straight:
        if not within_lens(points, camera.distortion).all():
            return  # the lens cannot show a part of the box
        points = distort(points, camera.distortion)
    intrinsics = np.array(camera.intrinsics)
    pixels = points @ intrinsics[:2, :2].T + intrinsics[:2, 2]
    (x_min, y_min), (x_max, y_max) = pixels.min(axis=0).tolist(), pixels.max(axis=0).tolist()
    low, high = (max(x_min, 0), max(y_min, 0)), (min(x_max, row.width), min(y_max, row.height))
    left, top, width, height = objects.bbox_amodal[number]
    is_left_or_above = left < low[0] - _SLACK_PX or top < low[1] - _SLACK_PX
    if is_left_or_above or left + width > high[0] + _SLACK_PX or top + height > high[1] + _SLACK_PX:
        yield "object_to_world does not fit bbox_amodal: projected, its box in space is elsewhere"


def _contains(outer, inner) -> bool:
    return (
        outer[0] <= inner[0]
        and outer[1] <= inner[1]
        and outer[0] + outer[2] >= inner[0] + inner[2]
        and outer[1] + outer[3] >= inner[1] + inner[3]
    )


def _mask(row: Row, mask: np.ndarray) -> Iterator[str]:
    objects = row.objects
    present = set(np.unique(mask).tolist()) - {0}
    if present != set(objects.instance_id):
        yield f"the mask shows instances {sorted(present)}, the row has {sorted(objects.instance_id)}"
    for number, instance_id in enumerate(objects.instance_id):
        own = mask == instance_id
        if own.any() and box_of_mask(own) != objects.bbox[number]:
            yield f"object {number}: bbox {objects.bbox[number]}, in the mask {box_of_mask(own)}"
        if int(own.sum()) != objects.area[number]:
            yield f"object {number}: area {objects.area[number]}, in the mask {int(own.sum())}"
