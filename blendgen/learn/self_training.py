"""Self-training: which photos without labels to train on, and as what.

In: what a classifier says of them. Out: the surest photos of each class, with their guessed label. No class
gets more than its equal part: else the class that swallows photos of others would swallow more of them.
source: Zou et al. 2018, Unsupervised domain adaptation for semantic segmentation via class-balanced
self-training
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from blendgen.geometry.arrays import AnyArray
from blendgen.learn.pictures import PictureSet

SHARE = 0.5  # of all photos; the others are too unsure


def guessed(photos: PictureSet, probabilities: AnyArray, share: float = SHARE) -> PictureSet:
    """Some of the photos with the labels that the probabilities (n, classes) say, in their order."""
    count, classes = probabilities.shape
    most = max(1, round(share * count / classes))
    labels, surest = probabilities.argmax(axis=1), probabilities.max(axis=1)
    chosen: list[int] = []
    for label in range(classes):
        own = np.flatnonzero(labels == label)
        chosen += own[np.argsort(-surest[own], kind="stable")[:most]].tolist()
    result = photos.at(sorted(chosen))
    named = (
        replace(picture, label_id=int(labels[place]))
        for picture, place in zip(result.pictures, sorted(chosen), strict=True)
    )
    return replace(result, pictures=tuple(named))
