"""Sets: the statistics of many pictures together, and how two sets differ.

In: Measures of each picture. Out: for each statistic its median with a bootstrap interval, and its spread
from picture to picture; of two sets the difference in units of the spread of the first.
source: Efron and Tibshirani 1993, An introduction to the bootstrap, chapter 13 (percentile intervals)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.stats import bootstrap, mannwhitneyu

from blendgen.geometry.arrays import ArrayN
from blendgen.photos.measure import Measure, spread
from blendgen.photos.statistics import STATISTICS, Statistic

FEWEST = 3  # pictures for a median, its interval and a spread
_CONFIDENCE = 0.99  # of an interval: there are many statistics, and each may differ by chance
_RESAMPLES = 999
_ENDS = (0.05, 0.95)

Pictures = Sequence[Mapping[str, Measure]]


@dataclass(frozen=True)
class SetStatistic:
    """One statistic of a set; values of pictures of which it could be measured.

    interval: of the median; spread: standard deviation between pictures, robust
    ends: quantiles 0.05 and 0.95; unknown: how often each reason was given for no value
    """

    name: str
    pictures: int
    values: tuple[float, ...]
    error: float
    unknown: dict[str, int]

    @property
    def is_known(self) -> bool:
        return len(self.values) >= FEWEST

    @property
    def median(self) -> float:
        return float(np.median(self.values))

    @property
    def spread(self) -> float:
        """Between pictures, without what the errors of the measurements add."""
        return float(np.sqrt(max(0.0, spread(self.values) ** 2 - self.error**2)))

    @property
    def ends(self) -> tuple[float, float]:
        low, high = np.quantile(self.values, _ENDS)
        return float(low), float(high)

    @cached_property
    def interval(self) -> tuple[float, float]:
        return _interval((np.array(self.values),), _median)

    @property
    def reason(self) -> str:
        """Why it is not known."""
        if not self.unknown:
            return f"fewer than {FEWEST} pictures"
        reason, count = max(self.unknown.items(), key=lambda item: item[1])
        return f"{reason} ({count} of {self.pictures} pictures)"

    def as_dict(self) -> dict[str, Any]:
        if not self.is_known:
            return {"pictures": self.pictures, "measured": len(self.values), "reason": self.reason}
        return {
            "pictures": self.pictures,
            "measured": len(self.values),
            "median": round(self.median, 4),
            "interval": [round(end, 4) for end in self.interval],
            "spread": round(self.spread, 4),
            "quantiles": [round(end, 4) for end in self.ends],
        }


@dataclass(frozen=True)
class Difference:
    """How a second set differs from a first one in one statistic.

    spreads: difference of the medians in units of the first set's spread, or of the smallest difference that
        matters if that is larger; interval: of it
    verdict: "differs", "alike" or "unknown"; varies: "less" or "more" if the spread of the second one differs
    move: what to do about it
    separability: how often this statistic alone tells which of two pictures is of which set; 0.5 is chance
    """

    name: str
    spreads: float
    interval: tuple[float, float]
    separability: float
    verdict: str
    varies: str
    move: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def of_set(pictures: Pictures) -> dict[str, SetStatistic]:
    """All statistics of a set, by name."""
    return {statistic.name: _of_set(statistic.name, pictures) for statistic in STATISTICS}


def _of_set(name: str, pictures: Pictures) -> SetStatistic:
    measures = [picture[name] for picture in pictures]
    known = [(one.value, one.error) for one in measures if one.value is not None]
    reasons = Counter(one.reason for one in measures if one.value is None)
    error = float(np.median([error for _, error in known])) if known else 0.0
    return SetStatistic(name, len(pictures), tuple(value for value, _ in known), error, dict(reasons))


def differences(first: Mapping[str, SetStatistic], second: Mapping[str, SetStatistic]) -> list[Difference]:
    """Of all statistics, those that differ most first."""
    every = [_difference(one, first[one.name], second[one.name]) for one in STATISTICS]
    return sorted(every, key=lambda one: (one.verdict != "differs", -abs(one.spreads)))


def _difference(statistic: Statistic, first: SetStatistic, second: SetStatistic) -> Difference:
    if not (first.is_known and second.is_known):
        return Difference(statistic.name, 0.0, (0.0, 0.0), 0.5, "unknown", "", "")
    least = statistic.least_difference(first.median)
    unit = max(spread(first.values), least)
    value = (second.median - first.median) / unit
    samples = np.array(second.values) / unit, np.array(first.values) / unit
    interval = _interval(samples, _difference_of_medians)
    is_apart = interval[0] > 0 or interval[1] < 0
    differs = is_apart and abs(second.median - first.median) > least
    varies = _variation(statistic, first, second)
    move = _move(statistic, -value) if differs else ""
    return Difference(
        statistic.name, round(value, 3), (round(interval[0], 3), round(interval[1], 3)),
        round(_separability(first.values, second.values), 3),
        "differs" if differs else "alike", varies, move,
    )  # fmt: skip


def _separability(first: Sequence[float], second: Sequence[float]) -> float:
    """The area under the ROC curve, of the better direction."""
    area = float(mannwhitneyu(first, second).statistic) / (len(first) * len(second))
    return max(area, 1 - area)


def _variation(statistic: Statistic, first: SetStatistic, second: SetStatistic) -> str:
    """Whether the second set varies less or more than the first, by more than matters."""
    one, two = spread(first.values), spread(second.values)
    if abs(one - two) < statistic.least_difference(first.median):
        return ""
    low, high = _interval((np.array(second.values), np.array(first.values)), _difference_of_spreads)
    return "less" if high < 0 else "more" if low > 0 else ""


def _move(statistic: Statistic, wanted: float) -> str:
    """What raises (wanted above 0) or lowers a statistic."""
    parts = [
        f"{'raise' if mover.direction * wanted > 0 else 'lower'} {mover.field}" for mover in statistic.movers
    ]
    advice = [f"see {statistic.advice}"] if statistic.advice else []
    return "; ".join([" or ".join(parts)] * bool(parts) + advice)


def _interval(samples: tuple[ArrayN, ...], statistic) -> tuple[float, float]:
    """Percentile interval; a bootstrap of samples that are all the same is that value."""
    if all(np.ptp(sample) == 0 for sample in samples):
        value = float(statistic(*samples, axis=-1))
        return value, value
    ends = bootstrap(
        samples, statistic, vectorized=True, n_resamples=_RESAMPLES, confidence_level=_CONFIDENCE,
        method="percentile", random_state=0,
    ).confidence_interval  # fmt: skip
    return float(ends.low), float(ends.high)


def _median(values: ArrayN, axis: int) -> ArrayN:
    return np.asarray(np.median(values, axis=axis))


def _difference_of_medians(one: ArrayN, other: ArrayN, axis: int) -> ArrayN:
    return np.asarray(np.median(one, axis=axis) - np.median(other, axis=axis))


def _difference_of_spreads(one: ArrayN, other: ArrayN, axis: int) -> ArrayN:
    return np.asarray(_deviation(one, axis) - _deviation(other, axis))


def _deviation(values: ArrayN, axis: int) -> ArrayN:
    middle = np.median(values, axis=axis, keepdims=True)
    return np.asarray(1.4826 * np.median(np.abs(values - middle), axis=axis))
