"""The registry of export formats: found by name, and strict about options."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from blendgen.errors import DatasetError, UsageError
from blendgen.exporters import formats
from blendgen.exporters.exporter import Options
from blendgen.exporters.formats import built_in, export, find_exporter

FORMATS = ("bop", "coco", "croissant", "csv", "hf", "imagefolder", "parquet", "voc", "webdataset", "yolo")


def test_every_module_with_a_record_is_a_format():
    assert tuple(built_in()) == FORMATS
    assert all(exporter.summary and "\n" not in exporter.summary for exporter in built_in().values())


def test_no_other_source_file_names_a_format():
    """A new format is one file: its own."""
    package = Path(formats.__file__).parent.parent
    shared = [package / "exporters" / f"{name}.py" for name in ("formats", "destination")]
    shared += [package / "cli" / "__init__.py", package / "api.py"]
    named = {
        path.name: [name for name in FORMATS if f'"{name}"' in path.read_text("utf-8")] for path in shared
    }
    assert not any(named.values()), named


def test_the_help_lists_every_format_with_its_summary():
    shown = subprocess.run([sys.executable, "-m", "blendgen", "export", "-h"], capture_output=True, text=True)
    words = " ".join(shown.stdout.split())
    assert all(f"{name} {' '.join(one.summary.split())}" in words for name, one in built_in().items())


def test_an_unknown_format_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(UsageError, match="'yollo' is not an export format, did you mean yolo"):
        find_exporter("yollo")
    with pytest.raises(UsageError, match="'yollo' is not"):
        export(tmp_path, "yollo", tmp_path / "out", Options())


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "coco",
            Options(crops=0.1),
            r"^--crops is for hf, imagefolder, parquet, webdataset, yolo, not for coco$",
        ),
        ("csv", Options(extras=("mask",)), "^--include is for hf, parquet, webdataset, not for csv$"),
        ("voc", Options(outlines="polygon"), "^--outlines is for coco, not for voc$"),
        ("hf", Options(task="pose"), "^--task is for yolo, not for hf$"),
        ("bop", Options(shard_bytes=5000), "^--shard-mb is for parquet, webdataset, not for bop$"),
        ("yolo", Options(quote_formulas=True), "^--quote-formulas is for csv, not for yolo$"),
        ("yolo", Options(crops=0.0, task="pose"), "^--crops is for --task classify, not for --task pose$"),
        ("hf", Options(crops=0.0, extras=("mask",)), "^--include adds files of whole images"),
    ],
)
def test_options_that_a_format_does_not_accept_are_refused(tmp_path, name, options, message):
    with pytest.raises(UsageError, match=message):
        export(tmp_path, name, tmp_path / "out", options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "options"), [("csv", Options()), ("yolo", Options(crops=0.1, task="classify"))]
)
def test_options_that_a_format_accepts_get_as_far_as_the_data_set(tmp_path, name, options):
    with pytest.raises(DatasetError, match="does not contain a data set"):
        export(tmp_path, name, tmp_path / "out", options)
