"""What becomes of an error of the disk: some pass by themselves, others need somebody who fixes them."""

import errno
import io
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from blendgen.dataset.layout import Layout
from blendgen.dataset.own_files import finished_record, is_mixture, spec_bytes
from blendgen.dataset.ownership import is_ours
from blendgen.dataset.packed import ImageFiles
from blendgen.dataset.whole_files import has_files
from blendgen.errors import DatasetError, DiskUnavailable, ExitCode
from blendgen.exporters.samples import _read
from blendgen.farm.status import StatusReader
from blendgen.files.disk import disk_error, raise_if_passing
from blendgen.files.photos import photo_fault
from blendgen.files.result_file import refuse_others_file
from blendgen.files.scratch import scratch_error
from blendgen.models.recolor import read_table
from blendgen.models.sidecar.read import read_sidecar
from blendgen.spec.load import load_spec
from blendgen.spec.pictures import _panorama_fault

PLACE = Path("/mnt/set/manifest.jsonl")


def error_of(name):
    code = getattr(errno, name)
    return OSError(code, os.strerror(code))


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        ("ENOSPC", 75, "cannot be written: the disk is full."),
        ("EDQUOT", 75, "cannot be written: the disk quota is used up."),
        ("ESTALE", 75, "does not answer (Stale file handle)."),
        ("EIO", 75, "does not answer (Input/output error)."),
        ("ENOTCONN", 75, "does not answer (Transport endpoint is not connected)."),
        ("EHOSTDOWN", 75, "does not answer (Host is down)."),
        ("ETIMEDOUT", 75, "does not answer (Connection timed out)."),
        ("EREMOTEIO", 75, "does not answer (Remote I/O error)."),
        ("EACCES", 5, "cannot be written: Permission denied."),
        ("EROFS", 5, "cannot be written: Read-only file system."),
    ],
)
def test_only_what_passes_is_tried_again_and_the_message_names_the_folder(name, code, reason):
    error = disk_error(PLACE, error_of(name))
    assert error.exit_code == code
    assert str(error).startswith(str(PLACE)) and reason in str(error)
    assert str(error).endswith("run the same command to continue")


def test_a_full_folder_for_temporary_files_is_tried_again_and_a_missing_one_is_not():
    full = scratch_error(error_of("ENOSPC"))
    assert full.exit_code == ExitCode.RETRY and str(full).endswith("; or set TMPDIR to another folder")
    assert scratch_error(error_of("ENOENT")).exit_code == ExitCode.SETUP


def test_other_errors_are_left_to_the_caller():
    assert raise_if_passing(PLACE, error_of("EACCES")) is None


def files_of_a_row(path):
    file = SimpleNamespace(name=path.name, size_bytes=0, sha256="")
    return has_files(ImageFiles(Layout(path.parent)), SimpleNamespace(files={"image": file}), check=True)


READERS = {
    "dataset.json": lambda path: finished_record(Layout(path.parent)),
    "other/dataset.json": lambda path: is_mixture(Layout(path.parent)),
    "spec.yaml": load_spec,
    "other/spec.yaml": lambda path: spec_bytes(Layout(path.parent)),
    "mine/spec.yaml": lambda path: is_ours(Layout(path.parent), {}, path.name),
    "blender.log": lambda path: is_ours(Layout(path.parent), {}, path.name),
    "chair.yaml": lambda path: read_sidecar(path, path.name, path),
    "colours.csv": read_table,
    "sky.hdr": _panorama_fault,
    "photo.png": photo_fault,
    "sheet.jpg": refuse_others_file,
    "images/000001.png": files_of_a_row,
    "images/000002.png": lambda path: Layout(path.parent).file(path.name),
    "images/000003.png": _read,
    "set/shards": lambda path: StatusReader(path.parent).read(),
}


@pytest.mark.parametrize("name", READERS)
def test_what_cannot_be_read_just_now_is_neither_wrong_nor_damaged(name, tmp_path, monkeypatch):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.mkdir() if path.suffix == "" else path.touch()

    def failing(function):
        def called(place, *args, **options):
            if str(place) == str(path):
                raise OSError(errno.ESTALE, "Stale file handle", str(path))
            return function(place, *args, **options)

        return called

    for module, function in ((os, "open"), (io, "open"), (os, "scandir")):
        monkeypatch.setattr(module, function, failing(getattr(module, function)))
    if name == "images/000002.png":
        monkeypatch.setattr(os, "stat", failing(os.stat))
    with pytest.raises(DiskUnavailable, match=r"does not answer \(Stale file handle\)"):
        READERS[name](path)


def test_a_file_that_this_user_may_not_read_is_not_one_that_cannot_be_written(tmp_path, monkeypatch):
    def refused(*args, **options):
        raise OSError(errno.EACCES, "Permission denied")

    (tmp_path / "000001.png").touch()
    monkeypatch.setattr(io, "open", refused)
    with pytest.raises(DatasetError, match=r"000001.png: cannot be read: Permission denied"):
        files_of_a_row(tmp_path / "000001.png")
