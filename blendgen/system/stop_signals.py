"""Stop signals: those by which a user, a terminal or a scheduler asks a command to end.

Some ask for the end itself (SIGINT, SIGTERM, SIGHUP). The others announce it: Slurm sends SIGUSR1 where
`--signal` asks for it, submitit SIGUSR2, and the system SIGXCPU when the CPU time is nearly used up.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def _known(*names: str) -> frozenset[signal.Signals]:
    """Windows has few of them."""
    return frozenset(signal.Signals[name] for name in names if hasattr(signal, name))


NOTICES = _known("SIGUSR1", "SIGUSR2", "SIGXCPU")
STOP_SIGNALS = _known("SIGINT", "SIGTERM", "SIGHUP") | NOTICES


def ours(handler: Any) -> Any:
    """Mark a function as a signal handler of this program."""
    handler.is_of_blendgen = True
    return handler


def may_replace(signum: signal.Signals) -> bool:
    """Whether a handler may be installed for a while in place of the one that is there.

    A signal that is ignored stays ignored, as SIGHUP is under nohup. So does somebody else's handler of a
    notice, such as that of submitit, which submits the job again.
    """
    handler = signal.getsignal(signum)
    if handler in (signal.SIG_IGN, None):  # None: Python did not install it and cannot restore it
        return False
    return signum not in NOTICES or handler == signal.SIG_DFL or hasattr(handler, "is_of_blendgen")


def ignore_stop_signals() -> None:
    """Ignore stop signals in a child process: its parent handles them."""
    for signum in STOP_SIGNALS:
        signal.signal(signum, signal.SIG_IGN)


@contextmanager
def handlers_restored() -> Iterator[None]:
    """Afterwards each stop signal has the handler that it has now, whatever a library installs meanwhile.

    Does nothing in other threads than the main one, which cannot install handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {signum: signal.getsignal(signum) for signum in STOP_SIGNALS}
    try:
        yield
    finally:
        for signum, handler in handlers.items():
            if handler is not None:  # None: Python did not install it and cannot restore it
                signal.signal(signum, handler)


@contextmanager
def stop_signals_blocked() -> Iterator[None]:
    """Block stop signals for processes that start inside the block.

    A new process then never receives one, not even in the half second before it ignores them itself. The
    resource tracker of Python, which lives as long as this process, ignores only two of them: it starts here.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        resource_tracker.ensure_running()  # unblocks SIGINT and SIGTERM
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
