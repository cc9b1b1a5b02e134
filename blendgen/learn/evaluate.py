"""Evaluate: what a run is worth on photos that it has not seen.

In: a Run and a folder of labelled photos. Out: facts for JSON and a page: accuracy, classes, confusion,
calibration, the worst mistakes with the renders that are nearest by features; with arms a comparison of what
else could have been trained. Photos that the run was trained on are left out.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blendgen import __version__
from blendgen.dataset.dataset import Dataset, open_dataset
from blendgen.dataset.report_files import REPORT_MARK, is_report_file
from blendgen.errors import DatasetError, UsageError
from blendgen.files.folder import Folder
from blendgen.files.json_bytes import json_bytes
from blendgen.geometry.arrays import AnyArray
from blendgen.learn.against import against_facts
from blendgen.learn.arms import compared
from blendgen.learn.backbones import Backbone
from blendgen.learn.classifier import opened_classifier
from blendgen.learn.evaluation_page import evaluation_page
from blendgen.learn.features import computed_features
from blendgen.learn.measures import Share, accuracy, calibration, confusion, precisions, recalls
from blendgen.learn.photo_sets import labelled_photos
from blendgen.learn.pictures import Picture, PictureSet
from blendgen.learn.run_folder import EVALUATION, INT8_MODEL, Run, dataset_of_run
from blendgen.learn.run_network import network_of, same_backbone
from blendgen.learn.train import TRAIN, VAL, dataset_features
from blendgen.system.progress import Progress

KIND, SCHEMA_VERSION = f"{REPORT_MARK.decode()}: evaluation", 1
TEST = "test"
NEAREST = 3
_BATCH = 16


@dataclass(frozen=True)
class Evaluation:
    """page: HTML; numbers: JSON next to it; facts: what is in it, docs/learning.md explains the keys"""

    page: Path
    numbers: Path
    facts: dict[str, Any]


@dataclass(frozen=True)
class Mistake:
    """nearest: positions of renders, nearest first"""

    photo: int
    predicted: int
    probability: float
    nearest: tuple[int, ...]


def evaluate(
    run: Run, folder: Path, dest: Path | None, dataset: Path | None, seeds: int | None, progress: Progress,
    others: Sequence[Run] = (), baseline: Path | None = None,
) -> Evaluation:  # fmt: skip
    """dest: of the page; dataset: that of the run, if it has moved; seeds: of the arms, None for no arms

    others: runs to compare with; baseline: a data set that gets an arm of its own

    raises: UsageError, DatasetError, SetupError
    """
    place = dest or run.folder / EVALUATION[0]
    if place.suffix != ".html":
        raise UsageError(f"{place}: the name of the page ends with .html")
    refuse_others_files(place)
    network = network_of(run)
    left_out: list[str] = []
    plain = None if baseline is None else _baseline(run, baseline)
    photos = _unseen(run, folder, network, left_out, progress)
    opened = _dataset_of(run, dataset, left_out, is_needed=seeds is not None)
    renders = None if opened is None else dataset_features(opened, (TRAIN,), network, progress)
    probabilities = run.head.probabilities(photos.features)
    mistakes = _mistakes(probabilities, photos, renders)
    facts = {
        "kind": KIND, "schema_version": SCHEMA_VERSION, "blendgen": __version__,
        "run": str(run.folder), "backbone": run.record["backbone"],
        "dataset": {key: run.record["dataset"][key] for key in ("name", "digest", "images")},
        "photos": {"folder": str(folder), "count": len(photos)},
        **_measured(probabilities, photos), "models": _models(run, photos),
        "mistakes": _mistake_facts(mistakes, photos, renders),
        "against": against_facts(run.classes, probabilities, photos, others, progress),
        "arms": None, "notes": left_out,
    }  # fmt: skip
    if seeds is not None and opened is not None:
        facts["arms"] = _arms(run, opened, plain, folder, photos.pictures, seeds, progress)
    content = evaluation_page(facts, mistakes, photos, renders)
    write_evaluation(place, content, facts)
    return Evaluation(place, place.with_suffix(".json"), facts)


def _arms(
    run: Run, dataset: Dataset, plain: Dataset | None, folder: Path, tested: Sequence[Picture], seeds: int,
    progress: Progress,
) -> dict[str, Any]:  # fmt: skip
    """With the frozen backbone, as a network that was trained on some arms' pictures would favour them."""
    backbone = same_backbone(run)
    renders = dataset_features(dataset, (TRAIN,), backbone, progress)
    photos = computed_features(tested, run.classes, backbone, progress, [])
    pool = _pool(folder, run, backbone, photos, progress)
    others = None if plain is None else dataset_features(plain, (TRAIN,), backbone, progress)
    return compared(renders, pool, photos, seeds, progress, others)


def _baseline(run: Run, folder: Path) -> Dataset:
    dataset = open_dataset(folder)
    if dataset.classes != run.classes:
        raise UsageError(
            f"{folder}: has other classes than the run: {', '.join(dataset.classes[:5])}; "
            "make the baseline of the same models and labels"
        )
    return dataset


def unseen_pictures(run: Run, folder: Path, left_out: list[str]) -> list[Picture]:
    """Labelled photos of the split test, or val, that a run was not trained on.

    left_out: messages are added; raises: UsageError, DatasetError
    """
    pictures = labelled_photos(folder, run.classes, (TEST, VAL), left_out)
    trained_on = {*(run.record["photos"] or {"sha256": ()})["sha256"]}
    unseen = [picture for picture in pictures if picture.key not in trained_on]
    if len(unseen) < len(pictures):
        left_out.append(f"{len(pictures) - len(unseen)} photos were left out: the run was trained on them")
    if not unseen:
        raise DatasetError(f"{folder}: the run was trained on all of these photos; test it on others")
    without_labels = {*(run.record["unlabelled"] or {}).get("sha256", ())}
    if known := sum(picture.key in without_labels for picture in unseen):
        left_out.append(
            f"{known} of the photos were given to the training without labels (--unlabelled): others may be "
            "harder"
        )
    return unseen


def _unseen(
    run: Run, folder: Path, backbone: Backbone, left_out: list[str], progress: Progress
) -> PictureSet:
    unseen = unseen_pictures(run, folder, left_out)
    photos = computed_features(unseen, run.classes, backbone, progress, left_out)
    if not len(photos):
        raise DatasetError(f"{folder}: no photo can be read: {left_out[-1]}")
    return photos


def _pool(
    folder: Path, run: Run, backbone: Backbone, test: PictureSet, progress: Progress
) -> PictureSet | None:
    """Photos of the split train, from which arms are trained; None for a folder without splits."""
    if not any((folder / name).is_dir() for name in (TRAIN,) if name not in run.classes):
        return None
    pool = computed_features(
        labelled_photos(folder, run.classes, (TRAIN,), []), run.classes, backbone, progress, []
    )
    tested = {picture.key for picture in test.pictures}
    return pool.at([n for n, picture in enumerate(pool.pictures) if picture.key not in tested])


def _dataset_of(run: Run, dataset: Path | None, left_out: list[str], is_needed: bool) -> Dataset | None:
    """The data set of a run; None where it is not there any more, and nothing needs it."""
    try:
        return dataset_of_run(run, dataset)
    except DatasetError as error:
        if is_needed or dataset is not None:
            raise
        left_out.append(f"without its nearest renders: {error}")
        return None


def _measured(probabilities: AnyArray, photos: PictureSet) -> dict[str, Any]:
    table = confusion(probabilities, photos.labels)
    known = [share for share in recalls(table) if share.count]
    per_class = [
        {"label": label, "recall": recall.facts(), "precision": precision.facts()}
        for label, recall, precision in zip(photos.classes, recalls(table), precisions(table), strict=True)
    ]
    return {
        "classes": [*photos.classes],
        "accuracy": accuracy(probabilities, photos.labels).facts(),
        "balanced_accuracy": float(np.mean([share.value for share in known])),
        "per_class": per_class,
        "confusion": table,
        "calibration": calibration(probabilities, photos.labels).facts(),
    }


def _models(run: Run, photos: PictureSet) -> dict[str, Any]:
    """What the files of a run say of the photos: with rejection, and with integers."""
    result = {}
    for name, path in (("float", run.model), ("int8", run.folder / INT8_MODEL)):
        if not path.is_file():
            continue
        classifier = opened_classifier(path)
        inputs = [classifier.input(picture.read()) for picture in photos.pictures]
        batches = [classifier(inputs[at : at + _BATCH]) for at in range(0, len(inputs), _BATCH)]
        probabilities, familiarity = (np.concatenate(parts) for parts in zip(*batches, strict=True))
        limit = -np.inf if classifier.threshold is None else classifier.threshold
        is_known = familiarity >= limit
        result[name] = {
            "file": path.name, "file_bytes": path.stat().st_size,
            "accuracy": accuracy(probabilities, photos.labels).facts(),
            "threshold": classifier.threshold, "accepted": Share(int(is_known.sum()), len(photos)).facts(),
            "accuracy_of_accepted": accuracy(probabilities[is_known], photos.labels[is_known]).facts(),
        }  # fmt: skip
    return result


def _mistakes(probabilities: AnyArray, photos: PictureSet, renders: PictureSet | None) -> list[Mistake]:
    """The wrong photos, the surest first."""
    predicted, sureness = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != photos.labels)
    worst = sorted(wrong, key=lambda photo: (-sureness[photo], photos.pictures[photo].name))
    near = _nearest(photos.features[worst], renders) if renders is not None else [()] * len(worst)
    return [
        Mistake(int(photo), int(predicted[photo]), float(sureness[photo]), tuple(own))
        for photo, own in zip(worst, near, strict=True)
    ]


def _nearest(features: AnyArray, renders: PictureSet) -> list[tuple[int, ...]]:
    """By the cosine of the angle between features, of which the renders' mean is subtracted first."""
    mean = renders.features.mean(axis=0)
    ours, theirs = (_unit(one.astype(np.float64) - mean) for one in (features, renders.features))
    order = np.argsort(-(ours @ theirs.T), axis=1, kind="stable")[:, :NEAREST]
    return [tuple(int(position) for position in row) for row in order]


def _unit(vectors: AnyArray) -> AnyArray:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))


def _mistake_facts(
    mistakes: list[Mistake], photos: PictureSet, renders: PictureSet | None
) -> list[dict[str, Any]]:
    return [
        {
            "photo": photos.pictures[one.photo].name,
            "label": photos.classes[photos.pictures[one.photo].label_id],
            "predicted": photos.classes[one.predicted],
            "probability": one.probability,
            "nearest_renders": [
                {"file": near.name, "label": photos.classes[near.label_id]}
                for near in (renders.pictures[position] for position in one.nearest)
            ]
            if renders is not None
            else [],
        }
        for one in mistakes
    ]


def write_evaluation(place: Path, content: bytes, facts: dict[str, Any]) -> None:
    """The page, and its numbers next to it; raises DatasetError"""
    folder = Folder(place.parent, ".blendgen-partial")
    folder.write(place.with_suffix(".json").name, json_bytes(facts))
    folder.write(place.name, content)
    folder.remove_temporary_files()


def refuse_others_files(place: Path) -> None:
    """Raises DatasetError unless what is there was written by blendgen."""
    for path in (place, place.with_suffix(".json")):
        if os.path.lexists(path) and not is_report_file(path):
            raise DatasetError(f"{path}: exists and was not written by blendgen; choose another file (-o)")
