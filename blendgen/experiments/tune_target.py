"""Target: how good a spec is for photos, measured with drafts of it.

In: drafts and photos with features. Out: Score. With labelled photos, a head is trained on the drafts and
tested on the photos: their log loss, which says more about few photos than how many are right. Without
labels, a classifier learns to tell photos from drafts, and the score is how far apart it puts them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blendgen.geometry.arrays import AnyArray
from blendgen.learn.choice import folds
from blendgen.learn.head import best_temperature
from blendgen.learn.measures import Share
from blendgen.learn.pictures import PictureSet
from blendgen.learn.train import Material, fitted
from blendgen.matching.feature_distances import two_sample_test

LEAST_P = 0.05


@dataclass(frozen=True)
class Score:
    """value: the lower, the better; share: of photos that are right, or of pictures that are distinguished

    each: (photos,) of each photo: whether it is right, or how much it looks like a photo
    """

    value: float
    share: Share
    each: AnyArray


@dataclass(frozen=True)
class Photos:
    """tuned: photos by which specs are chosen; held_out: those that only the last comparison sees"""

    tuned: PictureSet
    held_out: PictureSet
    is_labelled: bool


def divided(photos: PictureSet, is_labelled: bool, seed: int) -> Photos:
    """Two halves, each with its half of each class."""
    number = folds(photos.labels, [picture.key for picture in photos.pictures], 2, seed)
    tuned, held_out = (photos.at(np.flatnonzero(number == fold)) for fold in range(2))
    return Photos(tuned, held_out, is_labelled)


def score(drafts: PictureSet, photos: PictureSet, is_labelled: bool, seed: int) -> Score:
    return _with_labels(drafts, photos, seed) if is_labelled else _without_labels(drafts, photos)


def _with_labels(drafts: PictureSet, photos: PictureSet, seed: int) -> Score:
    fit = fitted(Material(drafts, drafts.at([])), seed)
    scores = fit.head.scores(photos.features)
    right = scores.argmax(axis=1) == photos.labels
    return Score(best_temperature(scores, photos.labels)[1], Share(int(right.sum()), len(right)), right)


def _without_labels(drafts: PictureSet, photos: PictureSet) -> Score:
    """With as many drafts as photos; classes take turns in their order."""
    own = drafts.at(range(min(len(drafts), len(photos))))
    keys = ([one.key for one in photos.pictures], [one.key for one in own.pictures])
    test = two_sample_test(photos.features, own.features, keys)
    return Score(float(test.photos.mean() - test.images.mean()), test.accuracy, test.photos)


def chance(before: Score, after: Score, is_labelled: bool) -> float:
    """How likely as large a gain is by chance, by a paired test of the same photos.

    With labels McNemar's, exact, of those that are right under one spec alone; without labels Wilcoxon's, of
    how much each looks like a photo.
    """
    from scipy.stats import binomtest, wilcoxon

    if not is_labelled:
        if np.array_equal(before.each, after.each):
            return 1.0
        return float(wilcoxon(before.each, after.each, alternative="greater").pvalue)
    gained = int((after.each & ~before.each).sum())
    lost = int((before.each & ~after.each).sum())
    if not gained + lost:
        return 1.0
    return float(binomtest(gained, gained + lost, 0.5, alternative="greater").pvalue)
