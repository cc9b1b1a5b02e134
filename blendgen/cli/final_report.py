"""Final report: the page that `generate` writes about a finished data set.

All images are there already, so the run has succeeded, whatever becomes of the page: a note says why there
is none.
"""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from blendgen import api
from blendgen.cli.terminal import say_always
from blendgen.workers.stop_signal import StopSignal

if TYPE_CHECKING:
    from blendgen.system.progress import Progress
    from blendgen.workers.run import GenerateReport

MEASURED_LIMIT = 2000  # images that are opened; the command `report` opens more
_START_S, _ROW_S, _OPENED_S = 1.0, 0.002, 0.05  # rough, at 1024 x 768 pixels


class _Stopped(Exception):
    """The report ends early."""


class WatchedProgress:
    """Progress of a report that ends at its next row once there is a stop signal, or the time is over.

    end_s: of the time, by time.monotonic(); None without a limit
    """

    def __init__(self, inner: Progress, stop: StopSignal, end_s: float | None):
        self._inner, self._stop, self._end_s = inner, stop, end_s

    def begin(self, total: int, unit: str = "image") -> None:
        self.require_s(0)
        self._inner.begin(total, unit)

    def advance(self, count: int) -> None:
        self.require_s(0)
        self._inner.advance(count)

    def note(self, text: str) -> None:
        self._inner.note(text)

    def require_s(self, seconds: float) -> None:
        """Raises _Stopped if less time is left."""
        if self._stop.count:
            raise _Stopped("stopped by a signal")
        if self._end_s is not None and time.monotonic() + seconds > self._end_s:
            raise _Stopped("--time-limit leaves too little time")


def write_final_report(
    report: GenerateReport, began_s: float, time_limit_s: float | None, progress: Progress
) -> Path | None:
    """Write the page, unless nothing was made and it is there; None, with a note, if that is not possible.

    began_s: when the run began, by time.monotonic(); time_limit_s: of it
    """
    from blendgen.reports.write import is_report_of

    page = Path(report.folder) / "report.html"
    if not report.images:
        return None
    end_s = None if time_limit_s is None else began_s + time_limit_s
    try:
        with StopSignal() as stop:
            if not report.made and is_report_of(page, report.images):
                return page
            watched = WatchedProgress(progress, stop, end_s)
            watched.require_s(estimated_s(report.images))
            run = {"command": _command_line(), "seconds": time.monotonic() - began_s, "made": report.made}
            return api.report(report.folder, run=run, measured=MEASURED_LIMIT, progress=watched)
    except Exception as error:  # noqa: BLE001 - none of them makes the images worth less
        reason = str(error) or type(error).__name__
        way_out = f"for one, run: blendgen report {_folder_text(report)}"
        say_always(f"note: no report was written: {reason}; {way_out}")
        return None


def estimated_s(images: int) -> float:
    """About how long the report of so many images takes."""
    return _START_S + images * _ROW_S + min(images, MEASURED_LIMIT) * _OPENED_S


def _folder_text(report: GenerateReport) -> str:
    return shlex.quote(str(report.folder))


def _command_line() -> str:
    """As typed; what is not text, as paths may be, becomes "?"."""
    return shlex.join(["blendgen", *sys.argv[1:]]).encode("utf-8", "replace").decode()
