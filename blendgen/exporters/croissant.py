"""Croissant 1.0: images/<split>/<label>/, labels.jsonl, and croissant.json, which describes both.

croissant.json has the sha256 of labels.jsonl, which has the sha256 of every image: the description of a
hundred thousand images is no longer than that of ten. Split and label of an image come from its path, since
readers that guess the types of table columns turn the label 001 into 1.
source: https://docs.mlcommons.org/croissant/docs/croissant-spec.html
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from blendgen.dataset.rows import row_values
from blendgen.dataset.source import Source
from blendgen.exporters.croissant_images import ROW_COLUMNS, TABLE, image_files, record_sets, table_file
from blendgen.exporters.croissant_page import OBJECT_COLUMNS, PAGE, croissant_page
from blendgen.exporters.destination import Destination
from blendgen.exporters.exporter import LIMITS, Exporter, Options
from blendgen.exporters.full_folders import FullFolders
from blendgen.scene.row import Row


def export_croissant(
    source: Source, destination: Destination, options: Options, advance: Callable[[int], None]
):
    digest, full = hashlib.sha256(), FullFolders()
    kinds: set[tuple[str, str]] = set()
    with destination.opened(TABLE) as file:
        for row in source.rows():
            suffix = source.path(row).suffix
            folder = f"images/{row.split}/{row.label}"
            inner = full.next(folder)
            name = f"{folder}/{inner}{row.index:06d}{suffix}"
            destination.place(source.path(row), name)
            line = json.dumps(_table_row(source, row, name), ensure_ascii=False).encode() + b"\n"
            file.write(line)
            digest.update(line)
            kinds.add(("/*" * bool(inner), suffix))
            advance(1)
    files = [table_file(digest.hexdigest()), image_files(sorted(kinds))]
    page = croissant_page(source, files, record_sets(source), options.license)
    destination.write_text(PAGE, json.dumps(page, indent=1, ensure_ascii=False) + "\n")
    return {"images": source.images}


def _table_row(source: Source, row: Row, name: str) -> dict[str, Any]:
    values, objects = row_values(row), row.objects.columns()
    of_objects = [column for column in OBJECT_COLUMNS if column != "keypoints" or source.keypoints]
    return {
        "file_name": name,
        **{column: values[column] for column in ROW_COLUMNS},
        **{column: objects[column] for column in of_objects},
    }


EXPORTER = Exporter(
    name="croissant",
    summary="images, a table of labels, and their description in Croissant 1.0",
    write=export_croissant,
    options=("license", *LIMITS),
)
