"""Fields: the arrays of an image, by name: one for each label file, one for each column of its objects.

In: a row and the name of a field. Out: an array. Arrays of objects have one entry for each, in the order of
the row. Pixels and metres are float32, as networks take them; ids are integers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from blendgen.dataset.label_array import ArraySpec
from blendgen.dataset.label_registry import IMAGE, LABEL_FILES, MASK
from blendgen.dataset.source import Source
from blendgen.errors import DatasetError, UsageError, did_you_mean
from blendgen.geometry.arrays import AnyArray
from blendgen.scene.row import Row

# without the columns of names; the second side of keypoints is that of the class with the most
_OBJECTS = {
    "bbox": ArraySpec((None, 4), "float32"),
    "bbox_amodal": ArraySpec((None, 4), "float32"),
    "category_id": ArraySpec((None,), "int64"),
    "area": ArraySpec((None,), "float32"),
    "visible_fraction": ArraySpec((None,), "float32"),
    "instance_id": ArraySpec((None,), "int64"),
    "object_to_world": ArraySpec((None, 4, 4), "float32"),
    "object_to_camera": ArraySpec((None, 4, 4), "float32"),
    "size_m": ArraySpec((None, 3), "float32"),
    "truncation": ArraySpec((None,), "float32"),
    "obb": ArraySpec((None, 4, 2), "float32"),
    "keypoints": ArraySpec((None, None, 3), "float32"),
    "bbox_3d_m": ArraySpec((None, 8, 3), "float32"),
    "bbox_3d_px": ArraySpec((None, 8, 2), "float32"),
}
ALWAYS = ("label_id", "index")  # in every item
_UNKNOWN_PIXEL = (float("nan"), float("nan"))
FIELDS = {name: kind.array.spec for name, kind in LABEL_FILES.items()} | _OBJECTS


def checked_fields(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names; raises UsageError for one that is not a field."""
    for name in names:
        if name in ALWAYS:
            raise UsageError(f"{name} is in every item and not a field; leave it out")
        if name not in FIELDS:
            raise UsageError(f"images have no field {name!r}{did_you_mean(name, FIELDS)}")
    return names


def default_fields(row: Row) -> tuple[str, ...]:
    """The image, and its mask if there is one."""
    return (IMAGE.name, MASK.name) if MASK.name in row.files else (IMAGE.name,)


def read_field(source: Source, row: Row, name: str) -> AnyArray:
    """The array of a field; raises DatasetError if the data set does not have it, or if it cannot be read."""
    if name in _OBJECTS:
        return _of_objects(source, row, name)
    if name not in row.files:
        raise _missing(source, row, name)
    if name == IMAGE.name:
        return source.image(row)
    if name == MASK.name:
        return source.instance_mask(row).astype(FIELDS[name].dtype)
    kind = LABEL_FILES[name]
    try:
        return kind.array.of(source.channels(row, kind), row)
    except KeyError as error:
        raise DatasetError(
            f"{source.path(row, kind)}: does not have the channel {error}; run `blendgen verify` to list "
            "what else is wrong"
        ) from None


def _of_objects(source: Source, row: Row, name: str) -> AnyArray:
    values, (shape, dtype) = getattr(row.objects, name), FIELDS[name]
    if values is None:
        raise _missing(source, row, name)
    if name == "keypoints":
        return _padded(source, values)
    if name == "bbox_3d_px":
        values = [[_UNKNOWN_PIXEL if pixel is None else pixel for pixel in corners] for corners in values]
    sides = [side for side in shape[1:] if side is not None]
    try:
        return np.array(values, dtype).reshape(len(values), *sides)
    except ValueError:
        raise DatasetError(
            f"{source.place(row)}: objects.{name} does not have {' x '.join(map(str, sides))} numbers for "
            "each object; delete its row from manifest.jsonl and generate again"
        ) from None


def _padded(source: Source, points: tuple[Any, ...]) -> AnyArray:
    """(n, k, 3); zeros, whose visibility is 0, after the last keypoint of a class that has fewer than k."""
    named = [len(source.keypoint_names(label)) for label in source.keypoints]
    padded = np.zeros((len(points), max([*named, *map(len, points)], default=0), 3), np.float32)
    for number, own in enumerate(points):
        padded[number, : len(own)] = np.reshape(own, (-1, 3))
    return padded


def _missing(source: Source, row: Row, name: str) -> DatasetError:
    return DatasetError(
        f"{source.place(row)}: has no {name}; choose other fields, or ask for it in `output` of the spec and "
        "generate again"
    )
