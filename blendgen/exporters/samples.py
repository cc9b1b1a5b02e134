"""Samples: the images of a classifier: whole images, or a crop around each product.

In: rows. Out: Samples, each with its class and a name that is unique in the data set.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from blendgen.dataset.label_registry import IMAGE, LABEL_FILES
from blendgen.dataset.packed import ImageFile, opened_path, picture, size_of
from blendgen.dataset.source import Source
from blendgen.errors import DatasetError
from blendgen.exporters.destination import Destination
from blendgen.files.disk import raise_if_passing
from blendgen.files.photos import IMAGE_ERRORS
from blendgen.scene.row import Row


@dataclass(frozen=True)
class Sample:
    """name: without folder and suffix; box: x, y, width, height of a crop, None for a whole image;
    extras: other files of the image by kind, such as mask."""

    row: Row
    name: str
    path: ImageFile
    label: str
    label_id: int
    box: tuple[int, int, int, int] | None = None
    instance_id: int | None = None
    extras: dict[str, ImageFile] = field(default_factory=dict)

    @property
    def split(self) -> str:
        return self.row.split

    @property
    def suffix(self) -> str:
        return self.path.suffix if self.box is None else ".png"

    def place(self, destination: Destination, name: str) -> None:
        """Add the image to the destination."""
        if self.box is None:
            destination.place(self.path, name)
        elif not destination.has(name):
            destination.write_bytes(name, self.content())

    def size_bytes(self) -> int:
        """Size of the files, for a crop that of its whole image; raises DatasetError."""
        try:
            return sum(map(size_of, (self.path, *self.extras.values())))
        except OSError as error:
            raise _unreadable(Path(error.filename), error) from None

    def refuse_exr(self) -> None:
        """Raise DatasetError if another file is an EXR file, which image loaders cannot open."""
        for name, path in self.extras.items():
            if path.suffix == ".exr":
                as_png = (
                    f", or generate with output.{name}: png" if ".png" in LABEL_FILES[name].suffixes else ""
                )
                raise DatasetError(
                    f"include: {name} is an EXR file ({path.name}), which loaders of this format cannot "
                    f"open; leave it out, export to webdataset{as_png}"
                )

    def extra_contents(self) -> dict[str, tuple[str, bytes]]:
        """Suffix and bytes of the other files by kind; raises DatasetError as content does."""
        return {name: (path.suffix, _read(path)) for name, path in self.extras.items()}

    def content(self) -> bytes:
        """The bytes of the image file; raises DatasetError if the image cannot be read."""
        if self.box is None:
            return _read(self.path)
        try:
            x, y, width, height = self.box
            with Image.open(picture(self.path)) as image:
                if image.size != (self.row.width, self.row.height):
                    raise ValueError(
                        f"is {image.width} x {image.height} pixels, but its row says "
                        f"{self.row.width} x {self.row.height}"
                    )
                cut = image.convert("RGB").crop((x, y, x + width, y + height))
        except IMAGE_ERRORS as error:
            raise _unreadable(self.path, error) from None
        buffer = io.BytesIO()
        cut.save(buffer, "PNG", compress_level=3)
        return buffer.getvalue()


def samples(source: Source, crops: float | None, extras: tuple[str, ...] = ()) -> Iterator[Sample]:
    """Whole images, or with `crops` the box of each product, enlarged by that fraction on each side."""
    for row in source.rows():
        path = source.path(row)
        if crops is None:
            more = _extra_files(source, row, extras)
            yield Sample(row, f"{row.index:06d}", path, row.label, row.label_id, extras=more)
            continue
        objects = row.objects
        for number, box in enumerate(objects.bbox):
            name = f"{row.index:06d}_{objects.instance_id[number]}"
            label, label_id = objects.category[number], objects.category_id[number]
            wider = _wider(box, crops, row.width, row.height)
            yield Sample(row, name, path, label, label_id, wider, objects.instance_id[number])


def _extra_files(source: Source, row: Row, names: tuple[str, ...]) -> dict[str, ImageFile]:
    available = [name for name in row.files if name != IMAGE.name]
    for name in names:
        if name not in available:
            accepted = f"include accepts {', '.join(available)}" if available else "it has no other files"
            raise DatasetError(
                f"{source.root}: image {row.index} has no {name}; {accepted}; to add more, enable them in "
                "output and generate again"
            )
    return {name: source.path(row, LABEL_FILES[name]) for name in names}


def _read(path: ImageFile) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: ImageFile, error: Exception) -> DatasetError:
    raise_if_passing(opened_path(path), error)
    return DatasetError(f"{path}: cannot be read: {error}; run `blendgen verify` to list what else is wrong")


def _wider(box, share: float, width: int, height: int) -> tuple[int, int, int, int]:
    x, y, w, h = box
    aside, above = round(w * share), round(h * share)
    left, top = max(0, x - aside), max(0, y - above)
    return left, top, min(width, x + w + aside) - left, min(height, y + h + above) - top
