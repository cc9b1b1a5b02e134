"""Measure: a number read off a picture, with its standard error; or the reason why it cannot be read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from blendgen.geometry.arrays import FloatArray


@dataclass(frozen=True)
class Measure:
    """value: None if the picture does not show it; error: standard error of the value

    reason: why there is no value
    """

    value: float | None
    error: float = 0.0
    reason: str = ""

    def as_dict(self) -> dict[str, float | str | None]:
        if self.value is None:
            return {"value": None, "reason": self.reason}
        return {"value": round(self.value, 4), "error": round(self.error, 4)}


def unknown(reason: str) -> Measure:
    return Measure(None, reason=reason)


def median_measure(values: Sequence[float] | FloatArray) -> Measure:
    """The median of independent values, with the standard error of a median."""
    array = np.asarray(values, float)
    return Measure(float(np.median(array)), 1.2533 * spread(array) / math.sqrt(len(array)))


def spread(values: Sequence[float] | FloatArray) -> float:
    """Standard deviation by the median absolute deviation, which a few odd values do not change."""
    array = np.asarray(values, float)
    return float(1.4826 * np.median(np.abs(array - np.median(array))))
