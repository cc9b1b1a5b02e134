"""Run: what a training of a detector leaves, in the same folder and files as that of a classifier.

In: a record and a model. Out: DetectorRun: model.onnx (picture to boxes), run.json and run.html, and
model.int8.onnx once it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blendgen.errors import DatasetError
from blendgen.learn.run_folder import (
    DETECT,
    HEAD,
    MODEL,
    PAGE,
    TASK,
    AnyRun,
    read_record,
    write_files,
)


@dataclass(frozen=True)
class DetectorRun(AnyRun):
    """A trained detector; record: run.json, docs/detection.md explains its keys"""

    @property
    def threshold(self) -> float:
        return float(self.record["threshold"])


def write_detector_run(dest: Path, record: dict[str, Any], model: bytes, page: bytes) -> DetectorRun:
    """raises: DatasetError"""
    write_files(dest, record, {MODEL: model, PAGE: page}, (HEAD,))
    return DetectorRun(dest, record)


def read_detector_run(folder: Path) -> DetectorRun:
    """raises: DatasetError for a folder without a complete run of a detector"""
    record = read_record(folder)
    if record.get(TASK) != DETECT:
        raise DatasetError(
            f"{folder}: holds a classifier; `blendgen classify` uses it, and `blendgen train --task detect` "
            "makes a detector"
        )
    return DetectorRun(folder, record)
