"""Gallery: what a report has of single images: columns of its table, thumbnails, records with overlays.

In: rows one by one, with their Measures. Out: chunks, each a name and plain values for JSON, as soon as one
is complete, so that memory does not grow with the images.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from blendgen.dataset.fields import read_field
from blendgen.dataset.label_registry import DEPTH, MASK
from blendgen.dataset.rows import row_line
from blendgen.dataset.source import Source
from blendgen.errors import DatasetError
from blendgen.geometry.arrays import IdsHW, ImageHW3U8
from blendgen.reports.histogram import rounded
from blendgen.reports.measures import Measures
from blendgen.reports.parameters import Value
from blendgen.reports.survey import subject_place
from blendgen.scene.row import Row

THUMBNAIL_PX = 96
SHEET_SIDE = 10  # thumbnails in a row of a sheet, and rows of it
SHEET = SHEET_SIDE**2
ROWS = 5000  # of a chunk of the table
RECORDS = 250  # of a chunk of records
NO_THUMBNAIL, NO_IMAGE = -1, -2  # instead of the number of a thumbnail: not opened; missing or not readable
_OUTLINE_PX = 256  # masks are outlined at most at this size
_DEPTH_PX = 128
_QUALITY = 55
_DIGITS = 4
_LONG_NUMBER = re.compile(r"((?:[:,] |\[)-?[0-9]+\.[0-9]{8})[0-9]+")

Sink = Callable[[str, Any], None]


class Gallery:
    """columns: names of the table, in order; sink: gets each chunk"""

    def __init__(self, source: Source, columns: list[str], sink: Sink):
        self._source, self._columns, self._sink = source, columns, sink
        self._rows: list[list[Any]] = []
        self._records: list[str] = []
        self._sheet: Image.Image | None = None
        self.rows = self.thumbnails = 0

    def add(
        self, line: int, row: Row, values: dict[str, Any], image: ImageHW3U8 | None, is_there: bool
    ) -> None:
        """Add a row of the manifest.

        values: of the columns; image: for its thumbnail, if it was opened; is_there: it can be shown
        """
        without = NO_THUMBNAIL if is_there else NO_IMAGE
        thumbnail = without if image is None else self._add_thumbnail(image)
        cells = {**values, "file": row.image.name, "thumbnail": thumbnail}
        self._rows.append([cells.get(name) for name in self._columns])
        self._records.append(_record(self._source, line, row, with_overlays=image is not None))
        self.rows += 1
        if len(self._rows) == ROWS:
            self._end_rows()
        if len(self._records) == RECORDS:
            self._end_records()

    def close(self) -> None:
        self._end_rows()
        self._end_records()
        self._end_sheet()

    def _add_thumbnail(self, image: ImageHW3U8) -> int:
        if self.thumbnails % SHEET == 0:
            self._end_sheet()
            side = SHEET_SIDE * THUMBNAIL_PX
            self._sheet = Image.new("RGB", (side, side))
        picture = Image.fromarray(image)
        scale = THUMBNAIL_PX / max(picture.size)
        fitted = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
        small = picture.resize(fitted, Image.Resampling.BOX)
        place, number = self.thumbnails % SHEET, self.thumbnails
        x, y = (place % SHEET_SIDE) * THUMBNAIL_PX, (place // SHEET_SIDE) * THUMBNAIL_PX
        corner = x + (THUMBNAIL_PX - small.width) // 2, y + (THUMBNAIL_PX - small.height) // 2
        if self._sheet is not None:
            self._sheet.paste(small, corner)
        self.thumbnails += 1
        return number

    def _end_sheet(self) -> None:
        if self._sheet is None:
            return
        number, used = (self.thumbnails - 1) // SHEET, (self.thumbnails - 1) % SHEET + 1
        height = -(-used // SHEET_SIDE) * THUMBNAIL_PX
        self._sink(f"sheet-{number}", _webp(self._sheet.crop((0, 0, self._sheet.width, height))))
        self._sheet = None

    def _end_rows(self) -> None:
        if self._rows:
            columns = [_column(list(values)) for values in zip(*self._rows, strict=True)]
            self._sink(f"rows-{(self.rows - 1) // ROWS}", dict(zip(self._columns, columns, strict=True)))
            self._rows = []

    def _end_records(self) -> None:
        if self._records:
            packed = gzip.compress(f"[{','.join(self._records)}]".encode(), 6, mtime=0)
            number = (self.rows - 1) // RECORDS
            self._sink(f"records-{number}", base64.b64encode(packed).decode("ascii"))
            self._records = []


def table_values(row: Row, parameters: dict[str, list[Value]], measured: Measures | None) -> dict[str, Any]:
    """The cells of a row by column; those of an object are the subject's."""
    place, objects = subject_place(row), row.objects
    values: dict[str, Any] = {
        "index": row.index, "label": row.label, "split": row.split, "shot": row.shot_index,
        "objects": len(objects), **{name: own[0] for name, own in parameters.items() if own},
    }  # fmt: skip
    if place is not None:
        _, _, width, height = objects.bbox[place]
        values |= {
            "colorway": objects.colorway[place],
            "visible_fraction": objects.visible_fraction[place],
            "size_share": math.sqrt(max(width * height, 0) / (row.width * row.height)),
        }
    if measured is not None:
        names = ("brightness", "sharpness", "noise")
        values |= {name: getattr(measured, name) for name in names}
    return values


def _column(values: list[Any]) -> Any:
    """Names as positions in a list of them, numbers with four digits."""
    if any(isinstance(value, str) for value in values):
        names = sorted({value for value in values if isinstance(value, str)})
        places = {name: place for place, name in enumerate(names)}
        return {"names": names, "codes": [places.get(value, -1) for value in values]}
    return [rounded(value, _DIGITS) if isinstance(value, float) else value for value in values]


def _record(source: Source, line: int, row: Row, with_overlays: bool) -> str:
    """JSON with the row, whose numbers have eight decimals, and the number of its line."""
    overlays: dict[str, Any] = {"line": line}
    if with_overlays and MASK.name in row.files:
        overlays["outlines"] = _outlines(source, row)
    if with_overlays and DEPTH.name in row.files:
        overlays["depth"] = _depth(source, row)
    values = _LONG_NUMBER.sub(r"\1", row_line(row).rstrip())
    return f'{json.dumps(overlays, separators=(",", ":"))[:-1]},"row":{values}}}'


def _outlines(source: Source, row: Row) -> list[list[list[float]]] | None:
    """For each object its polygons, each as x, y, x, y, ... in pixels; None where the mask cannot be read."""
    try:
        ids = source.instance_mask(row)
    except DatasetError:
        return None
    return [
        _rings(ids, instance_id, box)
        for instance_id, box in zip(row.objects.instance_id, row.objects.bbox, strict=True)
    ]


def _rings(ids: IdsHW, instance_id: int, box: Sequence[float]) -> list[list[float]]:
    """The outlines of an object in its box, (0, 0) is the corner of the first pixel; filled by even-odd."""
    from contourpy import contour_generator

    x, y, width, height = (int(side) for side in box)
    own = ids[max(y, 0) : y + height, max(x, 0) : x + width] == instance_id
    step = max(1, -(-max(own.shape, default=1) // _OUTLINE_PX))
    own = np.pad(own[::step, ::step], 1).astype(np.float32)
    if not own.any():
        return []
    lines = contour_generator(z=own).lines(0.5)
    corner = np.array([max(x, 0), max(y, 0)]) - 0.5 * step
    return [(np.asarray(line) * step + corner).round(1).ravel().tolist() for line in lines]


def _depth(source: Source, row: Row) -> dict[str, Any] | None:
    """A grey picture, near is bright, with the depths of white and black in metres."""
    try:
        depth_m = read_field(source, row, DEPTH.name)
    except DatasetError:
        return None
    is_hit = np.isfinite(depth_m)
    if not is_hit.any():
        return None
    near_m, far_m = float(depth_m[is_hit].min()), float(depth_m[is_hit].max())
    share = np.where(is_hit, (far_m - np.where(is_hit, depth_m, far_m)) / max(far_m - near_m, 1e-9), 0)
    picture = Image.fromarray((share * 255).astype(np.uint8))
    picture.thumbnail((_DEPTH_PX, _DEPTH_PX), Image.Resampling.BOX)
    return {"near_m": rounded(near_m), "far_m": rounded(far_m), "webp": _webp(picture)}


def _webp(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=_QUALITY, method=2)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
