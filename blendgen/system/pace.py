"""Pace: how many units a job finishes per second, and how long the rest takes, in numbers and in words.

Durations are measured with the monotonic clock, so that a clock that is set changes nothing.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

# the last minutes count, and more of the past where so few units were finished in them
_WINDOW_S, _LEAST_MARKS = 300.0, 20
_MARK_EVERY_S = 1.0
_LEAST_S = 5.0  # several workers finish their first units at nearly the same time
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400


class Pace:
    """The rate of one job, which begins now. The time before its first unit, such as that in which Blender
    loads, counts only until there is a better measure."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock, self._total = clock, 0
        self._began_s = clock()
        self._marks: deque[tuple[float, int]] = deque()  # when, and how many units were finished by then

    def add(self, count: int) -> None:
        """`count` more units are finished."""
        now_s, self._total = self._clock(), self._total + count
        if not self._marks or now_s - self._marks[-1][0] >= _MARK_EVERY_S:
            self._marks.append((now_s, self._total))
        while len(self._marks) > _LEAST_MARKS and self._marks[1][0] < now_s - _WINDOW_S:
            self._marks.popleft()

    def per_s(self) -> float | None:
        """Units per second; None before the first one."""
        if not self._total:
            return None
        now_s, (first_s, total) = self._clock(), self._marks[0]
        if self._total > total and now_s - first_s >= _LEAST_S:
            return (self._total - total) / (now_s - first_s)
        return self._total / max(now_s - self._began_s, 1e-3)

    def left_s(self, units: int) -> float | None:
        """How long so many units take at this pace; None if that is not known yet."""
        per_s = self.per_s()
        return None if per_s is None else units / per_s


def rate_text(per_s: float, unit: str) -> str:
    """A rate in words, such as "12.5 images/min"."""
    for length_s, name in ((1, "s"), (_MINUTE_S, "min"), (_HOUR_S, "h")):
        if per_s * length_s >= 1 or name == "h":
            break
    return f"{per_s * length_s:.1f} {unit}s/{name}"


def duration_text(seconds: float) -> str:
    """A duration in words, such as "45 s", "12 min", "3 h 5 min" or "2 d 4 h"."""
    if seconds < 2 * _MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR_S:
        return f"{seconds / _MINUTE_S:.0f} min"
    if seconds < 2 * _DAY_S:
        hours, minutes = divmod(round(seconds / _MINUTE_S), 60)
        return f"{hours} h {minutes} min"
    days, hours = divmod(round(seconds / _HOUR_S), 24)
    return f"{days} d {hours} h"
