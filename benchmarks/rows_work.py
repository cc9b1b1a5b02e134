"""Rows work: what benchmarks.rows measures, over rows without files.

In: the folder of a data set, and one that is free. Out: the number of rows. Each function replaces what looks
at the files of one row by nothing, for its process. Exports note the files that they do not place.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from blendgen import api
from blendgen.dataset import whole_files
from blendgen.dataset.dataset import open_dataset
from blendgen.dataset.layout import Layout
from blendgen.dataset.store import Store, read_record, record_bytes
from blendgen.exporters.destination import Destination
from blendgen.verification import dataset


def resume(folder: Path, out: Path) -> int:
    """What `generate` does in a folder that has all images: read the rows, and sort them at the end."""
    whole_files._is_whole = lambda files, file, check: True
    with Store(folder, read_record(Layout(folder)), (folder / "spec.yaml").read_text()) as store:
        existing = len(store.done())
        return min(existing, store.finish()["images"])


def open_rows(folder: Path, out: Path) -> int:
    return len(open_dataset(folder))


def status(folder: Path, out: Path) -> int:
    return api.status(folder, wait_s=0).images


def count_rows(folder: Path, out: Path) -> int:
    """The status where dataset.json does not count the images, and no run has counted them."""
    out.mkdir()
    os.link(folder / "manifest.jsonl", out / "manifest.jsonl")
    shutil.copy(folder / "spec.yaml", out)
    record = read_record(Layout(folder))
    (out / "dataset.json").write_bytes(record_bytes({**record, "images": None}))
    return status(out, out)


def verify(folder: Path, out: Path) -> int:
    def no_file(files: Any, row: Any, file: Any, place: str, earlier: Any) -> Iterator[Any]:
        if file == row.image:
            earlier.image_with(file.sha256, row.index)
        yield from ()

    dataset._file_faults = no_file
    faults = sum(1 for _ in dataset.verify(folder))
    return read_record(Layout(folder))["images"] - faults


def export_csv(folder: Path, out: Path) -> int:
    return _export(folder, out, "csv")


def export_coco(folder: Path, out: Path) -> int:
    return _export(folder, out, "coco", outlines="none")


def export_imagefolder(folder: Path, out: Path) -> int:
    return _export(folder, out, "imagefolder")


def _export(folder: Path, out: Path, name: str, **options: str) -> int:
    Destination.place = lambda self, source, name: self._note(name, 0)
    api.export(folder, name, out, **options)
    return read_record(Layout(folder))["images"]
