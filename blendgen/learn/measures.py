"""Measures: how good predictions are, with intervals that say how sure that is.

In: probabilities and true classes. Out: plain values. Intervals are those of Wilson, 95 %, which hold for few
pictures and for shares near 0 and 1. source: Wilson 1927; Guo et al. 2017, On calibration (ECE)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from blendgen.geometry.arrays import AnyArray

_Z = 1.959963984540054
BINS = 10


@dataclass(frozen=True)
class Share:
    """`right` of `count` pictures."""

    right: int
    count: int

    @property
    def value(self) -> float:
        """nan without pictures"""
        return self.right / self.count if self.count else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson, 95 %; 0 to 1 without pictures"""
        if not self.count:
            return 0.0, 1.0
        n, p, z2 = self.count, self.value, _Z**2
        centre = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = _Z / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
        return max(0.0, centre - half), min(1.0, centre + half)

    def facts(self) -> dict[str, Any]:
        low, high = self.interval
        value = None if not self.count else self.value
        return {"right": self.right, "count": self.count, "value": value, "low": low, "high": high}

    def __str__(self) -> str:
        low, high = self.interval
        return f"{100 * self.value:.1f} % ({100 * low:.1f} to {100 * high:.1f})" if self.count else "-"


def percent(share: dict[str, Any] | None) -> str:
    """A share with its interval, from Share.facts."""
    if not share or share["value"] is None:
        return "-"
    return f"{100 * share['value']:.1f} % ({100 * share['low']:.1f} to {100 * share['high']:.1f})"


def accuracy(probabilities: AnyArray, labels: AnyArray) -> Share:
    return Share(int((probabilities.argmax(axis=1) == labels).sum()), len(labels))


def confusion(probabilities: AnyArray, labels: AnyArray) -> list[list[int]]:
    """Rows: true classes; columns: predicted ones."""
    classes = probabilities.shape[1]
    counts = np.bincount(labels * classes + probabilities.argmax(axis=1), minlength=classes**2)
    return [[int(n) for n in row] for row in counts.reshape(classes, classes)]


def recalls(table: list[list[int]]) -> list[Share]:
    """Of each class, how many of its pictures were predicted right."""
    return [Share(row[number], sum(row)) for number, row in enumerate(table)]


def precisions(table: list[list[int]]) -> list[Share]:
    """Of each class, how many of the pictures predicted as it are of it."""
    return [Share(table[number][number], sum(row[number] for row in table)) for number in range(len(table))]


@dataclass(frozen=True)
class Calibration:
    """error: expected calibration error, the mean distance between confidence and accuracy

    bins: (low, high, mean confidence, Share that is right), those that have pictures
    """

    error: float
    bins: tuple[tuple[float, float, float, Share], ...]

    def facts(self) -> dict[str, Any]:
        bins = [
            {"low": low, "high": high, "confidence": mean, "accuracy": share.facts()}
            for low, high, mean, share in self.bins
        ]
        return {"expected_calibration_error": self.error, "bins": bins}


def calibration(probabilities: AnyArray, labels: AnyArray) -> Calibration:
    confidence, is_right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    number = np.minimum((confidence * BINS).astype(int), BINS - 1)
    bins = []
    for own in range(BINS):
        inside = number == own
        if inside.any():
            share = Share(int(is_right[inside].sum()), int(inside.sum()))
            bins.append((own / BINS, (own + 1) / BINS, float(confidence[inside].mean()), share))
    error = sum(abs(mean - share.value) * share.count for _, _, mean, share in bins)
    return Calibration(error / max(1, len(labels)), tuple(bins))
