"""CSV: images/ and one table with one line per object (a line without box for an image without objects).

Fields of rows are columns of their own, lists in JSON.

Names are written unchanged, for programs; a spreadsheet would evaluate one that starts with = as a formula.
`quote_formulas` puts a ' in front of such names, which spreadsheets do not display.
source: OWASP, CSV Injection

pandas reads some names as missing values, and names that all look like numbers as numbers, unless it is
called with keep_default_na=False and the type str; a warning says so for such classes.
"""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from blendgen.dataset.source import Source
from blendgen.exporters.destination import Destination
from blendgen.exporters.exporter import LIMITS, Exporter, Options
from blendgen.exporters.full_folders import FullFolders
from blendgen.scene.row import Objects, Row

_IMAGE = ("file_name", "split", "label", "label_id", "width", "height")
_COLUMNS = ("area", "visible_fraction", "product", "colorway", "instance_id")
# source: pandas.read_csv, na_values
_MISSING_TO_PANDAS = {
    *("#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_OBJECT = ("category", "category_id", "x", "y", "w", "h", *_COLUMNS)
_log = logging.getLogger(__name__)


def export_csv(source: Source, destination: Destination, options: Options, advance: Callable[[int], None]):
    _warn_of_numbers_and_missing_values(source.classes)
    fields, full, objects = options.row_fields, FullFolders(), 0
    header = dict.fromkeys((*_IMAGE, *fields.images, *_OBJECT, *fields.objects))
    with destination.opened("labels.csv") as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        table = csv.writer(text)
        table.writerow(header)
        for row in source.rows():
            path, inner = source.path(row), full.next(row.split)
            name = f"images/{row.split}/{inner}{row.index:06d}{path.suffix}"
            destination.place(path, name)
            image = fields.image_values(row) | _image(row, name)
            lines = [fields.object_values(row, number) | line for number, line in _objects(row.objects)]
            objects += len(lines)
            cells = [[_cell((image | line).get(column)) for column in header] for line in lines or [{}]]
            table.writerows([list(map(_quoted, line)) for line in cells] if options.quote_formulas else cells)
            advance(1)
        text.detach()
    return {"images": source.images, "objects": objects}


def _warn_of_numbers_and_missing_values(classes: Sequence[str]) -> None:
    missing = [repr(label) for label in classes if label in _MISSING_TO_PANDAS]
    numbers = all(_is_number(label) for label in classes)
    if missing or numbers:
        what = f"{', '.join(missing)} as missing" if missing else "all classes as numbers"
        _log.warning(
            "labels.csv: pandas reads %s unless it is called with keep_default_na=False, "
            'dtype={"label": str, "category": str}',
            what,
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _image(row: Row, name: str) -> dict[str, Any]:
    values = (name, row.split, row.label, row.label_id, row.width, row.height)
    return dict(zip(_IMAGE, values, strict=True))


def _objects(objects: Objects) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, box in enumerate(objects.bbox):
        columns = (getattr(objects, name)[number] for name in _COLUMNS)
        values = (objects.category[number], objects.category_id[number], *box, *columns)
        yield number, dict(zip(_OBJECT, values, strict=True))


def _cell(value: Any) -> Any:
    """Lists and truth values as JSON."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, bool | list | tuple) else value


def _quoted(cell):
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


EXPORTER = Exporter(
    name="csv",
    summary="images and one table with a line for each object",
    write=export_csv,
    options=("quote_formulas", "fields", *LIMITS),
)
