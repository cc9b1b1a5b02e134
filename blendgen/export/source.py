"""Source: a finished data set, read row by row.

In: a folder that `generate` made. Out: its classes, its splits and its rows in the order of the index.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import census, read_rows
from blendgen.errors import DatasetError
from blendgen.shot import Row


@dataclass(frozen=True)
class Source:
    """classes[label_id] is a label; splits: those that have an image, sorted

    digest: of what was to be made; rows_sha256: of what was made
    """

    root: Path
    name: str
    digest: str
    classes: tuple[str, ...]
    splits: tuple[str, ...]
    images: int
    record: dict[str, Any]
    rows_sha256: str

    @property
    def keypoints(self) -> dict[str, dict[str, Any]]:
        """By label: `names`, the order of a row's keypoints, and `mirrored`, pairs of names; often empty."""
        return self.record.get("keypoints") or {}

    def keypoint_names(self, label: str) -> list[str]:
        return list(self.keypoints.get(label, {}).get("names", ()))

    @property
    def identity(self) -> dict[str, Any]:
        """What an export of it is an export of: also the images of another version are others."""
        return {"digest": self.digest, "images": self.images, "rows": self.rows_sha256}

    def rows(self) -> Iterator[Row]:
        """Raises DatasetError for a line that is not a row, or that has an object without extent."""
        for row in read_rows(Layout(self.root).manifest):
            self._refuse_empty_boxes(row)
            yield row

    def _refuse_empty_boxes(self, row: Row) -> None:
        """Some loaders drop such a box, some fail hours later; no format has a place for it."""
        boxes = row["objects"].get("bbox") if isinstance(row.get("objects"), dict) else None
        if not isinstance(boxes, list):
            raise DatasetError(
                f"{self.root}: image {row['index']} ({row['file_name']}): its row in manifest.jsonl has no "
                "objects; `blendgen verify` tells what else is wrong"
            )
        for number, (_, _, width, height) in enumerate(boxes):
            if not (width > 0 and height > 0):
                raise DatasetError(
                    f"{self.root}: image {row['index']} ({row['file_name']}): object {number} "
                    f"({row['objects']['category'][number]}) has a box of {width} x {height} px; take it "
                    "out of the image's row in manifest.jsonl, or delete the row and generate again"
                )

    def path(self, row: Row, key: str = "file_name") -> Path:
        return self.root / row[key]

    def instance_mask(self, row: Row) -> np.ndarray:
        """(h, w) uint16 instance ids; raises DatasetError where the data set has no masks."""
        if "mask_file_name" not in row:
            raise DatasetError(
                f"{self.root}: image {row['index']} has no mask; set output.masks: true and generate again, "
                "or choose an export without outlines"
            )
        path = self.path(row, "mask_file_name")
        try:
            with Image.open(path) as mask:
                return np.asarray(mask).astype(np.uint16, copy=False)
        except OSError as error:
            raise DatasetError(
                f"{path}: cannot be read: {error}; `blendgen verify` tells what else is"
            ) from None

    def object_masks(self, row: Row) -> Iterator[np.ndarray]:
        """(h, w) bool of each object; raises DatasetError where the mask does not show one."""
        if not row["objects"]["bbox"]:
            return
        mask = self.instance_mask(row)
        for number, instance_id in enumerate(row["objects"]["instance_id"]):
            own = mask == instance_id
            if not own.any():
                raise DatasetError(
                    f"{self.path(row, 'mask_file_name')}: shows nothing of object {number} "
                    f"({row['objects']['category'][number]}); `blendgen verify` tells what else is wrong"
                )
            yield own


def open_source(root: Path) -> Source:
    """The data set in a folder; raises DatasetError where there is none."""
    layout = Layout(Path(root))
    try:
        record = json.loads(layout.record.read_text("utf-8"))
        name, digest, classes = record["name"], record["digest"], tuple(record["classes"])
        told = dict(record["images_per_split"])
    except FileNotFoundError:
        raise DatasetError(f"{root}: holds no data set of blendgen (dataset.json is missing)") from None
    except KeyError as error:
        raise DatasetError(
            f"{layout.record}: has no {error}; the run was not finished: run `blendgen generate` again"
        ) from None
    except (OSError, ValueError, TypeError) as error:
        raise DatasetError(f"{layout.record}: cannot be read: {error}") from None
    found = census(layout.manifest)
    there, images = found.images_per_split, sum(found.images_per_split.values())
    if told != there:
        raise DatasetError(
            f"{root}: dataset.json tells of {sum(told.values())} images, the manifest has {images}: "
            "a run goes on or was cut off; run `blendgen generate` again"
        )
    return Source(layout.root, name, digest, classes, tuple(sorted(there)), images, record, found.sha256)
