"""Contact sheet: many images on one page, each with its caption, perhaps in groups with headings.

In: images with captions, or the folder of a data set. Out: one Pillow image.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from blendgen.dataset.label_registry import MASK
from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import spread_rows
from blendgen.dataset.ownership import SHEET_MARK
from blendgen.dataset.packed import ImageFiles, picture
from blendgen.dataset.store import read_record
from blendgen.errors import DatasetError
from blendgen.files.disk import raise_if_passing
from blendgen.files.photos import IMAGE_ERRORS
from blendgen.reports.caption import draw_caption
from blendgen.reports.overlays import Overlays, with_overlays
from blendgen.scene.row import Row

_GAP_PX = 6
_CAPTION_PX = 18
_BACKGROUND = (245, 245, 245)
_INK = (30, 30, 30)
_NOTHING = Overlays()
_FADED = 0.7  # how much background an image of an earlier state shows
Captioned = tuple[Image.Image, str]


def contact_sheet(images: Sequence[Captioned], columns: int, cell_px: int) -> Image.Image:
    """A page of (image, caption) pairs, each image scaled into a square cell of cell_px pixels."""
    return grouped_sheet({"": images}, columns, cell_px)


def grouped_sheet(groups: Mapping[str, Sequence[Captioned]], columns: int, cell_px: int) -> Image.Image:
    """As contact_sheet, but each group begins a new row below its heading; no heading: ""."""
    step = cell_px + _GAP_PX
    heights = [
        (_CAPTION_PX if heading else 0) - (-len(images) // columns) * (step + _CAPTION_PX)
        for heading, images in groups.items()
    ]
    page = Image.new("RGB", (columns * step + _GAP_PX, sum(heights) + _GAP_PX), _BACKGROUND)
    top = _GAP_PX
    for (heading, images), height in zip(groups.items(), heights, strict=True):
        if heading:
            draw_caption(ImageDraw.Draw(page), (_GAP_PX + 2, top), heading, _INK, page.width - 2 * _GAP_PX)
        _paste_cells(page, top + (_CAPTION_PX if heading else 0), images, columns, cell_px)
        top += height
    return page


def _paste_cells(
    page: Image.Image, top: int, images: Sequence[Captioned], columns: int, cell_px: int
) -> None:
    draw, step = ImageDraw.Draw(page), cell_px + _GAP_PX
    for number, (image, caption) in enumerate(images):
        x = _GAP_PX + number % columns * step
        y = top + number // columns * (step + _CAPTION_PX)
        fitted = image.convert("RGB")
        fitted.thumbnail((cell_px, cell_px), Image.Resampling.LANCZOS)
        page.paste(fitted, (x + (cell_px - fitted.width) // 2, y + (cell_px - fitted.height) // 2))
        draw_caption(draw, (x + 2, y + cell_px + 2), caption, _INK, cell_px - 4)


def encoded_sheet(page: Image.Image, suffix: str) -> bytes:
    """A page as the bytes of a .png, .jpg, .jpeg or .webp file, with blendgen's mark in its metadata."""
    kind = {".png": "PNG", ".webp": "WEBP"}.get(suffix.lower(), "JPEG")
    buffer, exif, text = io.BytesIO(), Image.Exif(), PngInfo()
    exif[ExifTags.Base.Software] = SHEET_MARK.decode()
    text.add_text("Software", SHEET_MARK.decode())
    options: dict[str, dict[str, Any]] = {
        "PNG": {"pnginfo": text},
        "WEBP": {"exif": exif},
        "JPEG": {"comment": SHEET_MARK},
    }
    page.save(buffer, kind, **options[kind])
    return buffer.getvalue()


@dataclass(frozen=True)
class Cell:
    """An image of a sheet; group: heading of the group that it is in, "" for none"""

    image: Image.Image
    caption: str
    group: str = ""

    def faded(self) -> Cell:
        """The same, as something of an earlier state."""
        background = Image.new("RGB", self.image.size, _BACKGROUND)
        return replace(self, image=Image.blend(self.image.convert("RGB"), background, _FADED))


@dataclass(frozen=True)
class SheetLayout:
    """What the cells of a data set's sheet show, and how many are in a row.

    captions: by image index; replace the labels
    by_class: the images of each class begin a new row below its name
    """

    columns: int = 10
    overlays: Overlays = _NOTHING
    captions: Mapping[int, str] = field(default_factory=dict)
    by_class: bool = False

    def cells(self, files: ImageFiles, rows: Iterable[Row]) -> dict[int, Cell]:
        """By image index."""
        return {row.index: self._cell(files, row) for row in rows}

    def _cell(self, files: ImageFiles, row: Row) -> Cell:
        caption = self.captions.get(row.index) or _caption(row, with_label=not self.by_class)
        return Cell(_image(files, row, self.overlays), caption, row.label if self.by_class else "")

    def sheet(self, cells: Mapping[int, Cell]) -> Image.Image:
        groups: dict[str, list[Captioned]] = {}
        for _, cell in sorted(cells.items()):
            groups.setdefault(cell.group, []).append((cell.image, cell.caption))
        widest = max((max(cell.image.size) for cell in cells.values()), default=64)
        columns = min(self.columns, max((len(images) for images in groups.values()), default=1))
        cell_px = min(max(widest, 96), 224)
        return grouped_sheet(dict(sorted(groups.items())) or {"": []}, columns, cell_px)


def dataset_cells(folder: Path, limit: int, layout: SheetLayout) -> dict[int, Cell]:
    """The cells of `limit` images of a data set, evenly spaced."""
    files = ImageFiles.of(Layout(folder), read_record(Layout(folder)))
    return layout.cells(files, spread_rows(Layout(folder).manifest, limit))


def dataset_sheet(folder: Path, limit: int = 60, layout: SheetLayout | None = None) -> Image.Image:
    """The contact sheet of a data set: `limit` of its images, evenly spaced."""
    layout = layout or SheetLayout()
    return layout.sheet(dataset_cells(folder, limit, layout))


def _image(files: ImageFiles, row: Row, overlays: Overlays) -> Image.Image:
    image = _opened(files, row.image.name).convert("RGB")
    if overlays == _NOTHING:
        return image
    has_mask = overlays.masks and MASK.name in row.files
    ids = np.asarray(_opened(files, row.files[MASK.name].name)) if has_mask else None
    return with_overlays(image, row, overlays, ids)


def _opened(files: ImageFiles, name: str) -> Image.Image:
    path = files.layout.root / name
    try:
        with Image.open(picture(files.file(name))) as opened:
            opened.load()
            return opened
    except IMAGE_ERRORS as error:
        raise_if_passing(path, error)
        raise DatasetError(
            f"{path}: cannot be read ({error}); delete it, and the same command makes it again"
        ) from None


def _caption(row: Row, with_label: bool = True) -> str:
    colorways = [name for name in row.objects.colorway[:1] if name != "default" and name not in row.label]
    return " ".join([str(row.index), *([row.label] if with_label else []), *colorways])
