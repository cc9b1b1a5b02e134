"""Worth: how many real photos of each class a data set replaces.

In: the accuracy with renders alone, and with k photos of each class alone. Out: the k at which both are
equal, with an interval, and a sentence. Outside of what was tried, only a bound is stated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from blendgen.learn.measures import Share

Curve = Sequence[tuple[int, Share]]


def worth(renders: Share, curve: Curve) -> dict[str, Any]:
    """photos_per_class: None outside of the curve; low, high: of the interval, None likewise

    The interval is where those of both accuracies leave it open.
    """
    if len(curve) < 2:
        return {
            "photos_per_class": None, "low": None, "high": None,
            "sentence": "There are too few real photos to say how many this data set is worth.",
        }  # fmt: skip
    best = [share.value for _, share in curve]
    low, high = renders.interval
    counts = [count for count, _ in curve]
    # where photos may be as good as they can be, fewer of them do
    number = _crossing(renders.value, counts, best)
    fewest = _crossing(low, counts, [share.interval[1] for _, share in curve])
    most = _crossing(high, counts, [share.interval[0] for _, share in curve])
    inside = [_inside(one) for one in (number, fewest, most)]
    return {
        "photos_per_class": inside[0], "low": inside[1], "high": inside[2],
        "sentence": _sentence(number, fewest, most, counts),
    }  # fmt: skip


def _crossing(level: float, counts: Sequence[int], values: Sequence[float]) -> float:
    """Where a curve, made to rise, reaches a level: -inf below its start, inf if it does not."""
    rising = np.maximum.accumulate(values)
    if level < rising[0]:
        return -math.inf
    if level > rising[-1]:
        return math.inf
    last = int(np.searchsorted(rising, level, side="left"))
    if last == 0:
        return float(counts[0])
    share = (level - rising[last - 1]) / max(rising[last] - rising[last - 1], 1e-12)
    return float(counts[last - 1] * (counts[last] / counts[last - 1]) ** share)


def _inside(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _sentence(number: float, fewest: float, most: float, counts: Sequence[int]) -> str:
    if number == -math.inf:
        what = f"less than {_photos(counts[0])} of each class"
    elif number == math.inf:
        what = f"more than {_photos(counts[-1])} of each class, the most that was tried"
    else:
        what = f"about {_photos(number)} of each class"
    low = "less than 1" if fewest == -math.inf else f"{_rounded(min(fewest, counts[-1]))}"
    high = f"more than {counts[-1]}" if most == math.inf else _rounded(max(most, counts[0]))
    return f"This data set is worth {what} ({low} to {high})."


def _photos(number: float) -> str:
    return f"{_rounded(number)} photo{'s' if _rounded(number) != '1' else ''}"


def _rounded(number: float) -> str:
    return f"{number:.0f}" if number >= 3 or number == round(number) else f"{number:.1f}"
