"""Against: a run compared with other runs on the same photos.

In: what a run says of photos, and other runs. Out: facts for JSON and a page: how much more of the photos it
gets right than each other run, with an interval. Photos that the other run was trained on are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from blendgen.errors import DatasetError, UsageError
from blendgen.geometry.arrays import AnyArray
from blendgen.learn.features import computed_features
from blendgen.learn.measures import Share
from blendgen.learn.paired import chance_of_difference, paired_gain
from blendgen.learn.pictures import PictureSet
from blendgen.learn.run_folder import Run
from blendgen.learn.run_network import network_of
from blendgen.system.progress import Progress


def against_facts(
    classes: Sequence[str],
    probabilities: AnyArray,
    photos: PictureSet,
    others: Sequence[Run],
    progress: Progress,
) -> list[dict[str, Any]]:
    """Of each other run; docs/learning.md explains the keys.

    classes, probabilities: (n, classes), of the run that is evaluated
    raises: UsageError for a run of other classes; DatasetError
    """
    for other in others:
        _refuse_other_classes(classes, other)
    is_right = probabilities.argmax(axis=1) == photos.labels
    return [_compared(is_right, photos, other, progress) for other in others]


def _refuse_other_classes(classes: Sequence[str], other: Run) -> None:
    different = sorted({*classes} ^ {*other.classes})
    if different:
        raise UsageError(
            f"{other.folder}: was trained for other classes: {', '.join(different[:5])} "
            f"{'is' if len(different) == 1 else 'are'} in one of the runs only; "
            "compare runs of the same classes"
        )


def _compared(is_right: AnyArray, photos: PictureSet, other: Run, progress: Progress) -> dict[str, Any]:
    trained_on = {*(other.record["photos"] or {"sha256": ()})["sha256"]}
    common = [place for place, picture in enumerate(photos.pictures) if picture.key not in trained_on]
    if not common:
        raise DatasetError(f"{other.folder}: was trained on all of these photos; compare on others")
    ours, theirs = is_right[common], _right(photos.at(common), other, progress)
    return {
        "run": str(other.folder),
        "photos": len(common),
        "accuracy": _share(ours),
        "accuracy_of_other": _share(theirs),
        "gain": paired_gain(ours, theirs).facts(),
        "only_this_right": int((ours & ~theirs).sum()),
        "only_other_right": int((theirs & ~ours).sum()),
        "chance": chance_of_difference(ours, theirs),
    }


def _right(photos: PictureSet, other: Run, progress: Progress) -> AnyArray:
    """(n,) bool"""
    numbers = [other.classes.index(label) for label in photos.classes]
    pictures = [replace(picture, label_id=numbers[picture.label_id]) for picture in photos.pictures]
    own = computed_features(pictures, other.classes, network_of(other), progress, [])
    return np.asarray(other.head.probabilities(own.features).argmax(axis=1) == own.labels)


def _share(is_right: AnyArray) -> dict[str, Any]:
    return Share(int(is_right.sum()), len(is_right)).facts()
