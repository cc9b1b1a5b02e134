"""Progress on stderr: a bar with the time left on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import sys
import time

from tqdm import tqdm

_LINE_EVERY_S = 10.0


class Progress:
    """Counts finished images; use as a context manager and call it with how many more."""

    def __init__(self, total: int, unit: str = "image"):
        self._total, self._unit, self._done = total, unit, 0
        self._bar = None
        self._started = self._spoken = time.monotonic()

    def __enter__(self) -> Progress:
        if sys.stderr.isatty() and self._total:
            self._bar = tqdm(total=self._total, unit=f" {self._unit}", file=sys.stderr, dynamic_ncols=True)
        return self

    def __exit__(self, *_) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, count: int) -> None:
        self._done += count
        if self._bar is not None:
            self._bar.update(count)
        elif time.monotonic() - self._spoken >= _LINE_EVERY_S:
            self._spoken = time.monotonic()
            print(self._line(), file=sys.stderr, flush=True)

    def _line(self) -> str:
        elapsed = self._spoken - self._started
        left = elapsed / self._done * (self._total - self._done)
        return f"{self._done}/{self._total} {self._unit}s, {left:.0f} s left"
