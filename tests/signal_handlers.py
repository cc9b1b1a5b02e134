"""The signal handlers of this process: the tests after a test in the same process meet what it changes."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from blendgen.system.stop_signals import STOP_SIGNALS


def signal_handlers() -> dict[signal.Signals, Any]:
    """The handler of each stop signal."""
    return {signum: signal.getsignal(signum) for signum in STOP_SIGNALS}


@contextmanager
def signal_handlers_kept() -> Iterator[None]:
    """Afterwards each stop signal has the handler that it has now."""
    before = signal_handlers()
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
