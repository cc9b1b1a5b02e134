"""Terminal: the one place that prints. Results go to stdout, everything else to stderr.

Names of models, classes and files come from strangers, and what steers a terminal in them is written as
escapes; so is what the encoding of a stream lacks. A reader who has left does not stop the work.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import sys
import traceback
from typing import Any

from blendgen.files.names import printable


def echo(text: str) -> None:
    """A line of the result."""
    print(printable(text), flush=True)


def echo_json(value: Any, indent: int | None = None) -> None:
    """The result for another program; JSON escapes all but DEL by itself."""
    print(json.dumps(value, indent=indent).replace("\x7f", "\\u007f"), flush=True)


def say(text: str) -> None:
    """A line for the person at the terminal, if there still is one."""
    with contextlib.suppress(OSError):
        print(printable(text), file=sys.stderr, flush=True)


def log_handler() -> logging.Handler:
    """Log records as lines on stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Printable("%(message)s"))
    return handler


class _Printable(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


def open_streams() -> None:
    """Make the standard streams usable, whatever the program was started with: those that are closed, as a
    daemon's are, lead nowhere; letters that an encoding lacks become escapes."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
            os.set_inheritable(descriptor, True)  # workers have it, too
            setattr(sys, name, open(descriptor, "r" if descriptor == 0 else "w", closefd=False))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # streams of a notebook are not
            stream.reconfigure(errors="backslashreplace")
    sys.excepthook = _say_traceback


def close_streams() -> None:
    """Write what is left; where that is impossible it goes nowhere, and changes no exit code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _say_traceback(kind, error, trace) -> None:
    say("".join(traceback.format_exception(kind, error, trace)).rstrip("\n"))
