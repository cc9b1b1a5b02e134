"""Contact sheet: many images on one page, each with its caption.

In: images with captions, or the folder of a data set. Out: one Pillow image.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import spread_rows
from blendgen.dataset.ownership import SHEET_MARK
from blendgen.dataset.packed import ImageFiles, picture
from blendgen.dataset.store import read_record
from blendgen.errors import DatasetError
from blendgen.files.disk import raise_if_passing
from blendgen.files.photos import IMAGE_ERRORS
from blendgen.reports.caption import draw_caption
from blendgen.scene.row import Row

_GAP_PX = 6
_CAPTION_PX = 18
_BACKGROUND = (245, 245, 245)
_INK = (30, 30, 30)
_BOX_COLORS = ((230, 60, 60), (60, 120, 230), (40, 160, 70), (220, 150, 20))


def contact_sheet(images: Sequence[tuple[Image.Image, str]], columns: int, cell_px: int) -> Image.Image:
    """A page of (image, caption) pairs, each image scaled into a square cell of cell_px pixels."""
    rows = -(-len(images) // columns)
    step = cell_px + _GAP_PX
    size = (columns * step + _GAP_PX, rows * (step + _CAPTION_PX) + _GAP_PX)
    page = Image.new("RGB", size, _BACKGROUND)
    draw = ImageDraw.Draw(page)
    for number, (image, caption) in enumerate(images):
        x = _GAP_PX + number % columns * step
        y = _GAP_PX + number // columns * (step + _CAPTION_PX)
        fitted = image.convert("RGB")
        fitted.thumbnail((cell_px, cell_px), Image.Resampling.LANCZOS)
        page.paste(fitted, (x + (cell_px - fitted.width) // 2, y + (cell_px - fitted.height) // 2))
        draw_caption(draw, (x + 2, y + cell_px + 2), caption, _INK, cell_px - 4)
    return page


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


def with_boxes(image: Image.Image, boxes: Sequence[Sequence[float]]) -> Image.Image:
    """A copy of an image with boxes drawn on it; boxes: (x, y, width, height) in pixels."""
    marked = image.convert("RGB")
    draw = ImageDraw.Draw(marked)
    for number, (x, y, width, height) in enumerate(boxes):
        color = _BOX_COLORS[number % len(_BOX_COLORS)]
        draw.rectangle((x, y, x + width - 1, y + height - 1), outline=color)
    return marked


def dataset_sheet(
    folder: Path,
    limit: int = 60,
    columns: int = 10,
    boxes: bool = False,
    captions: Mapping[int, str] | None = None,
) -> Image.Image:
    """The contact sheet of a data set: `limit` of its images, evenly spaced.

    captions: by image index; replace the labels
    """
    captions = captions or {}
    chosen = spread_rows(Layout(folder).manifest, limit)
    files = ImageFiles.of(Layout(folder), read_record(Layout(folder)))
    images = [(_image(files, row, boxes), captions.get(row.index) or _caption(row)) for row in chosen]
    widest = max((max(row.width, row.height) for row in chosen), default=64)
    return contact_sheet(images, min(columns, max(len(chosen), 1)), min(max(widest, 96), 224))


def _image(files: ImageFiles, row: Row, boxes: bool) -> Image.Image:
    path = files.layout.root / row.image.name
    try:
        with Image.open(picture(files.file(row.image.name))) as opened:
            image = opened.convert("RGB")
    except IMAGE_ERRORS as error:
        raise_if_passing(path, error)
        raise DatasetError(
            f"{path}: cannot be read ({error}); delete it, and the same command makes it again"
        ) from None
    return with_boxes(image, row.objects.bbox) if boxes else image


def _caption(row: Row) -> str:
    colorways = [name for name in row.objects.colorway[:1] if name != "default" and name not in row.label]
    return " ".join([str(row.index), row.label, *colorways])
