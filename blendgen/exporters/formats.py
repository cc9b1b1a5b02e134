"""Formats: every export by its name, and what each is for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from blendgen.dataset.source import open_source
from blendgen.exporters.bop import export_bop
from blendgen.exporters.coco import export_coco
from blendgen.exporters.croissant import export_croissant
from blendgen.exporters.csv import export_csv
from blendgen.exporters.destination import Destination
from blendgen.exporters.huggingface import export_hf
from blendgen.exporters.imagefolder import export_imagefolder
from blendgen.exporters.options import Exporter, Options
from blendgen.exporters.parquet import export_parquet
from blendgen.exporters.voc import export_voc
from blendgen.exporters.webdataset import export_webdataset
from blendgen.exporters.yolo import export_yolo

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
