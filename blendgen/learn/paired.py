"""Paired: how much more of the same photos one classifier gets right than another.

In: how often each of both is right about each photo. Out: the mean difference, with a 95 % interval over the
photos, which is narrower than those of the two accuracies suggest: most photos are as easy for both.
source: Efron and Tibshirani 1993, An introduction to the bootstrap, chapter 8 (pairs); McNemar 1947
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from blendgen.geometry.arrays import AnyArray

_RESAMPLES = 9999


@dataclass(frozen=True)
class Gain:
    """A difference of two accuracies, as a share of the photos; low, high: its 95 % interval"""

    mean: float
    low: float
    high: float

    @property
    def is_shown(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0

    def facts(self) -> dict[str, float]:
        return {"mean": self.mean, "low": self.low, "high": self.high}


def paired_gain(ours: AnyArray, theirs: AnyArray) -> Gain:
    """ours, theirs: (photos,) 0 to 1, which share of the trials was right about each; at least one photo"""
    from scipy.stats import bootstrap

    values = np.asarray(ours, float) - np.asarray(theirs, float)
    mean = float(values.mean())
    if np.ptp(values) == 0:
        return Gain(mean, mean, mean)
    interval = bootstrap(
        (values,), np.mean, n_resamples=_RESAMPLES, method="percentile", random_state=0
    ).confidence_interval
    return Gain(mean, float(interval.low), float(interval.high))


def chance_of_difference(ours: AnyArray, theirs: AnyArray) -> float:
    """How likely as large a difference is by chance: McNemar's test, exact, both sides.

    ours, theirs: (photos,) bool, whether each is right
    """
    from scipy.stats import binomtest

    gained, lost = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    return float(binomtest(gained, gained + lost, 0.5).pvalue) if gained + lost else 1.0


def points(gain: dict[str, Any]) -> str:
    """A gain with its interval, from Gain.facts, in points of accuracy."""
    return "{:+.1f} ({:+.1f} to {:+.1f})".format(*(100 * gain[key] for key in ("mean", "low", "high")))
