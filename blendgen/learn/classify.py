"""Classify: what a classifier says of photos.

In: a Classifier and photos. Out: Guesses in the order of the files, and CSV of them; of pictures in memory a
Guess for each as they come. A photo that is less familiar than the classifier's threshold is of none of the
classes.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blendgen.errors import UsageError
from blendgen.geometry.arrays import AnyArray, ImageHW3U8
from blendgen.learn.classifier import Classifier
from blendgen.photos.folder import photo_folder
from blendgen.system.progress import Progress

_READ_PX = 512  # more than any network takes
_BATCH = 16


@dataclass(frozen=True)
class Guess:
    """label: the most probable class; is_known: whether the photo looks like one of the classes at all

    photo: None for a picture in memory
    probabilities: of all classes, of which one is assumed to be right
    """

    photo: Path | None
    label: str
    is_known: bool
    probabilities: dict[str, float]
    familiarity: float

    @property
    def probability(self) -> float:
        return self.probabilities[self.label]

    def facts(self) -> dict[str, Any]:
        return {
            "photo": None if self.photo is None else str(self.photo),
            "label": self.label if self.is_known else None, "nearest": self.label,
            "probability": self.probability, "familiarity": self.familiarity,
            "probabilities": self.probabilities,
        }  # fmt: skip


@dataclass(frozen=True)
class Guesses:
    """left_out: a message for each file that could not be read"""

    classes: tuple[str, ...]
    threshold: float | None
    guesses: tuple[Guess, ...]
    left_out: tuple[str, ...]

    def __iter__(self) -> Iterator[Guess]:
        return iter(self.guesses)

    def __len__(self) -> int:
        return len(self.guesses)

    def facts(self) -> dict[str, Any]:
        return {
            "schema_version": 1, "classes": [*self.classes], "threshold": self.threshold,
            "photos": [one.facts() for one in self.guesses], "left_out": [*self.left_out],
        }  # fmt: skip

    def csv(self) -> str:
        """A line for each photo; the label is empty where it is unknown."""
        text = io.StringIO(newline="")
        table = csv.writer(text, lineterminator="\n")
        table.writerow(["photo", "label", "nearest", "probability", "familiarity", *self.classes])
        for one in self.guesses:
            label = one.label if one.is_known else ""
            numbers = [one.probability, one.familiarity, *one.probabilities.values()]
            table.writerow([one.photo, label, one.label, *(f"{number:.6g}" for number in numbers)])
        return text.getvalue()


def classify(
    classifier: Classifier, places: Sequence[Path], threshold: float | None, progress: Progress
) -> Guesses:
    """places: photos, and folders of photos, at any depth; threshold: of familiarity, None to reject none

    raises: UsageError where there are no photos that can be read
    """
    folders = [photo_folder(place) for place in places]
    progress.begin(sum(len(folder.files) for folder in folders), "photo")
    guesses: list[Guess] = []
    for folder in folders:
        before = len(guesses)
        for batch in _batches(folder.images(_READ_PX)):
            inputs = [classifier.input(image) for _, image in batch]
            guesses += _guesses(classifier, [path for path, _ in batch], inputs, threshold)
            progress.advance(len(batch))
        folder.require(len(guesses) - before)
    left_out = tuple(message for folder in folders for message in folder.left_out)
    return Guesses(classifier.classes, threshold, tuple(guesses), left_out)


def classify_frames(
    classifier: Classifier, frames: Iterable[ImageHW3U8], threshold: float | None
) -> Iterator[Guess]:
    """A guess for each frame, before the next one is taken; raises UsageError for what is not a picture."""
    for number, frame in enumerate(frames):
        if not _is_picture(frame):
            shape, kind = getattr(frame, "shape", None), getattr(frame, "dtype", type(frame).__name__)
            raise UsageError(f"frame {number}: expected (h, w, 3) uint8 in RGB, got {shape} {kind}")
        yield from _guesses(classifier, [None], [classifier.input(frame)], threshold)


def _is_picture(frame: Any) -> bool:
    return (
        isinstance(frame, np.ndarray)
        and frame.dtype == np.uint8
        and frame.ndim == 3
        and frame.shape[2] == 3
        and frame.size > 0
    )


def _guesses(
    classifier: Classifier, paths: Sequence[Path | None], inputs: Sequence[AnyArray], threshold: float | None
) -> Iterator[Guess]:
    for path, values, familiarity in zip(paths, *classifier(inputs), strict=True):
        probabilities = dict(zip(classifier.classes, map(float, values), strict=True))
        label = max(probabilities, key=lambda one: probabilities[one])
        is_known = threshold is None or float(familiarity) >= threshold
        yield Guess(path, label, is_known, probabilities, float(familiarity))


def _batches(images: Iterable[tuple[Path, AnyArray]]) -> Iterator[list[tuple[Path, AnyArray]]]:
    iterator = iter(images)
    while batch := list(itertools.islice(iterator, _BATCH)):
        yield batch
