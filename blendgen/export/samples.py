"""Samples: what a classifier is shown: whole images, or a crop round each product.

In: rows. Out: Samples, each with its class and a name that is unique in the data set.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from blendgen.errors import DatasetError
from blendgen.export.destination import Destination
from blendgen.export.source import Source
from blendgen.shot import Row


@dataclass(frozen=True)
class Sample:
    """name: without folder and suffix; box: x, y, width, height of a crop, None for the whole image."""

    row: Row
    name: str
    path: Path
    label: str
    label_id: int
    box: tuple[int, int, int, int] | None = None
    instance_id: int | None = None

    @property
    def suffix(self) -> str:
        return self.path.suffix if self.box is None else ".png"

    def place(self, destination: Destination, name: str) -> None:
        """Put the picture there."""
        if self.box is None:
            destination.place(self.path, name)
        elif not destination.has(name):
            destination.write_bytes(name, self.content())

    def content(self) -> bytes:
        """The bytes of the picture's file; raises DatasetError where the image cannot be read."""
        try:
            if self.box is None:
                return self.path.read_bytes()
            x, y, width, height = self.box
            with Image.open(self.path) as image:
                cut = image.convert("RGB").crop((x, y, x + width, y + height))
        except OSError as error:
            raise DatasetError(f"{self.path}: cannot be read: {error}") from None
        buffer = io.BytesIO()
        cut.save(buffer, "PNG", compress_level=3)
        return buffer.getvalue()


def samples(source: Source, crops: float | None) -> Iterator[Sample]:
    """Whole images, or with `crops` each product's box, wider on each side by that share of it."""
    for row in source.rows():
        path = source.path(row)
        if crops is None:
            yield Sample(row, f"{row['index']:06d}", path, row["label"], row["label_id"])
            continue
        objects = row["objects"]
        for number, box in enumerate(objects["bbox"]):
            name = f"{row['index']:06d}_{objects['instance_id'][number]}"
            label, label_id = objects["category"][number], objects["category_id"][number]
            wider = _wider(box, crops, row["width"], row["height"])
            yield Sample(row, name, path, label, label_id, wider, objects["instance_id"][number])


def _wider(box, share: float, width: int, height: int) -> tuple[int, int, int, int]:
    x, y, w, h = box
    aside, above = round(w * share), round(h * share)
    left, top = max(0, x - aside), max(0, y - above)
    return left, top, min(width, x + w + aside) - left, min(height, y + h + above) - top
