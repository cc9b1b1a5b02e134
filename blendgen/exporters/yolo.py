"""YOLO, as ultralytics reads it: images/<split>/, labels/<split>/ and data.yaml.

One line per object: class number and numbers from 0 to 1: the visible box (detect), the outline of its
parts and holes, joined by lines without an area (segment), the four corners of the smallest rotated box,
also those beyond the border of the image (obb), or the box and the keypoints (pose: x, y and 0 for not
labelled, 1 for hidden, 2 for visible; every line has the keypoints of all classes). `classify` is an
ImageFolder, <split>/<class>/.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import numpy as np
import yaml

from blendgen.dataset.source import Source
from blendgen.errors import DatasetError, UsageError
from blendgen.exporters.destination import Destination
from blendgen.exporters.exporter import LIMITS, Exporter, Options
from blendgen.exporters.full_folders import FullFolders
from blendgen.exporters.imagefolder import check_limits, export_imagefolder
from blendgen.exporters.keypoints import KeypointUnion, keypoint_union
from blendgen.exporters.regions import joined, polygons
from blendgen.geometry.oriented_box import oriented_box
from blendgen.scene.row import Row

_ROUNDING = 0.5e-6  # of the numbers in a line
_MIN_SIDE_PX = 10  # of images that ultralytics reads
_log = logging.getLogger(__name__)


def export_yolo(source: Source, destination: Destination, options: Options, advance: Callable[[int], None]):
    if options.task == "classify":
        return export_imagefolder(source, destination, options, advance)
    _refuse_without_training(source)
    objects = clipped = small = 0
    full = FullFolders()
    union = keypoint_union(source) if options.task == "pose" else None
    for row in source.rows():
        small += min(row.width, row.height) < _MIN_SIDE_PX
        stem, suffix = f"{full.next(row.split)}{row.index:06d}", source.path(row).suffix
        destination.place(source.path(row), f"images/{row.split}/{stem}{suffix}")
        shapes = list(_points(source, row, union) if union else _shapes(source, row, options.task))
        if options.task == "obb":
            clipped += sum(map(_exceeds_image, shapes))
            shapes = [np.clip(shape, 0, 1) if _exceeds_image(shape) else shape for shape in shapes]
        lines = [_line(*numbered) for numbered in zip(row.objects.category_id, shapes, strict=True)]
        objects += len(lines)
        destination.write_text(f"labels/{row.split}/{stem}.txt", "".join(lines))
        advance(1)
    destination.write_text("data.yaml", _data_yaml(source, union))
    if small:
        _log.warning("ultralytics ignores %d images with a side of less than %d px", small, _MIN_SIDE_PX)
    counts = {"images": source.images, "objects": objects}
    return counts | _report_clipped(clipped, objects)


def _report_clipped(clipped: int, objects: int) -> dict[str, int]:
    """Warn of rotated boxes that are not whole; returns their number for the result."""
    if not clipped:
        return {}
    _log.warning(
        "obb: the boxes of %d of %d objects reach beyond the image so far that ultralytics would reject it; "
        "they are clipped at its border; with output.obb, the manifest has them whole (objects.obb)",
        clipped, objects,
    )  # fmt: skip
    return {"objects_clipped": clipped}


def _refuse_without_training(source: Source) -> None:
    if "train" not in source.splits:
        raise DatasetError(
            f"{source.root}: has no split train, which ultralytics requires; its splits are "
            f"{', '.join(source.splits)}"
        )


def _check(options: Options) -> None:
    if options.crops is not None and options.task != "classify":
        raise UsageError(f"crops: an option of the task classify, not of {options.task}")
    if options.task == "classify":
        check_limits(options)


def _shapes(source: Source, row: Row, task: str) -> Iterator[np.ndarray]:
    """(n, 2) numbers per object, in sizes of the image: centre and size of the box, or corners."""
    objects, size = row.objects, np.array([row.width, row.height])
    if task == "detect":
        yield from (_box(box, size) for box in objects.bbox)
    else:
        for own in source.object_masks(row):
            yield (oriented_box(own) if task == "obb" else joined(polygons(own))) / size


def _exceeds_image(corners: np.ndarray) -> bool:
    """Whether a rotated box is wider or higher than the image.

    ultralytics rejects an image with such a label. It accepts other corners beyond the border, and clips the
    sides between them where it needs to; to corners that are clipped it would fit another rectangle.
    source: ultralytics, verify_image_label in data/utils.py, xyxyxyxy2xywhr in utils/ops.py
    """
    return bool(np.ptp(corners, axis=0).max() > 1 + _ROUNDING)


def _points(source: Source, row: Row, union: KeypointUnion) -> Iterator[np.ndarray]:
    """Per object: centre and size of the box, then x, y and visibility of each keypoint."""
    objects, size = row.objects, np.array([row.width, row.height])
    for box, label, points in zip(objects.bbox, objects.category, objects.keypoints or (), strict=True):
        spread = np.array(union.spread(source.keypoint_names(label), points), float)
        spread[:, :2] = np.clip(spread[:, :2] / size, 0, 1)
        yield np.concatenate([_box(box, size).ravel(), spread.ravel()])


def _box(box, size: np.ndarray) -> np.ndarray:
    x, y, width, height = box
    return np.array([(x + width / 2, y + height / 2), (width, height)]) / size


def _line(category_id: int, numbers: np.ndarray) -> str:
    return f"{category_id} {' '.join(f'{value:.6f}' for value in numbers.ravel())}\n"


def _data_yaml(source: Source, union: KeypointUnion | None) -> str:
    splits = {split: f"images/{split}" for split in source.splits}
    # without `path`, ultralytics uses the folder of the file; it requires train and val
    if "val" not in splits:
        other = "test" if "test" in splits else "train"
        splits["val"] = splits[other]
        _log.warning("data.yaml: there is no split val, so ultralytics validates on %s", other)
    data = {**splits, "names": dict(enumerate(source.classes))}
    if union is not None:
        data |= {"kpt_shape": [len(union.names), 3], "flip_idx": list(union.flips)}
        data["kpt_names"] = {number: list(union.names) for number in data["names"]}
    return yaml.safe_dump(data, allow_unicode=True, sort_keys=False)


EXPORTER = Exporter(
    name="yolo",
    summary="one text file for each image and data.yaml, as ultralytics reads them",
    write=export_yolo,
    options=("task", "crops", *LIMITS),
    check=_check,
)
