"""Run folder: what `train` leaves: a model that runs anywhere, its head, and what it is made of.

In: a head, a model, a record. Out: model.onnx (photo to probabilities), head.npz, run.json and run.html in
one folder, and model.int8.onnx once it is asked for. run.json is written last and removed first: where it
exists, the run is complete. Nothing of somebody else is replaced.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blendgen.dataset.dataset import Dataset, open_dataset
from blendgen.dataset.report_files import is_report_file
from blendgen.dataset.schema import parsed_json
from blendgen.errors import DatasetError
from blendgen.files.folder import Folder
from blendgen.files.json_bytes import json_bytes
from blendgen.files.names import printable
from blendgen.files.regular_file import open_regular, read_bounded
from blendgen.learn.head import LinearHead

RECORD, MODEL, HEAD, PAGE = "run.json", "model.onnx", "head.npz", "run.html"
# of the run that is there
EVALUATION = ("evaluation.html", "evaluation.json")
REPORTS = (*EVALUATION, "probe.html", "probe.json")
INT8_MODEL = "model.int8.onnx"
CHECKPOINT = "training.pt"  # of a training that is not finished
FROZEN = "frozen"  # how a training of all layers may end, too
KIND, SCHEMA_VERSION = "run of blendgen train", 1
TASK, DETECT = "task", "detect"  # in the record of a detector; those of classifiers do not state it
_FILES = (RECORD, MODEL, HEAD, PAGE, INT8_MODEL, CHECKPOINT)
_MAX_RECORD_BYTES, _MAX_HEAD_BYTES = 64 * 2**20, 256 * 2**20


@dataclass(frozen=True)
class AnyRun:
    """A trained network; record: run.json"""

    folder: Path
    record: dict[str, Any]

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self.record["classes"])

    @property
    def model(self) -> Path:
        """The ONNX file."""
        return self.folder / MODEL

    def model_sha256(self) -> str:
        """Raises DatasetError."""
        try:
            with open_regular(self.model) as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise DatasetError(f"{self.model}: cannot be read: {error}; run `blendgen train` again") from None


@dataclass(frozen=True)
class Run(AnyRun):
    """A trained classifier; record: run.json, docs/learning.md explains its keys

    model: `image` (n, 3, side, side) float32 to `scores` and `probabilities`, (n, c)
    """

    head: LinearHead

    @property
    def is_tuned(self) -> bool:
        """Whether all layers were trained, so that the backbone's features are not those of the model."""
        return (self.record.get("tuning") or {"chosen": FROZEN})["chosen"] != FROZEN


def refuse_others_folder(dest: Path) -> None:
    """Raises DatasetError unless a folder is empty, missing, or holds an earlier run."""
    if dest.exists() and not dest.is_dir():
        raise DatasetError(f"{dest}: is a file; choose another folder (-o)")
    names = {path.name for path in dest.iterdir()} if dest.is_dir() else set()
    if names and not (names & {RECORD, HEAD, CHECKPOINT} and _is_ours(dest, names)):
        raise DatasetError(f"{dest}: is not empty and does not hold a run; choose another folder (-o)")


def _is_ours(dest: Path, names: set[str]) -> bool:
    if RECORD not in names:  # a run that was stopped
        return names <= {*_FILES, ".partial"}
    try:
        return bool(_record(dest)["kind"] == KIND)
    except (DatasetError, KeyError):
        return False


def write_run(
    dest: Path, record: dict[str, Any], head: LinearHead, model: bytes, page: bytes
) -> Run:  # fmt: skip
    """raises: DatasetError"""
    write_files(dest, record, {HEAD: _head_bytes(head), MODEL: model, PAGE: page}, ())
    return Run(dest, record, head)


def write_files(
    dest: Path, record: dict[str, Any], files: Mapping[str, bytes], others: Sequence[str]
) -> None:
    """Replace the run in a folder; others: files of an earlier run to remove; raises DatasetError"""
    refuse_others_folder(dest)
    folder = Folder(dest)
    for name in (RECORD, INT8_MODEL, *others):
        folder.remove(name)
    for name in REPORTS:
        if is_report_file(dest / name):
            folder.remove(name)
    for name, content in files.items():
        folder.write(name, content)
    folder.write(RECORD, json_bytes(record))
    folder.remove(CHECKPOINT)
    folder.remove_temporary_files()


def write_int8(run: AnyRun, model: bytes, facts: dict[str, Any]) -> None:
    """Add the model with integers to a run, and what is known of it to run.json; raises DatasetError."""
    folder = Folder(run.folder)
    folder.write(INT8_MODEL, model)
    folder.write(RECORD, json_bytes(run.record | {"int8": facts}))
    folder.remove_temporary_files()


def dataset_of_run(run: AnyRun, moved_to: Path | None) -> Dataset:
    """The data set that a run was trained on; raises DatasetError if it is not there, or another one."""
    wanted = run.record["dataset"]
    place = moved_to or Path(wanted["folder"])
    try:
        opened = open_dataset(place)
        if opened.source.identity != {key: wanted[key] for key in ("digest", "images", "rows")}:
            raise DatasetError(f"{place}: is not the data set that the run was trained on")
    except DatasetError as error:
        raise DatasetError(f"{error}; name it with --dataset") from None
    return opened


def read_run(folder: Path) -> Run:
    """raises: DatasetError for a folder without a complete run of a classifier"""
    record = read_record(folder)
    if record.get(TASK) == DETECT:
        raise DatasetError(f"{folder}: holds a detector: `blendgen detect`, `evaluate` and `quantize` use it")
    return Run(folder, record, _read_head(folder / HEAD, len(record["classes"])))


def is_detector(folder: Path) -> bool:
    """Whether a folder holds a run of a detector; raises DatasetError if it does not hold a run."""
    return read_record(folder).get(TASK) == DETECT


def read_record(folder: Path) -> dict[str, Any]:
    """run.json of a run of this version; raises DatasetError"""
    record = _record(folder)
    try:
        if record["kind"] != KIND or record["schema_version"] != SCHEMA_VERSION:
            raise DatasetError(f"{folder}: is of another version of blendgen; run `blendgen train` again")
        tuple(record["classes"])
    except (KeyError, TypeError) as error:
        raise DatasetError(f"{folder / RECORD}: is damaged ({error}); run `blendgen train` again") from None
    return record


def _record(folder: Path) -> dict[str, Any]:
    path = folder / RECORD
    try:
        value = parsed_json(read_bounded(path, _MAX_RECORD_BYTES), _MAX_RECORD_BYTES)
    except FileNotFoundError:
        raise DatasetError(
            f"{printable(str(folder))}: has no {RECORD}: expected a folder that `blendgen train` made"
        ) from None
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be read: {error}; run `blendgen train` again") from None
    if not isinstance(value, dict):
        raise DatasetError(f"{path}: is damaged; run `blendgen train` again")
    return value


def _head_bytes(head: LinearHead) -> bytes:
    buffer = io.BytesIO()
    np.savez(
        buffer,
        weight=head.weight.astype(np.float32),
        bias=head.bias.astype(np.float32),
        temperature=np.float32(head.temperature),
    )
    return buffer.getvalue()


def _read_head(path: Path, classes: int) -> LinearHead:
    try:
        with np.load(io.BytesIO(read_bounded(path, _MAX_HEAD_BYTES)), allow_pickle=False) as arrays:
            head = LinearHead(
                arrays["weight"].astype(np.float64),
                arrays["bias"].astype(np.float64),
                float(arrays["temperature"]),
            )
        if head.weight.ndim != 2 or head.weight.shape[1:] != head.bias.shape or len(head.bias) != classes:
            raise ValueError("has another shape than run.json says")
        return head
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{path}: cannot be read: {error}; run `blendgen train` again") from None
