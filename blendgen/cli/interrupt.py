"""Ctrl-C that is never lost: not in a module that loads, not in a library that turns it into its own error.

Python raises KeyboardInterrupt wherever the program happens to be. In a callback of the import
system it is dropped; pydantic raises errors of its own in its place. So it is raised again until
somebody deals with it.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_AGAIN_AFTER_S = 0.5


@dataclass
class Interrupt:
    """pending: Ctrl-C was pressed, whatever became of the exception."""

    pending: bool = False

    def raise_it(self, _signum, _frame) -> None:
        self.pending = True
        _call_again()
        raise KeyboardInterrupt

    def raise_again(self, _signum, _frame) -> None:
        if _is_dealt_with(sys.exception()):
            _call_again()
        else:
            signal.raise_signal(signal.SIGINT)  # whoever listens by now


@contextmanager
def insistent() -> Iterator[Interrupt]:
    """In the main thread: SIGINT raises KeyboardInterrupt until that ends the block."""
    interrupt = Interrupt()
    ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # neither ignored nor another's
    if not ours or threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    signal.signal(signal.SIGINT, interrupt.raise_it)
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, interrupt.raise_again)
    try:
        yield interrupt
    finally:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
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
