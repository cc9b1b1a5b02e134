"""Stop signal: counts the signals by which a user, a scheduler or a terminal asks the run to end.

The parent counts them, so that the run can finish what it has begun. Workers ignore them, because a render
would swallow them.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from blendgen.errors import BlendgenError, ExitCode
from blendgen.system.stop_signals import NOTICES, STOP_SIGNALS, may_replace, ours


class Superseded(BlendgenError):
    """A run was stopped because nobody needs its result any more; it reaches no user."""

    exit_code = ExitCode.RETRY


@dataclass
class StopSignal:
    """Counts stop signals while it is used as a context manager.

    Python handles signals in the main thread alone: in any other thread this counts nothing.

    signum: the first signal, None before it; count: how many have arrived. Notices count only as the first:
        the system repeats SIGXCPU every second, and the end that they announce comes with another signal
    at_once: the first signal ends the run as the second one does elsewhere
    superseded: nobody needs the result of the run any more
    """

    signum: int | None = None
    count: int = 0
    at_once: bool = False
    superseded: bool = False
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

    def supersede(self) -> None:
        """End the run now; from any thread."""
        self.superseded = True
        self.count += 2

    def _install(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for signum in filter(may_replace, STOP_SIGNALS):
            self._previous[signum] = signal.signal(signum, self._count)

    def _restore(self) -> None:
        while self._previous:
            signal.signal(*self._previous.popitem())

    @ours
    def _count(self, signum, _frame) -> None:
        if self.count and signum in NOTICES:
            return
        self.signum = self.signum or signum
        self.count += 2 if self.at_once else 1
