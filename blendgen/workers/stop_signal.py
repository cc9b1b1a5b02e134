"""Stop signals: a user, a scheduler or a terminal asks the run to end.

The parent counts them, so that the run can finish what it has begun. Workers ignore them, because a render
would swallow them.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import resource_tracker

STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])}


@dataclass
class StopSignal:
    """Counts SIGINT, SIGTERM and SIGHUP while it is used as a context manager.

    Python handles signals in the main thread alone: in any other thread this counts nothing.

    signum: the first signal, None before it; count: how many have arrived
    """

    signum: int | None = None
    count: int = 0
    _previous: dict = field(default_factory=dict)

    def __enter__(self) -> StopSignal:
        self._install()
        return self

    def __exit__(self, *_) -> None:
        self._restore()

    @contextmanager
    def released(self) -> Iterator[None]:
        """Handle signals as before this was entered, while the caller's own code runs."""
        self._restore()
        try:
            yield
        finally:
            self._install()

    def _install(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for signum in STOP_SIGNALS:
            # nohup ignores SIGHUP; None is a handler that Python did not install and cannot restore
            if signal.getsignal(signum) not in (signal.SIG_IGN, None):
                self._previous[signum] = signal.signal(signum, self._count)

    def _restore(self) -> None:
        while self._previous:
            signal.signal(*self._previous.popitem())

    def _count(self, signum, _frame) -> None:
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
