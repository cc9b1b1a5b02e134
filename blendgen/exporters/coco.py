"""COCO: images/<split>/ and annotations/instances_<split>.json, streamed.

Category ids start at 1, as in COCO and for loaders that use 0 for the background; category k + 1 is class k.
Boxes and areas are those of the visible pixels. If the data set has keypoints, they are in the same files, in
pixels as in the manifest: (0.5, 0.5) is the centre of the top-left pixel. Objects beyond min_visible and
min_area are crowds, which evaluations ignore. Fields of rows are `attributes` of images and annotations.
regions.py turns masks into run lengths and polygons.
"""

from __future__ import annotations

import itertools
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import IO, Any

from blendgen.dataset.source import Source
from blendgen.exporters.destination import Destination
from blendgen.exporters.exporter import LIMITS, Exporter, Options
from blendgen.exporters.full_folders import FullFolders
from blendgen.exporters.regions import polygons, run_lengths
from blendgen.scene.row import Row

_ENCODER = json.JSONEncoder(ensure_ascii=False)
_INSTANCE_ID = "instance_id"  # of objects; FiftyOne reserves the name, so annotations have it as segment_id


def export_coco(source: Source, destination: Destination, options: Options, advance: Callable[[int], None]):
    """Write one file of annotations per split."""
    with ExitStack() as stack:
        parts = {
            split: [stack.enter_context(tempfile.TemporaryFile()) for _ in range(2)]
            for split in source.splits
        }
        ids = itertools.count(1)  # unique in the data set, so that files of splits can be merged
        files = {split: _Annotations(ids, *pair) for split, pair in parts.items()}
        full = FullFolders()
        for row in source.rows():
            path = source.path(row)
            name = f"{full.next(row.split)}{row.index:06d}{path.suffix}"
            destination.place(path, f"images/{row.split}/{name}")
            files[row.split].add(source, row, name, options)
            advance(1)
        for split, file in files.items():
            file.finish(source, destination, split)
        return {split: file.counts() for split, file in files.items()}


class _Annotations:
    """The images and annotations of a split, in temporary files until both are complete."""

    def __init__(self, ids: Iterator[int], images_file: IO[bytes], annotations_file: IO[bytes]):
        self._images_file, self._annotations_file, self._ids = images_file, annotations_file, ids
        self.images = self.annotations = 0

    def counts(self) -> dict[str, int]:
        return {"images": self.images, "annotations": self.annotations}

    def add(self, source: Source, row: Row, name: str, options: Options) -> None:
        self.images += 1
        image_id = row.index + 1
        image = {"id": image_id, "file_name": name, "width": row.width, "height": row.height}
        if options.row_fields.images:
            image["attributes"] = options.row_fields.image_values(row)
        _append(self._images_file, image, self.images)
        masks = source.object_masks(row) if options.outlines != "none" else itertools.repeat(None)
        for number, (box, own) in enumerate(zip(row.objects.bbox, masks, strict=False)):
            self.annotations += 1
            annotation = _annotation(row, number, box, own, options)
            if source.keypoints and row.objects.keypoints is not None:
                annotation |= _keypoints(row.objects.keypoints[number])
            annotation |= {"id": next(self._ids), "image_id": image_id}
            attributes = options.row_fields.object_values(row, number)
            if attributes:
                annotation["attributes"] = _without(annotation, attributes)
            _append(self._annotations_file, annotation, self.annotations)

    def finish(self, source: Source, destination: Destination, split: str) -> None:
        categories = [_category(source, *numbered) for numbered in enumerate(source.classes)]
        head = {"info": {"description": source.name, "version": source.digest[:12]}, "licenses": []}
        with destination.opened(f"annotations/instances_{split}.json") as file:
            file.write(json.dumps(head, ensure_ascii=False)[:-1].encode())
            file.write(f', "categories": {json.dumps(categories, ensure_ascii=False)}'.encode())
            for key, part in (("images", self._images_file), ("annotations", self._annotations_file)):
                file.write(f',\n"{key}": ['.encode())
                part.seek(0)
                shutil.copyfileobj(part, file)
                file.write(b"]")
            file.write(b"}\n")


def _annotation(row: Row, number: int, box, own, options: Options) -> dict[str, Any]:
    objects, outlines = row.objects, options.outlines
    crowd = not options.limits.accept(objects, number)
    annotation = {
        "category_id": objects.category_id[number] + 1,
        "bbox": box,
        "area": objects.area[number],
        "iscrowd": int(crowd),
        "visible_fraction": objects.visible_fraction[number],
        "segment_id": objects.instance_id[number],
    }
    if outlines == "rle" or (crowd and outlines == "polygon"):  # a crowd has run lengths by definition
        annotation["segmentation"] = run_lengths(own)
    elif outlines == "polygon":
        annotation["segmentation"] = [line.ravel().tolist() for line in polygons(own)]
    return annotation


def _without(annotation: dict[str, Any], attributes: dict[str, Any]) -> dict[str, Any]:
    """The attributes that the annotation does not have; FiftyOne would overwrite its category with them."""
    return {name: value for name, value in attributes.items() if name not in {*annotation, _INSTANCE_ID}}


def _category(source: Source, label_id: int, label: str) -> dict[str, Any]:
    category = {"id": label_id + 1, "name": label, "supercategory": "product"}
    if source.keypoints:
        category |= {"keypoints": source.keypoint_names(label), "skeleton": []}
    return category


def _keypoints(points: Sequence[Sequence[float]]) -> dict[str, Any]:
    """The keypoints of an annotation, also of a class without any: evaluations expect the keys everywhere."""
    flat = [value for point in points for value in point]
    return {"keypoints": flat, "num_keypoints": sum(point[2] > 0 for point in points)}


def _append(file, value: dict[str, Any], count: int) -> None:
    file.write((",\n" if count > 1 else "\n").encode() + _ENCODER.encode(value).encode())


EXPORTER = Exporter(
    name="coco",
    summary="boxes, masks and keypoints in one JSON file for each split",
    write=export_coco,
    options=("outlines", "fields", *LIMITS),
    marks_unclear=True,
)
