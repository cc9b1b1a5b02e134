"""Boxed picture: what a detector learns from and is tested on: images of a data set and photos, alike.

In: a Dataset. Out: BoxedPictures: key, group, boxes with classes, and how to read the pixels. Boxes are those
of the visible pixels, as the export coco writes them; objects beyond the limits are its crowds, which are
neither right nor wrong to find.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from blendgen.dataset.dataset import Dataset
from blendgen.dataset.object_limits import ObjectLimits
from blendgen.errors import DatasetError
from blendgen.geometry.arrays import AnyArray, ImageHW3U8
from blendgen.scene.row import Row


@dataclass(frozen=True, eq=False)
class BoxedPicture:
    """key: sha256 of its file; name: for people; group: of pictures that look alike

    size_px: width and height, in which boxes, (n, 4) as x0, y0, x1, y1, are stated; labels: (n,) int64
    is_ignored: (n,) bool, nobody has to find these; read: its pixels, perhaps smaller, raises as that of a
        Picture
    """

    key: str
    name: str
    group: str
    size_px: tuple[int, int]
    boxes: AnyArray
    labels: AnyArray
    is_ignored: AnyArray
    read: Callable[[], ImageHW3U8]


def dataset_pictures(dataset: Dataset, splits: Sequence[str], limits: ObjectLimits) -> list[BoxedPicture]:
    """Of the images of these splits; of all images if the data set has none of them.

    raises: DatasetError where no image has a box of an object within the limits
    """
    own = [split for split in splits if split in dataset.splits]
    chosen = dataset.filter(split=own) if own else dataset
    pictures = [_picture(dataset, row, limits) for row in chosen.rows()]
    if not any((~one.is_ignored).any() for one in pictures):
        raise DatasetError(
            f"{dataset.folder}: no image has a box to train on; a detector needs objects that are visible"
            " (--min-visible, --min-area)"
        )
    return pictures


def _picture(dataset: Dataset, row: Row, limits: ObjectLimits) -> BoxedPicture:
    objects = row.objects
    corners = np.array(objects.bbox, float).reshape(-1, 4)
    corners[:, 2:] += corners[:, :2]
    return BoxedPicture(
        row.image.sha256 or f"{dataset.source.digest}/{row.index}", row.image.name,
        f"shot {row.shot_index}", (row.width, row.height), corners,
        np.array(objects.category_id, np.int64),
        np.array([not limits.accept(objects, number) for number in range(len(corners))], bool),
        partial(dataset.source.image, row),
    )  # fmt: skip


def count_facts(pictures: Sequence[BoxedPicture], classes: Sequence[str]) -> dict[str, Any]:
    """How many pictures and boxes there are, of each class and in all."""
    counts = np.zeros(len(classes), int)
    for one in pictures:
        counts += np.bincount(one.labels[~one.is_ignored], minlength=len(classes))
    return {
        "count": len(pictures), "boxes": int(counts.sum()),
        "ignored": sum(int(one.is_ignored.sum()) for one in pictures),
        "per_class": {label: int(count) for label, count in zip(classes, counts, strict=True)},
    }  # fmt: skip
