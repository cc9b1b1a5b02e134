"""Classifier: the network of a run, applied to pictures; however the run was trained.

In: a Run and Pictures. Out: (pictures, classes) probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from blendgen.errors import DatasetError, did_you_mean
from blendgen.geometry.arrays import AnyArray
from blendgen.learn.classifier import opened_classifier
from blendgen.learn.pictures import Picture
from blendgen.learn.run_folder import Run
from blendgen.system.machine import cores
from blendgen.system.progress import Progress

_BATCH = 32
_SMALLEST = 1e-6  # a probability nearer to 0 or 1 says no more


def probabilities(run: Run, pictures: Sequence[Picture], progress: Progress) -> AnyArray:
    """raises: DatasetError for a picture or a model that cannot be read; SetupError"""
    classifier = opened_classifier(run.folder)
    progress.begin(len(pictures), "image")
    parts = []
    with ThreadPoolExecutor(cores()) as readers:
        for start in range(0, len(pictures), _BATCH):
            batch = pictures[start : start + _BATCH]
            parts.append(classifier([*readers.map(lambda one: classifier.input(one.read()), batch)])[0])
            progress.advance(len(batch))
    return np.concatenate(parts) if parts else np.zeros((0, len(run.classes)))


def log_odds(probability: AnyArray) -> AnyArray:
    sure = np.clip(probability.astype(np.float64), _SMALLEST, 1 - _SMALLEST)
    return np.asarray(np.log(sure) - np.log1p(-sure))


def label_numbers(run: Run, classes: Sequence[str], spec: str) -> list[int]:
    """For each class of a spec its number in the run; raises DatasetError for one that it does not know."""
    for label in classes:
        if label not in run.classes:
            raise DatasetError(
                f"{run.folder}: was not trained on the class {label!r} of {spec}"
                f"{did_you_mean(label, run.classes)}"
            )
    return [run.classes.index(label) for label in classes]
