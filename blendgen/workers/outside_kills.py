"""Outside kills: whether somebody else kills the workers of a run, and no shot does.

In: the shots of workers that SIGKILL ended without evidence that memory ran out, and the shots that are made.
Out: a verdict. A shot can be the reason too, as tools other than the kernel kill what takes memory. It is not
if all shots of a killed worker are made later. If workers that render different shots die at once, and had
not ended others before, either is possible: two shots may both end their workers. Other shots are rendered
first then. Once one of them is made, workers live; if many die and none is made, somebody kills them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

_AT_ONCE_S = 1.0
_TOO_MANY = 8  # shots that end their workers, and none is made: as many failures in a row end a run, too


@dataclass
class OutsideKills:
    """For one pool."""

    _shots: list[set[int]] = field(default_factory=list)
    _at_once: set[int] = field(default_factory=set)
    _last_s: float = float("-inf")
    _hit_others: bool = False

    @property
    def were_seen(self) -> bool:
        """Whether a kill had another reason than a shot."""
        return self._hit_others or len(self._at_once) >= _TOO_MANY

    @property
    def are_possible(self) -> bool:
        """Whether other shots have to be rendered to know."""
        return bool(self._at_once) and not self.were_seen

    def note(self, shots: Iterable[int], are_suspects: bool = False) -> None:
        """A worker was killed while it rendered these shots.

        are_suspects: all were rendered before by workers that ended; they may well kill two workers at once
        """
        killed, now_s = set(shots), time.monotonic()
        if not are_suspects and now_s - self._last_s < _AT_ONCE_S and not killed & self._shots[-1]:
            self._at_once |= killed | self._shots[-1]
        self._hit_others |= not killed
        self._shots.append(killed)
        self._last_s = now_s

    def made(self, shot: int) -> None:
        """A shot has been made, perhaps after all."""
        self._at_once.clear()
        for shots in self._shots:
            if shot in shots:
                shots.discard(shot)
                self._hit_others |= not shots
