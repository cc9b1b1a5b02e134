"""Suspects: the shots that were being rendered when a run or a worker was killed, and how often.

In: what the parent learns of its workers. Out: how often a run was killed, or a worker crashed, while a
shot was rendered. OUT/.partial/suspects.json holds it, rewritten in place when a shot begins and ends.
A run that ends in order, or that was asked to stop, leaves no shot in it to blame. It is not flushed to the
disk, and a file that cannot be read or written costs no more than what it would have said.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any

from blendgen.dataset.layout import Layout
from blendgen.errors import DatasetError
from blendgen.files.folder import Folder
from blendgen.files.regular_file import read_bounded

# a killed run proves little: many shots were rendered at the time, and most are good
ALONE_AFTER_KILLS = 2
MAX_KILLS = 4
_MAX_BYTES = 2**22


class Suspects:
    """The counts of a data set, by the number of the shot; layout: None to keep nothing on the disk.

    kills: killed runs in which the shot was being rendered; crashes: workers that it may have crashed
    """

    def __init__(self, layout: Layout | None = None):
        self._layout = layout
        self._file: IO[bytes] | None = None
        self._running: set[int] = set()
        self._stopped = False
        self.kills: dict[int, int] = {}
        self.crashes: dict[int, int] = {}

    @property
    def shots(self) -> set[int]:
        return {*self.kills, *self.crashes}

    def open(self) -> None:
        """Read what the last run left; the shots that it was rendering have one kill more."""
        if self._layout is None:
            return
        left = _read(self._layout)
        self.kills, self.crashes = _counts(left.get("kills")), _counts(left.get("crashes"))
        running = left.get("running")
        for shot in {shot for shot in running if type(shot) is int} if isinstance(running, list) else ():
            self.kills[shot] = self.kills.get(shot, 0) + 1
        if left:
            self._save()

    def started(self, shot: int) -> None:
        """A worker is about to render a shot."""
        if not self._stopped:
            self._running.add(shot)
            self._save()

    def crashed(self, shot: int, crashes: int) -> None:
        """The worker that was to render a shot has ended; crashes: how many workers it may have crashed."""
        self._running.discard(shot)
        if crashes:
            self.crashes[shot] = crashes
        self._save()

    def ended(self, shot: int) -> None:
        """A shot has been made, or is recorded as failed: nothing is held against it any more."""
        self._running.discard(shot)
        self.kills.pop(shot, None)
        self.crashes.pop(shot, None)
        self._save()

    def forget(self, shots: set[int]) -> None:
        """As `ended`, for several."""
        for shot in shots:
            self.ended(shot)

    def stopped(self) -> None:
        """The run has been asked to stop: if it is killed now, no shot is the reason."""
        if not self._stopped:
            self._stopped = True
            self._running.clear()
            self._save()

    def close(self) -> None:
        """The run ends in order; the file stays while there are suspects."""
        self._running.clear()
        if self._file is not None:
            self._save()
            self._file.close()
            self._file = None
        if self._layout is not None and not self.shots:
            with suppress(OSError, DatasetError):
                Folder(self._layout.root).remove(self._layout.name(self._layout.suspects))

    def _save(self) -> None:
        if self._layout is None:
            return
        values = {"running": sorted(self._running), "kills": self.kills, "crashes": self.crashes}
        with suppress(OSError):
            if self._file is None:
                self._file = Folder(self._layout.root).opened(self._layout.name(self._layout.suspects))
            self._file.seek(0)
            # the newline ends the object if the run is killed before the file is cut
            self._file.write(json.dumps(values).encode() + b"\n")
            self._file.truncate()


def _read(layout: Layout) -> dict[str, Any]:
    """The file, {} where there is none that can be read."""
    try:
        if layout.suspects.is_symlink():
            return {}
        left = json.loads(read_bounded(layout.suspects, _MAX_BYTES).partition(b"\n")[0])
    except (OSError, ValueError, RecursionError):
        return {}
    return left if isinstance(left, dict) else {}


def _counts(values: object) -> dict[int, int]:
    if not isinstance(values, dict):
        return {}
    is_count: Callable[[Any], bool] = lambda count: type(count) is int and count > 0  # noqa: E731
    return {
        int(shot): count
        for shot, count in values.items()
        if shot.isascii() and shot.isdecimal() and is_count(count)
    }
