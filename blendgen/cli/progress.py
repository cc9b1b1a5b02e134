"""Progress on stderr: on a terminal a bar with the time left, otherwise a line now and then."""

from __future__ import annotations

import sys
import time
from typing import Any

from blendgen.cli.terminal import say

_LINE_EVERY_S = 10.0


class Progress:
    """Reports the jobs of a command (see blendgen.system.progress); use as a context manager."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._unit, self._total, self._finished = "image", 0, 0
        self._started_s = self._reported_s = 0.0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def begin(self, total: int, unit: str = "image") -> None:
        self._close()
        self._unit, self._total, self._finished = unit, total, 0
        self._started_s = self._reported_s = time.monotonic()
        if sys.stderr.isatty() and total:
            from tqdm import tqdm

            self._bar = tqdm(total=total, unit=f" {unit}", file=sys.stderr, dynamic_ncols=True)

    def advance(self, count: int) -> None:
        self._finished += count
        if self._bar is not None:
            self._bar.update(count)
        elif time.monotonic() - self._reported_s >= _LINE_EVERY_S:
            self._reported_s = time.monotonic()
            say(self._line())

    def note(self, text: str) -> None:
        say(text)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _line(self) -> str:
        if not self._total:
            return f"{self._finished} {self._unit}s"
        left_s = (self._reported_s - self._started_s) / self._finished * (self._total - self._finished)
        return f"{self._finished}/{self._total} {self._unit}s, {left_s:.0f} s left"
