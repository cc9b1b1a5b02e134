"""Outside kills: whether somebody else kills the workers of a run, and no shot does.

In: the shots of workers that SIGKILL ended without evidence that memory ran out, and the shots that are made.
Out: a verdict. A shot can be the reason too, as tools other than the kernel kill what takes memory. It is not
if all shots of a killed worker are made later, or if two workers that render other shots die at once,
and had not ended others before.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

_AT_ONCE_S = 1.0


@dataclass
class OutsideKills:
    """For one pool; were_seen: whether a kill had another reason than a shot."""

    were_seen: bool = False
    _shots: list[set[int]] = field(default_factory=list)
    _last_s: float = float("-inf")

    def note(self, shots: Iterable[int], are_suspects: bool = False) -> None:
        """A worker was killed while it rendered these shots.

        are_suspects: all were rendered before by workers that ended; they may well kill two workers at once
        """
        killed, now_s = set(shots), time.monotonic()
        is_at_once = now_s - self._last_s < _AT_ONCE_S and not killed & self._shots[-1]
        self.were_seen |= (is_at_once and not are_suspects) or not killed
        self._shots.append(killed)
        self._last_s = now_s

    def made(self, shot: int) -> None:
        """A shot has been made after all."""
        for shots in self._shots:
            if shot in shots:
                shots.discard(shot)
                self.were_seen |= not shots
