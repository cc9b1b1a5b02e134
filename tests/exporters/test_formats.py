"""The registry of export formats: found by name, and strict about options."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from blendgen.errors import DatasetError, SetupError, UsageError
from blendgen.exporters import formats
from blendgen.exporters.exporter import Exporter, Options
from blendgen.exporters.formats import built_in, export, find_exporter

FORMATS = ("bop", "coco", "croissant", "csv", "hf", "imagefolder", "parquet", "voc", "webdataset", "yolo")


def test_every_module_with_a_record_is_a_format():
    assert tuple(built_in()) == FORMATS
    assert all(exporter.summary and "\n" not in exporter.summary for exporter in built_in().values())


def test_no_other_source_file_names_a_format():
    """A new format is one file: its own."""
    package = Path(formats.__file__).parent.parent
    shared = [package / "exporters" / f"{name}.py" for name in ("formats", "destination")]
    shared += [package / "cli" / "__init__.py", *(package / "api").glob("*.py")]
    named = {path: [name for name in FORMATS if f'"{name}"' in path.read_text("utf-8")] for path in shared}
    assert not any(named.values()), named


def test_the_help_lists_every_format_with_its_summary():
    shown = subprocess.run([sys.executable, "-m", "blendgen", "export", "-h"], capture_output=True, text=True)
    words = " ".join(shown.stdout.split())
    assert all(f"{name} {' '.join(one.summary.split())}" in words for name, one in built_in().items())


def test_an_unknown_format_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(UsageError, match="'yollo' is not an export format; did you mean yolo"):
        find_exporter("yollo")
    with pytest.raises(UsageError, match="'yollo' is not"):
        export(tmp_path, "yollo", tmp_path / "out", Options())


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "coco",
            Options(crops=0.1),
            r"^crops: an option of hf, imagefolder, parquet, webdataset, yolo, not of coco$",
        ),
        ("csv", Options(extras=("mask",)), "^include: an option of hf, parquet, webdataset, not of csv$"),
        ("voc", Options(outlines="polygon"), "^outlines: an option of coco, not of voc$"),
        ("hf", Options(task="pose"), "^task: an option of yolo, not of hf$"),
        ("bop", Options(shard_bytes=5000), "^shard_mb: an option of hf, parquet, webdataset, not of bop$"),
        ("hf", Options(shard_bytes=5000), "^shard_mb: needs push_ready in this format"),
        ("parquet", Options(push_ready=True), "^push_ready: an option of hf, not of parquet$"),
        ("voc", Options(fields=("index",)), "^fields: an option of coco, csv, hf, parquet, webdataset, not"),
        ("coco", Options(license="mit"), "^license: an option of croissant, hf, imagefolder, parquet, webd"),
        ("yolo", Options(quote_formulas=True), "^quote_formulas: an option of csv, not of yolo$"),
        ("yolo", Options(crops=0.0, task="pose"), "^crops: an option of the task classify, not of pose$"),
        ("hf", Options(crops=0.0, extras=("mask",)), "^include: adds files of whole images"),
    ],
)
def test_options_that_a_format_does_not_accept_are_refused(tmp_path, name, options, message):
    with pytest.raises(UsageError, match=message):
        export(tmp_path, name, tmp_path / "out", options)
    assert not (tmp_path / "out").exists()


def test_formats_of_other_packages_are_named_among_those_that_accept_an_option(tmp_path, monkeypatch):
    def load(name):
        if name == "broken":
            raise SetupError("does not work")
        return Exporter(name, "text", lambda *_: {}, options=("outlines",))

    monkeypatch.setattr(formats, "plugin_names", lambda group: ["broken", "heat"])
    monkeypatch.setattr(formats, "find_plugin", lambda group, name: SimpleNamespace(load=lambda: load(name)))
    with pytest.raises(UsageError, match=r"^outlines: an option of coco, heat, not of voc$"):
        export(tmp_path, "voc", tmp_path / "out", Options(outlines="polygon"))


@pytest.mark.parametrize(
    ("name", "options"), [("csv", Options()), ("yolo", Options(crops=0.1, task="classify"))]
)
def test_options_that_a_format_accepts_get_as_far_as_the_data_set(tmp_path, name, options):
    with pytest.raises(DatasetError, match="does not contain a data set"):
        export(tmp_path, name, tmp_path / "out", options)
