"""Evidence: what photos say about fields of a spec, as it is collected.

In: a PhotoSet. Out: Guesses, each with its evidence, and what the photos do not tell.
"""

from __future__ import annotations

import numpy as np

from blendgen.geometry.arrays import ArrayN
from blendgen.matching.photo_set import PhotoSet
from blendgen.photos.sets import SetStatistic
from blendgen.starter.guess import Guess, rounded


class Evidence:
    """guesses: matched values; undetermined: messages about those that stay as they are"""

    def __init__(self, photos: PhotoSet):
        self.photos = photos
        self.guesses: list[Guess] = []
        self.undetermined: list[str] = []
        self.count = len(photos.photos)

    def add(self, field: str, value: object, reason: str) -> None:
        self.guesses.append(Guess(tuple(field.split(".")), value, reason, f"{self.count} photos"))

    def take(self, other: Evidence) -> None:
        """What another part has collected."""
        self.guesses += other.guesses
        self.undetermined += other.undetermined

    def statistic(self, name: str) -> SetStatistic:
        return self.photos.statistics[name]

    def values(self, name: str) -> ArrayN:
        return np.array(self.statistic(name).values)


def ranged(low: float, high: float) -> object:
    """A uniform distribution, or a constant where its ends are the same."""
    one, other = rounded(low), rounded(high)
    return one if one >= other else {"uniform": [one, other]}


def around(values: ArrayN, least: float, low: float, high: float) -> tuple[float, float]:
    """A range whose middle nine tenths are those of values, at least so wide, within bounds."""
    start, end = (float(q) for q in np.quantile(values, (0.05, 0.95)))
    missing = max((end - start) / 9, least - (end - start)) / 2
    return max(low, start - missing), min(high, end + missing)
