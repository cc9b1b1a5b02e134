"""Quantize: the model of a run with 8-bit integers, for small devices: a quarter of the size.

In: a Run, its data set, and photos if there are some. Out: model.int8.onnx in the run, and what it costs.
Renders of the split train say which values occur in the network (calibration). Ways of rounding are tried
from the simplest to the most careful, until no more than one point of accuracy is lost on other pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blendgen.dataset.dataset import Dataset
from blendgen.errors import DatasetError
from blendgen.files.photos import IMAGE_ERRORS, image_fault
from blendgen.files.scratch import scratch_folder
from blendgen.geometry.arrays import AnyArray
from blendgen.learn.choice import shuffled
from blendgen.learn.classifier import Classifier, opened_classifier
from blendgen.learn.evaluate import unseen_pictures
from blendgen.learn.measures import Share, accuracy
from blendgen.learn.pictures import Picture, dataset_pictures
from blendgen.learn.rounding import MOST_LOST, latency_ms, least_lossy
from blendgen.learn.run_folder import INT8_MODEL, Run, dataset_of_run, write_int8
from blendgen.learn.train import TRAIN
from blendgen.system.progress import Progress

CALIBRATED, TESTED = 96, 300  # pictures at most
_BATCH = 16


@dataclass(frozen=True)
class Measured:
    """A model on one core; latency_ms: median of one picture, without reading it"""

    file_bytes: int
    latency_ms: float
    accuracy: Share

    def facts(self) -> dict[str, Any]:
        return {
            "file_bytes": self.file_bytes, "latency_ms": self.latency_ms,
            "accuracy": self.accuracy.facts(),
        }  # fmt: skip


@dataclass(frozen=True)
class Quantized:
    """model: the new file; facts: also in run.json, as `int8`, docs/learning.md explains them"""

    model: Path
    facts: dict[str, Any]


@dataclass(frozen=True)
class _Inputs:
    """calibrating: of renders; tested, labels: of other pictures, which are `of`"""

    calibrating: list[AnyArray]
    tested: list[AnyArray]
    labels: AnyArray
    of: str


def quantize(run: Run, photos: Path | None, dataset: Path | None, progress: Progress) -> Quantized:
    """photos: labelled ones to test on; None: renders; dataset: that of the run, if it has moved

    raises: UsageError, DatasetError, SetupError
    """
    notes: list[str] = []
    plain = opened_classifier(run.model)
    inputs = _inputs(run, plain, photos, dataset_of_run(run, dataset), notes, progress)
    before = _accuracy(plain, inputs)
    with scratch_folder("quantize") as scratch:
        path, rounding, after = least_lossy(
            run.model, inputs.calibrating, before.value,
            lambda path: _accuracy(opened_classifier(path), inputs), lambda share: share.value, scratch,
        )  # fmt: skip
        model = path.read_bytes()
        measured = {
            "float": Measured(run.model.stat().st_size, _latency_ms(run.model, inputs), before),
            "int8": Measured(len(model), _latency_ms(path, inputs), after),
        }
    lost = before.value - after.value
    if lost > MOST_LOST:
        notes.append(f"{100 * lost:.1f} points of accuracy are lost on {inputs.of}")
    facts = {
        **{name: one.facts() for name, one in measured.items()}, **rounding.facts(),
        "calibrated_on": f"{len(inputs.calibrating)} renders", "tested_on": inputs.of, "notes": notes,
    }  # fmt: skip
    write_int8(run, model, facts)
    return Quantized(run.folder / INT8_MODEL, facts)


def _inputs(
    run: Run, classifier: Classifier, photos: Path | None, dataset: Dataset, notes: list[str],
    progress: Progress,
) -> _Inputs:  # fmt: skip
    own = dataset.filter(split=[TRAIN]) if TRAIN in dataset.splits else dataset
    renders = dataset_pictures(own)
    order = shuffled([picture.name for picture in renders], 0)
    by_name = {picture.name: picture for picture in dataset_pictures(dataset)}
    chosen = order[: min(CALIBRATED, len(order) // 2)]
    if not chosen:
        raise DatasetError(f"{dataset.folder}: has too few images for calibration")
    if photos is not None:
        tested, of = unseen_pictures(run, photos, notes), "photos"
    else:
        others = shuffled({*by_name} - {*chosen}, 0)[:TESTED]
        tested, of = [by_name[name] for name in others], "renders"
    progress.begin(len(chosen) + len(tested), "image")
    calibrating = _read([by_name[name] for name in chosen], classifier, notes, progress)
    read = _read(tested, classifier, notes, progress)
    if not read:
        raise DatasetError(f"{photos}: no photo can be read: {notes[-1]}")
    labels = np.array([label for _, label in read], np.int64)
    return _Inputs([one for one, _ in calibrating], [one for one, _ in read], labels, f"{len(read)} {of}")


def _read(
    pictures: Sequence[Picture], classifier: Classifier, notes: list[str], progress: Progress
) -> list[tuple[AnyArray, int]]:
    """Inputs and labels of pictures; a note for each photo that cannot be read."""
    result = []
    for picture in pictures:
        try:
            result.append((classifier.input(picture.read()), picture.label_id))
        except IMAGE_ERRORS as error:
            notes.append(f"{picture.name}: cannot be read: {image_fault(error)}")
        progress.advance(1)
    return result


def _accuracy(classifier: Classifier, inputs: _Inputs) -> Share:
    batches = [inputs.tested[at : at + _BATCH] for at in range(0, len(inputs.tested), _BATCH)]
    return accuracy(np.concatenate([classifier(batch)[0] for batch in batches]), inputs.labels)


def _latency_ms(path: Path, inputs: _Inputs) -> float:
    classifier = opened_classifier(path, threads=1)
    return latency_ms(lambda image: classifier([image]), inputs.calibrating)
