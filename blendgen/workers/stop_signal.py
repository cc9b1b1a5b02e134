"""Stop signals: a user, a scheduler or a terminal asks the run to end.

The parent turns them into flags. Workers ignore them, because a render would swallow them.
"""

from __future__ import annotations

import signal
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import resource_tracker

STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])}


@dataclass
class StopSignal:
    """Turns SIGINT, SIGTERM and SIGHUP into flags; use it as a context manager in the main thread.

    signum: the first signal, None before it; count: how many have arrived
    """

    signum: int | None = None
    count: int = 0
    _previous: dict = field(default_factory=dict)

    def __enter__(self) -> StopSignal:
        for signum in STOP_SIGNALS:
            if signal.getsignal(signum) is not signal.SIG_IGN:  # nohup leaves SIGHUP ignored
                self._previous[signum] = signal.signal(signum, self._note)
        return self

    def __exit__(self, *_) -> None:
        for signum, handler in self._previous.items():
            signal.signal(signum, handler)

    def _note(self, signum, _frame) -> None:
        self.signum = self.signum or signum
        self.count += 1


def ignore_stop_signals() -> None:
    """Ignore stop signals in a worker process: its parent handles them."""
    for signum in STOP_SIGNALS:
        signal.signal(signum, signal.SIG_IGN)


@contextmanager
def stop_signals_blocked():
    """Block stop signals for processes that start inside the block.

    A new worker then never receives one, not even in the half second before it ignores them itself.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # Python would start it later, and unblock the signals
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
