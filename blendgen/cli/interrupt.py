"""Interrupts that are not lost: neither in a module that is being imported nor in a library that turns them
into errors of its own.

Ctrl-C and the other stop signals raise KeyboardInterrupt wherever the program is. The import system drops an
exception that is raised in one of its callbacks; pydantic raises its own error instead. So the interrupt is
raised again until it is handled. While images are made, workers/stop_signal.py counts the signals.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from blendgen.errors import signal_code
from blendgen.system.stop_signals import NOTICES, STOP_SIGNALS, ours

_AGAIN_AFTER_S = 0.5
# the handlers that Python starts with
_DEFAULTS = dict.fromkeys(STOP_SIGNALS, signal.SIG_DFL) | {signal.SIGINT: signal.default_int_handler}


@dataclass
class Interrupt:
    """signum: the last signal, whatever became of its exception; None before the first."""

    signum: int | None = None

    @property
    def exit_code(self) -> int:
        """As of Interrupted; without a signal, as of Ctrl-C."""
        return signal_code(self.signum or signal.SIGINT)

    @ours
    def on_signal(self, signum: int, _frame: FrameType | None) -> None:
        self.signum = signum
        _start_timer()
        raise KeyboardInterrupt

    def on_timer(self, _signum: int, _frame: FrameType | None) -> None:
        if _is_handled(sys.exception()):
            _start_timer()
        elif self.signum is not None:
            signal.raise_signal(self.signum)  # to the handler of this moment


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """In the main thread: a signal raises KeyboardInterrupt again and again until that ends the block."""
    interrupt = Interrupt()
    # a handler of somebody else stays, and SIG_IGN too, with which nohup ignores SIGHUP
    handlers = {signum: old for signum, old in _DEFAULTS.items() if signal.getsignal(signum) is old}
    if not handlers or threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, interrupt.on_timer)
    for signum in handlers:
        signal.signal(signum, interrupt.on_signal)
    try:
        yield interrupt
    finally:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
        for signum, old in handlers.items():
            # the program ends because of a notice, and another one, such as SIGXCPU, would kill it
            signal.signal(signum, signal.SIG_IGN if {signum, interrupt.signum} <= NOTICES else old)
        _forget()


def _start_timer() -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_AFTER_S)


def _is_handled(error: BaseException | None) -> bool:
    """Whether the code that runs now cleans up after an interrupt."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _forget() -> None:
    """Make Python exit with the code that the program returns.

    CPython remembers an interrupt that ended code inside exec(), as dataclasses use it, and then ends by the
    signal although the exception was caught; the next exec() clears that.
    source: run_eval_code_obj in CPython's Python/pythonrun.c
    """
    exec("")
