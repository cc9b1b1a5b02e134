"""Arms: what else could have been trained, in one table, each tested on the same photos with several seeds.

In: renders of a data set, labelled photos to train on, photos to test on. Out: facts: accuracy of renders
alone, of k photos of each class alone, and of both, with the gain on the same photos; and how many photos of
each class the renders are worth.
Without photos to train on, those to test on are divided: each seed trains on one half and tests on the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from blendgen.geometry.arrays import AnyArray
from blendgen.learn.choice import shuffled
from blendgen.learn.measures import Share
from blendgen.learn.paired import Gain, paired_gain
from blendgen.learn.pictures import PictureSet
from blendgen.learn.train import Material, fitted
from blendgen.learn.worth import worth
from blendgen.system.progress import Progress

PHOTOS_PER_CLASS = (1, 2, 5, 10, 20)
SYNTHETIC, ALIGNED, REAL, MIXED = "renders", "renders, aligned", "photos", "photos and renders"
BASELINE = "renders of the baseline"


@dataclass(frozen=True)
class Arm:
    """kind: of those above; per_class: photos of each class, None for all, 0 without labelled ones"""

    kind: str
    per_class: int | None

    @property
    def name(self) -> str:
        if self.kind == SYNTHETIC:
            return "renders only"
        if self.kind == BASELINE:
            return "renders of the baseline only"
        if self.kind == ALIGNED:
            return "renders only, aligned with unlabelled photos"
        counts = {None: "all photos", 1: "1 photo a class"}
        name = counts.get(self.per_class, f"{self.per_class} photos a class")
        return name + (" and renders" if self.kind == MIXED else " only")


@dataclass(frozen=True)
class Trial:
    """One seed of an arm

    right: of each photo that it was tested on, by its key; photos: it was trained on
    used_renders: whether it was better with them
    """

    right: Mapping[str, bool]
    photos: int
    used_renders: bool

    @property
    def share(self) -> Share:
        return Share(sum(self.right.values()), len(self.right))


def compared(
    renders: PictureSet, pool: PictureSet | None, test: PictureSet, seeds: int, progress: Progress,
    baseline: PictureSet | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Facts of all arms: see the top of this file.

    pool: photos to train on, or None; seeds: at least 1; baseline: renders of another data set
    """
    halves = [_halves(pool, test, seed) for seed in range(seeds)]
    smallest = min(_fewest_per_class(own) for own, _ in halves)
    arms = [*_arms(smallest)] if baseline is None else [Arm(BASELINE, 0), *_arms(smallest)]
    progress.begin(len(arms) * seeds, "trial")
    results = {}
    for arm in arms:
        trials = []
        for seed, (own, tested) in enumerate(halves):
            made = baseline if arm.kind == BASELINE and baseline is not None else renders
            trials.append(_trial(arm, made, own, tested, seed))
            progress.advance(1)
        results[arm] = trials
    rows = [_facts(arm, trials) | {"gain": _gain_facts(arm, results)} for arm, trials in results.items()]
    curve = [
        (count, _mean(results[Arm(REAL, count)])) for count in PHOTOS_PER_CLASS if Arm(REAL, count) in results
    ]
    return {
        "seeds": seeds,
        "test_photos": len(halves[0][1]),
        "tested_on": "the split test" if pool is not None else "the half that was not trained on",
        "table": rows,
        "worth": worth(_mean(results[Arm(SYNTHETIC, 0)]), curve),
    }


def _arms(smallest: int) -> Iterator[Arm]:
    """smallest: photos of the class with the fewest"""
    yield Arm(SYNTHETIC, 0)
    yield Arm(ALIGNED, 0)
    counts: list[int | None] = [count for count in PHOTOS_PER_CLASS if count <= smallest]
    for count in [*counts, None]:
        yield Arm(REAL, count)
        yield Arm(MIXED, count)


def _halves(pool: PictureSet | None, test: PictureSet, seed: int) -> tuple[PictureSet, PictureSet]:
    """Photos to train on, and to test on."""
    if pool is not None:
        return pool, test
    first = chosen_photos(test, lambda count: max(1, count // 2), seed)
    rest = sorted({*range(len(test))} - {*first})
    return test.at(first), test.at(rest)


def chosen_photos(pictures: PictureSet, wanted: Callable[[int], int], seed: int) -> list[int]:
    """Positions of some pictures of each class, others for each seed; wanted: how many of how many."""
    places = {picture.key: position for position, picture in enumerate(pictures.pictures)}
    chosen: list[int] = []
    for label in range(len(pictures.classes)):
        own = [picture.key for picture in pictures.pictures if picture.label_id == label]
        chosen += [places[key] for key in shuffled(own, seed)[: wanted(len(own))]]
    return sorted(chosen)


def _fewest_per_class(pictures: PictureSet) -> int:
    counts = np.bincount(pictures.labels, minlength=len(pictures.classes))
    return int(counts[counts > 0].min())


def _trial(arm: Arm, renders: PictureSet, pool: PictureSet, test: PictureSet, seed: int) -> Trial:
    nothing = renders.at([])
    if arm.kind in (BASELINE, SYNTHETIC, ALIGNED):
        unlabelled = pool if arm.kind == ALIGNED else None
        fit = fitted(Material(renders, nothing, None, unlabelled), seed)
        return Trial(_tested(fit.head.probabilities, test), 0, True)
    count = arm.per_class
    photos = pool if count is None else pool.at(chosen_photos(pool, lambda own: min(own, count), seed))
    if arm.kind == MIXED:
        fit = fitted(Material(renders, nothing, photos), seed)
        return Trial(
            _tested(fit.head.probabilities, test), len(photos), fit.chosen.best.recipe.photo_share < 1
        )
    fit = fitted(Material(photos, nothing), seed)
    return Trial(_tested(fit.head.probabilities, test), len(photos), False)


def _tested(probabilities: Callable[[AnyArray], AnyArray], test: PictureSet) -> dict[str, bool]:
    is_right = probabilities(test.features).argmax(axis=1) == test.labels
    return {picture.key: bool(own) for picture, own in zip(test.pictures, is_right, strict=True)}


def _mean(trials: Sequence[Trial]) -> Share:
    """The mean of the seeds, as a share of the photos of one of them: the same photos say no more twice."""
    return Share(round(sum(one.share.right for one in trials) / len(trials)), trials[0].share.count)


def _gain_facts(arm: Arm, results: Mapping[Arm, Sequence[Trial]]) -> dict[str, Any] | None:
    """Of renders over photos alone or the baseline, and of unlabelled photos; None for other arms."""
    without = {
        MIXED: Arm(REAL, arm.per_class), ALIGNED: Arm(SYNTHETIC, 0), SYNTHETIC: Arm(BASELINE, 0),
    }.get(arm.kind)  # fmt: skip
    if without is None or without not in results:
        return None
    return {"over": without.name, **gain_of(results[arm], results[without]).facts()}


def gain_of(trials: Sequence[Trial], others: Sequence[Trial]) -> Gain:
    """The mean over the seeds of each photo counts once; both: the same seeds, tested on the same photos."""
    keys = sorted({key for trial in trials for key in trial.right})
    ours, theirs = (
        np.array([np.mean([one.right[key] for one in own if key in one.right]) for key in keys])
        for own in (trials, others)
    )
    return paired_gain(ours, theirs)


def _facts(arm: Arm, trials: Sequence[Trial]) -> dict[str, Any]:
    return {
        "arm": arm.name,
        "kind": arm.kind,
        "photos_per_class": arm.per_class,
        "photos": trials[0].photos,
        "accuracy": _mean(trials).facts(),
        "per_seed": [one.share.value for one in trials],
        "seeds_with_renders": sum(one.used_renders for one in trials),
        "spread": math.sqrt(float(np.var([one.share.value for one in trials], ddof=1)))
        if len(trials) > 1
        else None,
    }
