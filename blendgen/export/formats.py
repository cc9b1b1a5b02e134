"""Formats: every export by its name, and what each is for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from blendgen.export.bop import export_bop
from blendgen.export.coco import export_coco
from blendgen.export.croissant import export_croissant
from blendgen.export.csv import export_csv
from blendgen.export.destination import Destination
from blendgen.export.huggingface import export_hf
from blendgen.export.imagefolder import export_imagefolder
from blendgen.export.options import Exporter, Options
from blendgen.export.parquet import export_parquet
from blendgen.export.source import open_source
from blendgen.export.voc import export_voc
from blendgen.export.webdataset import export_webdataset
from blendgen.export.yolo import export_yolo

EXPORTERS: dict[str, Exporter] = {
    "imagefolder": export_imagefolder,
    "coco": export_coco,
    "yolo": export_yolo,
    "voc": export_voc,
    "webdataset": export_webdataset,
    "parquet": export_parquet,
    "hf": export_hf,
    "croissant": export_croissant,
    "csv": export_csv,
    "bop": export_bop,
}


def export(
    folder: Path,
    name: str,
    dest: Path,
    options: Options,
    link: str = "hard",
    force: bool = False,
    advance: Callable[[int], None] = lambda count: None,
    begin: Callable[[int], None] = lambda total: None,
) -> dict[str, Any]:
    """Export a data set; returns counts. raises: DatasetError, SetupError"""
    source = open_source(folder)
    identity = {"format": name, **source.identity, **vars(options)}
    begin(source.images)
    with Destination(dest, identity, link, force, (source.root,)) as destination:
        return EXPORTERS[name](source, destination, options, advance)
