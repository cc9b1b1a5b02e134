"""Effects: what each parameter does to the predictions of a classifier, and whether that is a fault.

In: predictions of images in a design. Out: Effects: ANOVA of the score of the right class, accuracy and
recalls by level, and a verdict:

- shortcut: one class is recognised at one level and another class at another level. What decides is then
  the parameter and not the product.
- blind: fewer images are right at one level, of the classes together.
- changes the score: surely, but predictions stay right.
- no effect shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from blendgen.experiments.anova import Term, holm, split_plot
from blendgen.experiments.factors import Factor
from blendgen.geometry.arrays import AnyArray
from blendgen.learn.measures import Share

LEAST_P = 0.01  # corrected for the number of tests
LEAST_DROP = 0.1  # of accuracy, from the best level to the worst
LEAST_PULL = 0.2  # of recall, up for one class and down for another


class Verdict(StrEnum):
    SHORTCUT = "shortcut"
    BLIND = "blind"
    CHANGES = "changes the score"
    NOTHING = "no effect shown"


@dataclass(frozen=True)
class Predictions:
    """Of the images of a design; each is an array over images.

    shots: which share all other values; labels, predicted: numbers of classes; levels: (images, parameters)
    scores: log odds of the right class
    """

    shots: AnyArray
    labels: AnyArray
    predicted: AnyArray
    levels: AnyArray
    scores: AnyArray

    @property
    def right(self) -> AnyArray:
        return np.asarray(self.labels == self.predicted)


@dataclass(frozen=True)
class Pull:
    """Recall of `first` is higher by `size` or more at level a than at b, that of `second` the other way."""

    size: float
    a: int
    b: int
    first: int
    second: int


@dataclass(frozen=True)
class Effect:
    """factor: the parameter; number: of its column in levels; p, p_by_class: corrected

    accuracy: by level; recall: (classes, levels), nan where there are no images
    score: by level, mean log odds of the right class less that of the shot
    variance: share of that within shots that the parameter explains, alone and together with the class
    """

    factor: Factor
    number: int
    main: Term
    by_class: Term
    variance: tuple[float, float]
    accuracy: tuple[Share, ...]
    recall: AnyArray
    score: tuple[float, ...]
    pull: Pull | None
    p: float | None = None
    p_by_class: float | None = None

    @property
    def worst(self) -> int:
        return min(range(len(self.accuracy)), key=lambda level: self.accuracy[level].value)

    @property
    def best(self) -> int:
        return max(range(len(self.accuracy)), key=lambda level: self.accuracy[level].value)

    @property
    def drop(self) -> float:
        return self.accuracy[self.best].value - self.accuracy[self.worst].value

    @property
    def verdict(self) -> Verdict:
        is_sure, is_sure_by_class = (p is not None and p < LEAST_P for p in (self.p, self.p_by_class))
        if is_sure_by_class and self.pull is not None and self.pull.size >= LEAST_PULL:
            return Verdict.SHORTCUT
        if is_sure and self.drop >= LEAST_DROP:
            return Verdict.BLIND
        return Verdict.CHANGES if is_sure or is_sure_by_class else Verdict.NOTHING

    def facts(self, classes: Sequence[str]) -> dict[str, Any]:
        return {
            "parameter": self.factor.name,
            "verdict": str(self.verdict),
            "levels": [
                {
                    "level": level.name,
                    "accuracy": share.facts(),
                    "score": score,
                    "recall": {
                        name: None if np.isnan(row[place]) else float(row[place])
                        for name, row in zip(classes, self.recall, strict=True)
                    },
                }
                for place, (level, share, score) in enumerate(
                    zip(self.factor.levels, self.accuracy, self.score, strict=True)
                )
            ],
            "accuracy_drop": self.drop,
            "effect": {**self.main.facts(), "p_corrected": self.p, "share_of_variance": self.variance[0]},
            "effect_by_class": {
                **self.by_class.facts(),
                "p_corrected": self.p_by_class,
                "share_of_variance": self.variance[1],
            },
            "pull": self._pull_facts(classes),
        }

    def _pull_facts(self, classes: Sequence[str]) -> dict[str, Any] | None:
        if self.pull is None:
            return None
        one, levels = self.pull, self.factor.levels
        return {
            "recall": one.size,
            "level": levels[one.a].name, "class": classes[one.first],
            "other_level": levels[one.b].name, "other_class": classes[one.second],
        }  # fmt: skip


def effects(predictions: Predictions, factors: Sequence[Factor], classes: int) -> list[Effect]:
    """Faults first, then by how much of the variance of the score a parameter explains."""
    measured = [_effect(predictions, number, factor, classes) for number, factor in enumerate(factors)]
    p = holm([term.p for one in measured for term in (one.main, one.by_class)])
    corrected = [
        replace(one, p=own, p_by_class=by_class)
        for one, own, by_class in zip(measured, p[::2], p[1::2], strict=True)
    ]
    order = list(Verdict)
    return sorted(
        corrected,
        key=lambda one: (order.index(one.verdict), -sum(one.variance), one.factor.name),
    )


def _effect(predictions: Predictions, number: int, factor: Factor, classes: int) -> Effect:
    levels, right = predictions.levels[:, number], predictions.right
    count = len(factor.levels)
    means, labels = _means(predictions, levels, count)
    main, by_class = split_plot(means, labels)
    accuracy = tuple(
        Share(int(right[levels == one].sum()), int((levels == one).sum())) for one in range(count)
    )
    recall = np.array(
        [[_mean(right[(levels == one) & (predictions.labels == label)]) for one in range(count)]
         for label in range(classes)]
    )  # fmt: skip
    within = _within(predictions)
    per_level = len(levels) / max(1, len(means) * count)
    variance = (
        (main.squares * per_level / within, by_class.squares * per_level / within) if within else (0.0, 0.0)
    )
    score = tuple(float(one) for one in (means - means.mean(axis=1, keepdims=True)).mean(axis=0))
    return Effect(factor, number, main, by_class, variance, accuracy, recall, score, _pull(recall))


def _means(predictions: Predictions, levels: AnyArray, count: int) -> tuple[AnyArray, AnyArray]:
    """(shots, levels) mean scores, and the class of each shot; of the shots that have each level."""
    means, labels = [], []
    for shot in np.unique(predictions.shots):
        own = predictions.shots == shot
        cells = [predictions.scores[own & (levels == level)] for level in range(count)]
        if all(len(cell) for cell in cells):
            means.append([float(cell.mean()) for cell in cells])
            labels.append(int(predictions.labels[own][0]))
    return np.array(means, np.float64).reshape(-1, count), np.array(labels)


def _within(predictions: Predictions) -> float:
    """Sum of squares of the scores around the means of their shots."""
    total = 0.0
    for shot in np.unique(predictions.shots):
        own = predictions.scores[predictions.shots == shot]
        total += float(((own - own.mean()) ** 2).sum())
    return total


def _mean(values: AnyArray) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _pull(recall: AnyArray) -> Pull | None:
    """The largest exchange of recall between two classes; None without two classes."""
    pulls = []
    for a in range(recall.shape[1]):
        for b in range(a + 1, recall.shape[1]):
            change = recall[:, a] - recall[:, b]
            if np.isfinite(change).sum() < 2:
                continue
            first, second = int(np.nanargmax(change)), int(np.nanargmin(change))
            size = float(min(change[first], -change[second]))
            pulls.append(Pull(max(0.0, size), a, b, first, second))
    return max(pulls, key=lambda one: one.size, default=None)
