"""Progress of a command: a bar on a terminal, lines for a log, or the lines of Open Job Description.

On a terminal, a line with the elapsed time stands where no bar is, so that it is never silent for long.

In: the style and how often lines come. Lines go to stderr, without carriage returns, also while nothing gets
finished, so that a log shows that the command lives. Those of Open Job Description go to stdout, where its
sessions read them. Rate and time left are of this command alone, whatever was there before.
source: openjd_progress, openjd_status in "How Jobs Are Run" of the Open Job Description specification
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

from blendgen.cli.terminal import echo, is_quiet, say
from blendgen.system.pace import Pace, duration_text, rate_text
from blendgen.system.ticker import Ticker

STYLES = ("auto", "bar", "lines", "openjd", "none")
EVERY_S = 10.0
BEAT_S = 1.0  # between two changes on a terminal
# openjd-sessions sets it for every action
_OPENJD_VARIABLE = "OPENJD_SESSION_WORKING_DIR"


class Progress:
    """Reports the jobs of a command (see blendgen.system.progress); use as a context manager.

    style: of STYLES; auto: openjd in a session of Open Job Description, else a bar where stderr is a terminal
        that can move its cursor, else lines
    every_s: seconds between two lines
    own_stdout: stdout holds a result that no other line may break into, so that auto is not openjd
    """

    def __init__(self, style: str = "auto", every_s: float = EVERY_S, own_stdout: bool = False):
        self._style, self._every_s = _resolved(style, own_stdout), every_s
        self._bar: Any = None
        self._waiting: Any = None  # the line where no bar is
        self._lock = threading.Lock()  # of these two
        self._ticker: Ticker | None = None
        self._beats: Ticker | None = None
        self._has_reported = self._is_resting = False
        self._unit, self._total, self._finished, self._pace = "image", 0, 0, Pace()

    def __enter__(self) -> Progress:
        if self._style == "bar":
            self._beats = Ticker(BEAT_S, self._beat)
        return self

    def __exit__(self, *_: object) -> None:
        if self._beats is not None:
            self._beats.stop()
        self._close()

    def begin(self, total: int, unit: str = "image") -> None:
        self._close()
        self._unit, self._total, self._finished, self._pace = unit, total, 0, Pace()
        self._has_reported = self._is_resting = False
        if self._style == "bar" and total:
            with self._lock:
                self._bar = _bar(total=total, unit=f" {unit}")
        elif self._style == "openjd":
            self._report()
        if self._style in ("lines", "openjd"):
            self._ticker = Ticker(self._every_s, self._report)

    def advance(self, count: int) -> None:
        self._finished += count
        self._pace.add(count)
        if self._bar is not None:
            self._bar.update(count)

    def note(self, text: str) -> None:
        self._is_resting = False
        say(text)

    def rest(self) -> None:
        """End the job; show nothing while the command waits for the user, until the next job or note."""
        self._is_resting = True
        self._close()

    def _close(self) -> None:
        with self._lock:
            for line in (self._waiting, self._bar):
                if line is not None:
                    line.close()
            self._waiting = self._bar = None
        if self._ticker is not None:
            self._ticker.stop()
            self._ticker = None
            if self._has_reported:  # the last line of a log states how far the job came
                self._report()

    def _beat(self) -> None:
        with self._lock:
            if self._is_resting:
                return
            if self._bar is None and self._waiting is None:
                self._waiting = _bar(desc="working", bar_format="{desc} {elapsed}", leave=False)
            line = self._waiting if self._bar is None else self._bar
            line.refresh()

    def _report(self) -> None:
        self._has_reported = True
        if self._style == "lines":
            say(self._line())
            return
        try:
            if self._total:
                echo(f"openjd_progress: {min(100.0, 100 * self._finished / self._total):.1f}")
            echo(f"openjd_status: {self._line()}")
        except OSError:  # nobody reads it any more
            self._style = "none"

    def _line(self) -> str:
        finished, per_s = self._finished, self._pace.per_s()
        of_total = f"/{self._total}" if self._total else ""
        parts = [f"{finished}{of_total} {self._unit}s"]
        if per_s is not None:
            parts.append(rate_text(per_s, self._unit))
        left_s = self._pace.left_s(self._total - finished)
        if left_s is not None and finished < self._total:
            parts.append(f"{duration_text(left_s)} left")
        return ", ".join(parts)


def _bar(**options: Any) -> Any:
    from tqdm import tqdm

    return tqdm(file=sys.stderr, dynamic_ncols=True, **options)


def _resolved(style: str, own_stdout: bool) -> str:
    if style == "auto" and os.environ.get(_OPENJD_VARIABLE) and not own_stdout:
        return "openjd"
    if is_quiet() and style != "openjd":
        return "none"
    if style != "auto":
        return style
    return "bar" if sys.stderr.isatty() and os.environ.get("TERM") != "dumb" else "lines"
