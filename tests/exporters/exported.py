"""Exports of a test's data set, and what their tests compare them with."""

from __future__ import annotations

from PIL import Image

from blendgen.exporters.exporter import Options
from blendgen.exporters.formats import export


def run(source, name, dest, **options):
    return export(source.root, name, dest, Options(**options))


def rows_of(source, split):
    return [row for row in source.rows() if row.split == split]


def pixels(path) -> bytes:
    with Image.open(path) as image:
        return image.convert("RGB").tobytes()
