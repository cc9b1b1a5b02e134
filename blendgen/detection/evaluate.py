"""Evaluate: what a detector is worth on photos with boxes that it has not seen.

In: a DetectorRun and photos with boxes (COCO). Out: facts for JSON and a page: mAP50 and mAP50:95 with
intervals, AP of each class, boxes that were missed, found twice or taken for another class, and the photos
with most of these. Photos that the run was trained on are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blendgen import __version__
from blendgen.detection.average_precision import AveragePrecision, average_precision
from blendgen.detection.boxed_picture import BoxedPicture
from blendgen.detection.coco_photos import boxed_photos
from blendgen.detection.detector import Boxes, Detector, opened_detector
from blendgen.detection.evaluation_page import evaluation_page
from blendgen.detection.mistakes import Mistakes, mistakes_of
from blendgen.detection.run import DetectorRun
from blendgen.errors import DatasetError, UsageError
from blendgen.learn.evaluate import (
    KIND,
    SCHEMA_VERSION,
    TEST,
    Evaluation,
    refuse_others_files,
    write_evaluation,
)
from blendgen.learn.run_folder import DETECT, EVALUATION, INT8_MODEL, TASK
from blendgen.learn.train import VAL
from blendgen.system.progress import Progress


@dataclass(frozen=True)
class Found:
    """What a detector found in each picture."""

    pictures: Sequence[BoxedPicture]
    boxes: Sequence[Boxes]


def evaluate(run: DetectorRun, photos: Path, dest: Path | None, progress: Progress) -> Evaluation:
    """photos: a COCO file, or a folder of which the split test is used, or val; dest: of the page

    raises: UsageError, DatasetError, SetupError
    """
    place = dest or run.folder / EVALUATION[0]
    if place.suffix != ".html":
        raise UsageError(f"{place}: the name of the page ends with .html")
    refuse_others_files(place)
    left_out: list[str] = []
    pictures = unseen_photos(run, photos, left_out)
    detector = opened_detector(run.folder)
    int8 = run.folder / INT8_MODEL
    progress.begin(len(pictures) * (1 + int8.is_file()), "photo")
    detections = found_in(detector, pictures, progress)
    measured = average_precision(pictures, detections.boxes, len(run.classes), has_interval=True)
    mistakes = [
        mistakes_of(one, own.above(detector.threshold))
        for one, own in zip(pictures, detections.boxes, strict=True)
    ]
    small = found_in(opened_detector(int8), pictures, progress) if int8.is_file() else None
    facts = {
        "kind": KIND, "schema_version": SCHEMA_VERSION, TASK: DETECT, "blendgen": __version__,
        "run": str(run.folder), "backbone": run.record["backbone"],
        "dataset": {key: run.record["dataset"][key] for key in ("name", "digest", "images")},
        "photos": {"folder": str(photos), "count": len(pictures), "boxes": int(measured.boxes.sum())},
        "classes": [*run.classes], **measured.facts(run.classes), "threshold": detector.threshold,
        "at_threshold": _sum(mistakes), "models": _models(run, measured, small),
        "mistakes": [
            {"photo": one.name, **own.facts()}
            for one, own in zip(pictures, mistakes, strict=True)
            if own.count
        ],
        "notes": left_out,
    }  # fmt: skip
    page = evaluation_page(facts, pictures, detections.boxes, mistakes)
    write_evaluation(place, page, facts)
    return Evaluation(place, place.with_suffix(".json"), facts)


def unseen_photos(run: DetectorRun, place: Path, left_out: list[str]) -> list[BoxedPicture]:
    """Those that a run was not trained on; raises UsageError, DatasetError"""
    photos = boxed_photos(place, run.classes, (TEST, VAL), left_out)
    trained_on = {*(run.record["photos"] or {"sha256": ()})["sha256"]}
    unseen = [one for one in photos if one.key not in trained_on]
    if len(unseen) < len(photos):
        left_out.append(f"{len(photos) - len(unseen)} photos were left out: the run was trained on them")
    if not unseen:
        raise DatasetError(f"{place}: the run was trained on all of these photos; test it on others")
    if not any((~one.is_ignored).any() for one in unseen):
        raise DatasetError(f"{place}: no photo that the run was not trained on has a box; test it on others")
    return unseen


def found_in(detector: Detector, pictures: Sequence[BoxedPicture], progress: Progress) -> Found:
    boxes = []
    for one in pictures:
        boxes.append(detector.boxes_of(detector.input(one.read()), one.size_px))
        progress.advance(1)
    return Found(pictures, boxes)


def _sum(mistakes: Sequence[Mistakes]) -> dict[str, Any]:
    """Precision and recall of the boxes above the threshold."""
    right, missed, extra = (
        int(np.sum([getattr(one, name) for one in mistakes])) for name in ("right", "missed", "extra")
    )
    confused = sum(one.confused for one in mistakes)
    return {
        "right": right, "missed": missed, "extra": extra, "of_another_class": confused,
        "precision": right / max(1, right + extra), "recall": right / max(1, right + missed),
    }  # fmt: skip


def _models(run: DetectorRun, plain: AveragePrecision, small: Found | None) -> dict[str, Any]:
    measured = {"float": (run.model, plain)}
    if small is not None:
        own = average_precision(small.pictures, small.boxes, len(run.classes))
        measured["int8"] = (run.folder / INT8_MODEL, own)
    return {
        name: {
            "file": path.name, "file_bytes": path.stat().st_size, "map50": own.ap50, "map50_95": own.ap50_95
        }
        for name, (path, own) in measured.items()
    }  # fmt: skip
