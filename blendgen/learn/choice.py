"""Choice: how strongly a head is regularised and how much photos weigh, by cross-validation.

In: renders and photos with features. Out: Chosen: the recipe with the smallest log loss on pictures that it
was not trained on: on photos if there are labelled ones, else on renders of other shots. Photos alone are
always one of the recipes, so that renders are used only where they help.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from blendgen.geometry.arrays import AnyArray
from blendgen.learn.alignment import aligned
from blendgen.learn.head import STRENGTHS, LinearHead, Ridge, balanced_weights, best_temperature
from blendgen.learn.measures import Share
from blendgen.learn.pictures import PictureSet

FOLDS = 5
# of all weight, that of photos; 1: photos alone
PHOTO_SHARES = (0.3, 0.6, 0.9)
_LEAST_GAIN = 0.005  # in log loss, below which renders are left out
_DEFAULT_SHARE = 0.5  # where there are too few photos to choose


@dataclass(frozen=True)
class Recipe:
    """photo_share: of the weight, 0 without photos, 1 without renders; is_aligned: renders get the features'
    mean and spread of the photos; strength: of the regularisation"""

    photo_share: float
    is_aligned: bool
    strength: float


@dataclass(frozen=True)
class Tried:
    """A recipe, and what it gives on pictures that it was not trained on; temperature: that fits them

    scores: (n, c) of these pictures
    """

    recipe: Recipe
    log_loss: float
    accuracy: Share
    temperature: float
    scores: AnyArray = field(repr=False, compare=False)


@dataclass(frozen=True)
class Chosen:
    """best: of all recipes; alone, mixed: the best without renders, and with both; None where not tried"""

    best: Tried
    alone: Tried | None = None
    mixed: Tried | None = None


def folds(labels: AnyArray, groups: Sequence[str], count: int, seed: int) -> AnyArray:
    """(n,) the fold of each picture: a group is in one fold, and classes are spread evenly."""
    by_class: dict[int, set[str]] = defaultdict(set)
    for label, group in zip(labels, groups, strict=True):
        by_class[int(label)].add(group)
    fold: dict[str, int] = {}
    start = 0
    for label in sorted(by_class):
        for place, group in enumerate(shuffled(by_class[label], seed)):
            fold.setdefault(group, (start + place) % count)
        start += len(by_class[label])
    return np.array([fold[group] for group in groups], np.int64)


def shuffled(names: set[str] | Sequence[str], seed: int) -> list[str]:
    """An order that depends on the seed and the names alone."""
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())


def chosen_for_renders(renders: PictureSet, unlabelled: AnyArray | None, seed: int) -> Chosen:
    """The strongest regularisation whose log loss is within one standard error of the smallest.

    Photos differ from renders more than renders from each other, so less is trusted to their details.
    """
    number = folds(renders.labels, renders.groups, FOLDS, seed)
    scores = {strength: np.zeros((len(renders), len(renders.classes))) for strength in STRENGTHS}
    for fold in range(FOLDS):
        inside, outside = np.flatnonzero(number != fold), np.flatnonzero(number == fold)
        if not len(inside) or not len(outside):
            continue
        labels = renders.labels[inside]
        weights = balanced_weights(labels, len(renders.classes))
        ridge = Ridge(renders.features[inside], labels, weights, len(renders.classes))
        for strength in STRENGTHS:
            scores[strength][outside] = ridge.head(strength).scores(renders.features[outside])
    is_aligned = unlabelled is not None and len(unlabelled) > 0
    tried = [_tried(Recipe(0.0, is_aligned, one), scores[one], renders.labels) for one in STRENGTHS]
    best = min(tried, key=lambda one: one.log_loss)
    limit = best.log_loss + _standard_error(scores[best.recipe.strength] / best.temperature, renders.labels)
    return Chosen(max((one for one in tried if one.log_loss <= limit), key=lambda one: one.recipe.strength))


def chosen_for_photos(
    renders: PictureSet, photos: PictureSet, unlabelled: AnyArray | None, seed: int, share: float | None
) -> Chosen:
    """share: of the weight that photos get; None: chosen, and renders are left out if they do not help"""
    classes = len(photos.classes)
    counts = np.bincount(photos.labels, minlength=classes)
    count = min(FOLDS, int(counts[counts > 0].min()))
    if count < 2:
        strength = chosen_for_renders(renders, None, seed).best
        recipe = Recipe(_DEFAULT_SHARE if share is None else share, True, strength.recipe.strength)
        return Chosen(replace(strength, recipe=recipe))
    number = folds(photos.labels, photos.groups, count, seed)
    scores: dict[Recipe, AnyArray] = {}
    shares = PHOTO_SHARES if share is None else (share,)
    for fold in range(count):
        inside, outside = np.flatnonzero(number != fold), np.flatnonzero(number == fold)
        for recipe, head in _heads(renders, photos.at(inside), unlabelled, shares):
            own = scores.setdefault(recipe, np.zeros((len(photos), classes)))
            own[outside] = head.scores(photos.features[outside])
    tried = [_tried(recipe, own, photos.labels) for recipe, own in scores.items()]
    alone, mixed = (
        min((one for one in tried if (one.recipe.photo_share == 1) == is_alone), key=lambda one: one.log_loss)
        for is_alone in (True, False)
    )
    best = mixed if share is not None or mixed.log_loss < alone.log_loss - _LEAST_GAIN else alone
    return Chosen(best, alone, mixed)


def _heads(
    renders: PictureSet, photos: PictureSet, unlabelled: AnyArray | None, shares: Sequence[float]
) -> Iterator[tuple[Recipe, LinearHead]]:
    for share in (1.0, *shares):
        for is_aligned in (False,) if share == 1 else (False, True):
            ridge = ridge_of(renders, photos, unlabelled, share, is_aligned)
            for strength in STRENGTHS:
                yield Recipe(share, is_aligned, strength), ridge.head(strength)


def ridge_of(
    renders: PictureSet, photos: PictureSet | None, unlabelled: AnyArray | None, share: float,
    is_aligned: bool,
) -> Ridge:  # fmt: skip
    """What heads for a recipe have in common."""
    features, labels, weights = training_set(renders, photos, unlabelled, share, is_aligned)
    return Ridge(features, labels, weights, len(renders.classes))


def training_set(
    renders: PictureSet, photos: PictureSet | None, unlabelled: AnyArray | None, share: float,
    is_aligned: bool,
) -> tuple[AnyArray, AnyArray, AnyArray]:  # fmt: skip
    """Features, labels and weights of what a recipe uses."""
    classes, known = len(renders.classes), [one for one in (renders, photos) if one is not None]
    photo_features = [photos.features] if photos is not None else []
    photo_features += [unlabelled] if unlabelled is not None and len(unlabelled) else []
    own = renders.features
    if is_aligned and photo_features:
        own = aligned(own, np.concatenate(photo_features))
    features = {id(renders): own} | ({id(photos): photos.features} if photos is not None else {})
    of_kind = {id(renders): 1 - share} | ({id(photos): share} if photos is not None else {})
    used = [one for one in known if of_kind[id(one)] > 0]
    return (
        np.concatenate([features[id(one)] for one in used]),
        np.concatenate([one.labels for one in used]),
        np.concatenate([balanced_weights(one.labels, classes) * of_kind[id(one)] for one in used]),
    )


def _tried(recipe: Recipe, scores: AnyArray, labels: AnyArray) -> Tried:
    temperature, loss = best_temperature(scores, labels)
    right = int((scores.argmax(axis=1) == labels).sum())
    return Tried(recipe, loss, Share(right, len(labels)), temperature, scores)


def _standard_error(scores: AnyArray, labels: AnyArray) -> float:
    powers = scores - scores.max(axis=1, keepdims=True)
    losses = np.log(np.exp(powers).sum(axis=1)) - powers[np.arange(len(labels)), labels]
    return float(losses.std() / np.sqrt(len(losses)))
