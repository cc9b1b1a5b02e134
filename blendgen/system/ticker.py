"""Ticker: calls a function every few seconds while the caller works."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable


class Ticker:
    """Calls `tick` every `every_s` seconds, in a thread that takes no signal from the main thread.

    `tick` may not raise. It ends with the program at the latest.
    """

    def __init__(self, every_s: float, tick: Callable[[], None]):
        self._every_s, self._tick = every_s, tick
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ticker", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float | None = None) -> None:
        """No further call; waits for one that is running, at most timeout_s."""
        self._ended.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while not self._ended.wait(self._every_s):
            self._tick()
