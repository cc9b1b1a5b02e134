"""Histogram: how often each value of a parameter was sampled, next to how often it was asked for.

In: a Parameter, then its values one by one. Out: plain values for JSON. Takes the same memory for any number.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

import numpy as np

from blendgen.reports.parameters import Parameter, Value
from blendgen.spec.distributions import Choice, Distribution, LogUniform, SameAs

BINS = 24
OTHER = "other"
_MOST_NAMES = 40
_RARE_P = 1e-4  # of a histogram that is not a sample of what was asked for
_LEAST_EXPECTED = 5.0  # counts of bins below are not approximately normal
_DIGITS = 6
_SHARE_STEP = 1e-9


class Bins:
    """Intervals of numbers, or names; `number` gives the position of the bin of a value."""

    def __init__(self, edges: Sequence[float] = (), names: Sequence[Value] = ()):
        self.edges, self.names = tuple(edges), tuple(names)
        self._places = {name: place for place, name in enumerate(self.names)}

    def __len__(self) -> int:
        return len(self.edges) - 1 if self.edges else len(self.names) + 1

    def number(self, value: Value) -> int:
        """Values outside of all intervals count as their nearest; unknown names as the last bin."""
        if not self.edges:
            return self._places.get(value, len(self.names))
        if not isinstance(value, float):
            return 0
        return min(max(bisect_right(self.edges, value) - 1, 0), len(self) - 1)

    def labels(self) -> list[str]:
        return [*map(_text, self.names), OTHER]


class Histogram:
    """The counts of one parameter."""

    def __init__(self, parameter: Parameter):
        self.parameter, self.bins = parameter, bins_of(parameter)
        self.counts = [0] * len(self.bins)
        self._shares, self._is_exact = expected_shares(parameter, self.bins)

    def add(self, value: Value) -> None:
        self.counts[self.bins.number(value)] += 1

    def as_dict(self) -> dict[str, Any]:
        """Counts; expected: how many of them the spec leads to expect; p: how likely such differences are."""
        total = sum(self.counts)
        p = _p_value(np.array(self.counts), self._shares * total) if self._is_exact else None
        what = {
            "distribution": str(self.parameter.distribution),
            "p": p,
            "differs": p is not None and p < _RARE_P,
        }
        expected = [round(float(share * total), 2) for share in self._shares]
        if self.bins.edges:
            return {
                "kind": "number", "edges": [rounded(edge) for edge in self.bins.edges],
                "log": _is_log(self.parameter), "counts": self.counts, "expected": expected, **what,
            }  # fmt: skip
        labels = self.bins.labels()
        if not self.counts[-1]:
            labels, counts, expected = labels[:-1], self.counts[:-1], expected[:-1]
        else:
            counts = self.counts
        return {"kind": "name", "names": labels, "counts": counts, "expected": expected, **what}


def bins_of(parameter: Parameter, most: int = BINS) -> Bins:
    """Intervals over all that was asked for; a bin a value where there are few."""
    distinct = dict.fromkeys(parameter.likely)
    if not parameter.is_numeric or len(distinct) <= most:
        return Bins(names=sorted([*distinct][:_MOST_NAMES], key=_order))
    numbers = [float(value) for value in parameter.likely]
    low, high = _ends(parameter, numbers)
    if _is_log(parameter):
        return Bins([math.exp(edge) for edge in np.linspace(math.log(low), math.log(high), most + 1)])
    return Bins([float(edge) for edge in np.linspace(low, high, most + 1)])


def expected_shares(parameter: Parameter, bins: Bins) -> tuple[np.ndarray, bool]:
    """(share of each bin as asked for, whether it is exact)."""
    distribution, size = parameter.distribution, len(bins)
    if isinstance(distribution, Choice):
        plain = [float(v) if isinstance(v, int | float) else v for v in distribution.values]
        places = [bins.number(value) for value in plain]
        return np.bincount(places, distribution.weights, size) / sum(distribution.weights), True
    if distribution.dimensions == 1 and parameter.is_numeric and not isinstance(distribution, SameAs):
        inner = [math.nextafter(edge, -math.inf) for edge in bins.edges[1:-1]]  # an edge is in the bin above
        ends = inner or [float(name) for name in bins.names]
        below = [_share_up_to(distribution, end) for end in ends]
        whole = [0.0, *below, 1.0]
        return np.diff(whole).round(8), True
    places = [bins.number(value) for value in parameter.likely]
    return np.bincount(places, minlength=size) / len(places), False


def _share_up_to(distribution: Distribution, value: float) -> float:
    """How much of a distribution of numbers is not above a value: the inverse of its quantile."""
    low, high = 0.0, 1.0
    while high - low > _SHARE_STEP:
        middle = (low + high) / 2
        low, high = (middle, high) if distribution.quantile(middle) <= value else (low, middle)
    return low if low > _SHARE_STEP else 0.0


def rounded(value: float, digits: int = _DIGITS) -> float:
    return float(f"{value:.{digits}g}")


def _ends(parameter: Parameter, numbers: Sequence[float]) -> tuple[float, float]:
    low, high = parameter.distribution.support()
    inner = min(numbers), max(numbers)
    return (low if math.isfinite(low) else inner[0]), (high if math.isfinite(high) else inner[1])


def _is_log(parameter: Parameter) -> bool:
    return isinstance(parameter.distribution, LogUniform)


def _order(value: Value) -> tuple[bool, float, str]:
    return (True, 0.0, value) if isinstance(value, str) else (False, value, "")


def _text(value: Value) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _p_value(counts: np.ndarray, expected: np.ndarray) -> float | None:
    """Of Pearson's test; None where there are too few values for it."""
    from scipy.special import chdtrc

    is_usual = expected >= _LEAST_EXPECTED
    rare = counts[~is_usual].sum(), expected[~is_usual].sum()
    pairs = [*zip(counts[is_usual], expected[is_usual], strict=True), *([rare] if rare[1] > 1e-9 else [])]
    if len(pairs) < 2:
        return None
    statistic = sum((count - wanted) ** 2 / wanted for count, wanted in pairs)
    return rounded(float(chdtrc(len(pairs) - 1, statistic)), 3)
