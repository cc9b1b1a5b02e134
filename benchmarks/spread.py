"""Spread: a figure that was measured several times, and ratios of figures of the same rounds.

Machines are noisy and can slow down for minutes. So figures that are compared are measured in the same round,
ratios are taken within a round, and the median round counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Spread:
    """Median, smallest and largest of some measurements, and their number."""

    median: float
    low: float
    high: float
    count: int

    @property
    def relative(self) -> float:
        """Half the range as a share of the median: 0.1 is printed as ±10 %."""
        return (self.high - self.low) / 2 / abs(self.median) if self.median else 0.0


def spread(values: Sequence[float]) -> Spread:
    """The spread of some values; raises ValueError if there are none."""
    if not values:
        raise ValueError("nothing was measured")
    return Spread(median(values), min(values), max(values), len(values))


def ratio(tops: Sequence[float], bottoms: Sequence[float]) -> Spread:
    """The ratios of figures of the same rounds, in the order of the rounds."""
    return spread([top / bottom for top, bottom in zip(tops, bottoms, strict=True)])
