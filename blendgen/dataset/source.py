"""Source: a finished data set, read row by row.

In: a folder that `generate` made. Out: its classes, its splits and its rows in the order of the index.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from blendgen.dataset.label_array import Channels
from blendgen.dataset.label_file import LabelFile, decode
from blendgen.dataset.label_registry import IMAGE, MASK
from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import census, read_row, read_rows
from blendgen.dataset.object_limits import NO_LIMITS, ObjectLimits
from blendgen.dataset.own_files import finished_record
from blendgen.dataset.ownership import SUBSET_KEY
from blendgen.dataset.packed import ImageFile, ImageFiles, opened_path, picture, read_file
from blendgen.dataset.refined import REFINED_KEY
from blendgen.errors import DatasetError
from blendgen.files.disk import raise_if_passing, read_error
from blendgen.files.photos import IMAGE_ERRORS
from blendgen.geometry.arrays import AnyArray, IdsHW, ImageHW3U8, MaskHW
from blendgen.scene.row import Objects, Row
from blendgen.scene.split_names import same_split_fault, split_name_fault, usual_split


@dataclass(frozen=True)
class Source:
    """classes[label_id] is a label

    split_names: split that has images -> its name in the rows that are read here, which is another one in
        exports (see for_loaders)
    digest: of spec and models; rows_sha256: of the manifest
    offsets: where each row starts in the manifest, in bytes; indices: of the image of each row
    row_splits: the split of each row, as a position in split_names
    limits: objects that they exclude are left out of the rows
    """

    root: Path
    name: str
    digest: str
    classes: tuple[str, ...]
    split_names: dict[str, str]
    images: int
    record: dict[str, Any]
    rows_sha256: str
    offsets: Sequence[int]
    indices: Sequence[int]
    row_splits: Sequence[int]
    limits: ObjectLimits = NO_LIMITS

    @cached_property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits that have images, sorted."""
        return tuple(sorted(self.split_names.values()))

    @property
    def keypoints(self) -> dict[str, dict[str, Any]]:
        """Label -> `names`, in the order of a row's keypoints, and `mirrored`, pairs of them; often empty."""
        return self.record.get("keypoints") or {}

    def keypoint_names(self, label: str) -> list[str]:
        return list(self.keypoints.get(label, {}).get("names", ()))

    @property
    def identity(self) -> dict[str, Any]:
        """Identifies the data set and its images: another device makes other images from the same digest."""
        return {"digest": self.digest, "images": self.images, "rows": self.rows_sha256}

    def rows(self) -> Iterator[Row]:
        """All rows; raises DatasetError for a line that is not a row of this data set, for an object with a
        box that is empty or outside the image, and for keypoints that are not those of dataset.json."""
        for row in read_rows(Layout(self.root).manifest):
            yield self._checked(row)

    def row(self, number: int) -> Row:
        """The row of a line, counted from 0; raises DatasetError as `rows` does."""
        row = read_row(Layout(self.root).manifest, number + 1, self.offsets[number])
        return self._checked(row)

    @cached_property
    def _label_ids(self) -> dict[str, int]:
        return {label: label_id for label_id, label in enumerate(self.classes)}

    def _checked(self, row: Row) -> Row:
        """The row, its split by the name in exports, and its clear objects."""
        self._refuse_unknown(row)
        self._refuse_boxes(row)
        self._refuse_keypoints(row)
        split, objects = self.split_names[row.split], self.limits.clear(row.objects)
        if split == row.split and objects is row.objects:
            return row
        return row.model_copy(update={"split": split, "objects": objects})

    def _refuse_unknown(self, row: Row) -> None:
        """Raises DatasetError for a split or class that dataset.json does not list."""
        objects = row.objects
        named = [
            (row.label, row.label_id),
            *zip(objects.category, objects.category_id, strict=True),
        ]
        wrong = next((label for label, label_id in named if self._label_ids.get(label) != label_id), None)
        if row.split not in self.split_names:
            what = f"split {row.split!r} is not in dataset.json"
        elif wrong is not None:
            what = f"class {wrong!r} with this number is not in dataset.json"
        else:
            return
        raise DatasetError(f"{self.place(row)}: {what}; run `blendgen verify` to list what else is wrong")

    def place(self, row: Row) -> str:
        return f"{self.root}: image {row.index} ({row.image.name})"

    def _refuse_boxes(self, row: Row) -> None:
        """Some loaders drop an empty box or one outside the image, others fail hours later."""
        for number, (x, y, width, height) in enumerate(row.objects.bbox):
            inside = min(x, y) >= 0 and x + width <= row.width and y + height <= row.height
            if width > 0 and height > 0 and inside:
                continue
            box = f"a box of {width} x {height} px" if inside else "a box that extends beyond the image"
            raise DatasetError(
                f"{self.place(row)}: object {number} ({row.objects.category[number]}) has {box}; remove "
                "the object from its row in manifest.jsonl, or delete the row and generate again"
            )

    def _refuse_keypoints(self, row: Row) -> None:
        """Where dataset.json names keypoints, each object has those of its class."""
        what = self._keypoint_fault(row.objects) if self.keypoints else None
        if what is not None:
            raise DatasetError(
                f"{self.place(row)}: {what}; delete its row from manifest.jsonl and generate again"
            )

    def _keypoint_fault(self, objects: Objects) -> str | None:
        if objects.keypoints is None:
            return "does not have objects.keypoints, although dataset.json names keypoints"
        for number, (label, points) in enumerate(zip(objects.category, objects.keypoints, strict=True)):
            names = self.keypoint_names(label)
            if len(points) != len(names):
                return (
                    f"object {number} ({label}) has {len(points)} keypoints, dataset.json names {len(names)}"
                )
        return None

    @cached_property
    def _files(self) -> ImageFiles:
        return ImageFiles.of(Layout(self.root), self.record)

    def path(self, row: Row, kind: LabelFile = IMAGE) -> ImageFile:
        """Where a file of the row is; raises DatasetError if that is outside the data set."""
        try:
            return self._files.file(row.files[kind.name].name)
        except ValueError as error:
            raise DatasetError(f"{self.place(row)}: {error}") from None

    def instance_mask(self, row: Row) -> IdsHW:
        """(h, w) uint16 instance ids; raises DatasetError if the data set does not have masks."""
        if MASK.name not in row.files:
            raise DatasetError(
                f"{self.root}: image {row.index} has no mask; set output.masks: true and generate again, "
                "or choose an export without outlines"
            )
        ids = self._pixels(row, MASK)
        if ids.ndim != 2 or ids.dtype.kind not in "ui":
            raise DatasetError(f"{self.path(row, MASK)}: is not a mask of instance ids")
        return ids.astype(np.uint16, copy=False)

    def image(self, row: Row) -> ImageHW3U8:
        """(h, w, 3) uint8 sRGB; raises DatasetError if the image cannot be read."""
        return self._pixels(row, IMAGE, "RGB")

    def channels(self, row: Row, kind: LabelFile) -> Channels:
        """Channels of a label file of the row, by name; raises DatasetError if the file is damaged."""
        path = self.path(row, kind)
        try:
            channels = decode(read_file(path), path.suffix, row.width * row.height)
        except OSError as error:
            raise read_error(opened_path(path), error) from None
        if not channels:
            raise DatasetError(f"{path}: cannot be read; run `blendgen verify` to list what else is wrong")
        height, width = next(iter(channels.values())).shape
        self._refuse_size(row, path, (width, height))
        return channels

    def _pixels(self, row: Row, kind: LabelFile, mode: str | None = None) -> AnyArray:
        """The pixels of an image file of the row, converted to `mode`; raises DatasetError."""
        path = self.path(row, kind)
        try:
            with Image.open(picture(path)) as opened:
                self._refuse_size(row, path, opened.size)
                return np.array(opened if mode is None else opened.convert(mode))
        except IMAGE_ERRORS as error:
            raise_if_passing(opened_path(path), error)
            reason = getattr(error, "strerror", None) or error
            raise DatasetError(
                f"{path}: cannot be read: {reason}; run `blendgen verify` to list what else is wrong"
            ) from None

    def _refuse_size(self, row: Row, path: ImageFile, size: tuple[int, int]) -> None:
        """Called before the file is decoded: a few bytes can claim any size."""
        if size != (row.width, row.height):
            raise DatasetError(
                f"{path}: is {size[0]} x {size[1]} pixels, but its row says {row.width} x {row.height}"
            )

    def object_masks(self, row: Row) -> Iterator[MaskHW]:
        """(h, w) bool of each object; raises DatasetError if the mask does not show one."""
        if not row.objects.bbox:
            return
        mask = self.instance_mask(row)
        for number, instance_id in enumerate(row.objects.instance_id):
            own = mask == instance_id
            if not own.any():
                raise DatasetError(
                    f"{self.path(row, MASK)}: does not show object {number} "
                    f"({row.objects.category[number]}); run `blendgen verify` to list what else is wrong"
                )
            yield own


def open_source(root: Path) -> Source:
    """The data set in a folder; raises DatasetError if there is none."""
    layout = Layout(Path(root))
    record = finished_record(layout)
    name, digest, classes = record["name"], record["digest"], tuple(record["classes"])
    recorded = record["images_per_split"]
    manifest = census(layout.manifest)
    counts, images = manifest.images_per_split, sum(manifest.images_per_split.values())
    if recorded != counts:
        way_out = "run `blendgen generate` again"
        if REFINED_KEY in record:
            way_out = "delete dataset.json and run the same `blendgen refine` again"
        if SUBSET_KEY in record:
            way_out = "delete manifest.jsonl and run the same `blendgen subset` again"
        raise DatasetError(
            f"{root}: dataset.json has {sum(recorded.values())} images, the manifest has {images}: "
            f"a run is in progress or was interrupted; {way_out}"
        )
    _refuse_disorder(layout, manifest.indices)
    splits = {split: split for split in counts}
    return Source(
        layout.root, name, digest, classes, splits, images, record, manifest.sha256, manifest.offsets,
        manifest.indices, manifest.splits,
    )  # fmt: skip


def for_loaders(source: Source) -> Source:
    """The source with the names of splits that loaders know: `validation` is `val`.

    raises: DatasetError for a name that loaders misread
    """
    names = {split: usual_split(split) for split in source.split_names}
    fault = same_split_fault(names)
    for split in names:
        reserved = split_name_fault(split)
        fault = fault or (reserved and f"{split!r} {reserved}")
    if fault:
        raise DatasetError(f"{source.root}: {fault}; change splits in the spec and generate again")
    return replace(source, split_names=names)


def _refuse_disorder(layout: Layout, indices: Sequence[int]) -> None:
    """Raises DatasetError unless the rows are in ascending order of their images, each image once."""
    for line, (before, index) in enumerate(itertools.pairwise(indices), start=2):
        if index <= before:
            raise DatasetError(
                f"{layout.manifest}:{line}: the row of image {index} follows that of image {before} in line "
                f"{line - 1}; run `blendgen generate` again, which sorts the rows and removes duplicates"
            )
