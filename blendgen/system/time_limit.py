"""Time limit: when a run has to stop so that everything it has begun is finished before its time is over.

In: seconds from now, and how long shots take as they finish. Out: whether a further one still fits. The
measure is the longest of the recent shots, by the monotonic clock: setting the clock changes nothing.
"""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass, field
from typing import NoReturn

from blendgen.errors import TimeLimitReached, UsageError

_RECENT = 64
_MARGIN = 1.25  # a shot may take that much longer than the longest recent one
_END_S, _END_PER_IMAGE_S = 0.5, 0.0002  # to sort and check the manifest, also on a network folder


@dataclass
class TimeLimit:
    """seconds: from the creation of this object; infinite for no limit. raises: UsageError

    reached: whether the run has been stopped because of it
    """

    seconds: float = math.inf
    reached: bool = False
    _began_s: float = field(default_factory=lambda: time.monotonic())
    _end_s: float = _END_S
    _shots_s: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT))
    _start_s: float = 0.0

    def __post_init__(self) -> None:
        if not self.seconds > 0:
            raise UsageError(f"time limit: expected more than 0 seconds, got {self.seconds:g}")

    @classmethod
    def since(cls, began_s: float | None, seconds: float | None) -> TimeLimit:
        """A limit of so many seconds since began_s, None for now; None: no limit."""
        began_s = time.monotonic() if began_s is None else began_s
        return cls(math.inf if seconds is None else seconds, _began_s=began_s)

    def set_images(self, count: int) -> None:
        """How many images the data set has at the end, which takes time to write down."""
        self._end_s = _END_S + _END_PER_IMAGE_S * count

    def shot_took(self, seconds: float) -> None:
        self._shots_s.append(seconds)

    def start_took(self, seconds: float) -> None:
        """The first shot of a worker, from the start of the process."""
        self._start_s = max(self._start_s, seconds)

    def left_s(self) -> float:
        """Seconds until work must end; negative after that."""
        return self._began_s + self.seconds - self._end_s - time.monotonic()

    def is_near(self) -> bool:
        """Whether a shot that begins now might not end in time; then it stays so."""
        self.reached = self.reached or self.left_s() < _MARGIN * max(self._shots_s, default=0.0)
        return self.reached

    def is_near_for_start(self) -> bool:
        """Whether the first shot of a worker that starts now might not end in time."""
        return self.left_s() < _MARGIN * self._start_s

    def is_over(self) -> bool:
        """Whether work must end now."""
        self.reached = self.reached or self.left_s() <= 0
        return self.left_s() <= 0

    def check(self) -> None:
        """Raises TimeLimitReached if the time is over while something is prepared."""
        if self.is_over():
            self.raise_reached()

    def raise_reached(self) -> NoReturn:
        raise TimeLimitReached(f"{self}: no further image was begun; run the same command to continue")

    def for_other_work(self) -> TimeLimit:
        """The same limit for work that takes another time."""
        return TimeLimit(self.seconds, _began_s=self._began_s)

    def __str__(self) -> str:
        return "the time limit is reached"
