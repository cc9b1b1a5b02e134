"""A wish to stop that is never lost: not in a module that loads, not in a library that turns it into its
own error.

Ctrl-C, SIGTERM and SIGHUP all raise KeyboardInterrupt, wherever the program happens to be. In a callback
of the import system it is dropped; pydantic raises errors of its own in its place. So it is raised again
until somebody deals with it. While images are made, StopSignal of workers/ hears the signals instead.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_AGAIN_AFTER_S = 0.5
# what each does where nobody has changed it; Windows has no SIGHUP
_DEFAULTS = {
    getattr(signal, name): default
    for name, default in (
        ("SIGINT", signal.default_int_handler),
        ("SIGTERM", signal.SIG_DFL),
        ("SIGHUP", signal.SIG_DFL),
    )
    if hasattr(signal, name)
}


@dataclass
class Interrupt:
    """signum: the signal that came last, whatever became of the exception; None before any."""

    signum: int | None = None

    @property
    def exit_code(self) -> int:
        """As that of Interrupted; of an end that no signal asked for, that of Ctrl-C."""
        return 128 + (self.signum or signal.SIGINT)

    def raise_it(self, signum, _frame) -> None:
        self.signum = signum
        _call_again()
        raise KeyboardInterrupt

    def raise_again(self, _signum, _frame) -> None:
        if _is_dealt_with(sys.exception()):
            _call_again()
        else:
            signal.raise_signal(self.signum or signal.SIGINT)  # whoever listens by now


@contextmanager
def insistent() -> Iterator[Interrupt]:
    """In the main thread: a signal raises KeyboardInterrupt until that ends the block."""
    interrupt = Interrupt()
    # neither ignored, as nohup does with SIGHUP, nor another's
    ours = {signum: default for signum, default in _DEFAULTS.items() if signal.getsignal(signum) is default}
    if not ours or threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, interrupt.raise_again)
    for signum in ours:
        signal.signal(signum, interrupt.raise_it)
    try:
        yield interrupt
    finally:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
        for signum, default in ours.items():
            signal.signal(signum, default)
        _forget()


def _call_again() -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_AFTER_S)


def _is_dealt_with(error: BaseException | None) -> bool:
    """Is somebody cleaning up after the interrupt at this moment?"""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _forget() -> None:
    """Let the exit code be the one that the program returns.

    CPython notes an interrupt that ends code inside exec(), as dataclasses use it, and then dies of the
    signal although somebody caught it; the next exec() takes the note away.
    source: run_eval_code_obj in CPython's Python/pythonrun.c
    """
    exec("")
