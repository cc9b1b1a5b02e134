"""Progress on stderr: a bar with the time left on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import Never

from tqdm import tqdm

from blendgen.cli.terminal import say
from blendgen.files.names import printable

_LINE_EVERY_S = 10.0


class Progress:
    """Counts finished images; use as a context manager, `begin` with how many there are to make."""

    def __init__(self, unit: str = "image"):
        self._unit, self._total, self._done = unit, 0, 0
        self._bar: tqdm[Never] | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_) -> None:
        if self._bar is not None:
            self._bar.close()

    def begin(self, total: int) -> None:
        self._total, self._started = total, time.monotonic()
        self._spoken = self._started
        if sys.stderr.isatty() and total:
            self._bar = tqdm(total=total, unit=f" {self._unit}", file=sys.stderr, dynamic_ncols=True)

    def advance(self, count: int) -> None:
        self._done += count
        if self._bar is not None:
            self._bar.update(count)
        elif time.monotonic() - self._spoken >= _LINE_EVERY_S:
            self._spoken = time.monotonic()
            say(self._line())

    def note(self, text: str) -> None:
        """A line that stays, beside a bar that moves."""
        with contextlib.suppress(OSError):  # the terminal may be gone
            tqdm.write(printable(text), file=sys.stderr)

    def _line(self) -> str:
        elapsed = self._spoken - self._started
        left = elapsed / self._done * (self._total - self._done)
        return f"{self._done}/{self._total} {self._unit}s, {left:.0f} s left"
