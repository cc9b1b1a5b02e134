"""Terminal: the one place that prints. Results go to stdout, everything else to stderr.

Names of models, classes and files come from strangers: control characters in them are printed as escapes, and
so are characters that the encoding of a stream lacks. If nobody reads the output any more, the work goes on.
Errors and warnings have colours on a terminal, unless NO_COLOR is set; with FORCE_COLOR elsewhere, too.
source: https://no-color.org and https://force-color.org
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import sys
import traceback
from typing import Any, TextIO

from blendgen.errors import BlendgenError
from blendgen.files.names import printable

_RED, _YELLOW, _PLAIN = "\x1b[1;31m", "\x1b[33m", "\x1b[0m"
_NOTE = "note: "  # starts a line that is good to know, while a warning says that something may be wrong
_is_quiet = False


def echo(text: str) -> None:
    """Print a line of the result on stdout; raises BlendgenError, BrokenPipeError."""
    _print_result(printable(text))


def echo_json(value: Any, indent: int | None = None) -> None:
    """Print the result for another program, as echo does. JSON escapes all control characters but DEL."""
    _print_result(json.dumps(value, indent=indent).replace("\x7f", "\\u007f"))


def be_quiet(quiet: bool = True) -> None:
    """From now on, say prints nothing, and nor do notes in the log; warnings are printed. False: all are."""
    global _is_quiet
    _is_quiet = quiet


def is_quiet() -> bool:
    return _is_quiet


def say(text: str) -> None:
    """Print a line for the user on stderr; does nothing if that is not possible."""
    if not _is_quiet:
        _say(text)


def say_always(text: str) -> None:
    """As say, also with --quiet: what people must see, or what a program reads on stderr."""
    _say(text)


def say_error(text: str, before: str = "") -> None:
    """As say, for an error, which is printed always; red up to the first colon. before: plain lines."""
    name, colon, message = text.partition(":")
    _say(message, f"{name}{colon}", _RED, before)


def say_warning(text: str) -> None:
    """As say, in yellow; also with --quiet, unless it is a note."""
    if not (_is_quiet and text.startswith(_NOTE)):
        _say("", text, _YELLOW)


def has_colors(stream: TextIO) -> bool:
    """Whether colours are wanted on a stream."""
    if os.environ.get("NO_COLOR"):
        return False
    if forced := os.environ.get("FORCE_COLOR"):
        return forced != "0"
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def _say(text: str, colored: str = "", color: str = "", before: str = "") -> None:
    """Print three texts as one: before, colored, text."""
    with contextlib.suppress(OSError):
        shown = printable(colored)
        if color and has_colors(sys.stderr):
            shown = f"{color}{shown}{_PLAIN}"
        _print(f"{printable(before)}{shown}{printable(text)}", sys.stderr)


def clear() -> None:
    """Clear the terminal that stdout is; on anything else, and where it cannot, print an empty line."""
    if sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        _print("\x1b[H\x1b[2J", sys.stdout)
    else:
        _print("", sys.stdout)


def _print_result(text: str) -> None:
    """A disk that is full under stdout is not that of the data set: the command has done its work."""
    try:
        _print(text, sys.stdout)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise BlendgenError(error.strerror or str(error)) from None


def _print(text: str, stream: TextIO) -> None:
    """Print a line, above the progress bar if there is one."""
    if "tqdm" in sys.modules:  # no bar was shown before it is loaded
        from tqdm import tqdm

        tqdm.write(text, file=stream)
        stream.flush()
    else:
        print(f"{text}\n", end="", file=stream, flush=True)  # one write, as other threads print too


def log_handler() -> logging.Handler:
    """A handler that prints log records as lines on stderr."""
    handler = _TerminalHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))  # otherwise basicConfig sets one with the level
    return handler


class _TerminalHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        if record.levelno >= logging.ERROR:
            say_error(text)
        elif record.levelno >= logging.WARNING:
            say_warning(text)
        else:
            say(text)


def open_streams() -> None:
    """Make the standard streams usable, whatever the program was started with.

    Closed streams, as a daemon has them, are opened on the null device. Characters that the encoding of a
    stream lacks become escapes.
    """
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free descriptor
            os.set_inheritable(descriptor, True)  # by worker processes
            setattr(sys, name, open(descriptor, "r" if descriptor == 0 else "w", closefd=False))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # not in a notebook
            stream.reconfigure(errors="backslashreplace")
    sys.excepthook = _say_traceback


def close_streams() -> None:
    """Flush the standard streams; an error in that is dropped and does not change the exit code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _say_traceback(kind, error, trace) -> None:
    say_error("".join(traceback.format_exception(kind, error, trace)).rstrip("\n"))
