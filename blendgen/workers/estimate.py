"""Estimate: how long a run takes and how much room its files need, once its first images tell.

In: shots as they are recorded. Out: one Left as soon as it is known, with a remark for people, a warning if
the disk may be too small, and what was Spent at the end. Figures are of this run alone: of the images that it
makes.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from blendgen.scene.row import Row
from blendgen.system.pace import duration_text, rate_text
from blendgen.system.progress import Progress

# before that, a rate says little
_LEAST_IMAGES, _LEAST_S, _LEAST_SHOT_TIMES = 3, 10.0, 3
_WORTH_TELLING_S = 60.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Left:
    """What a run still needs: seconds, and bytes of files, for so many images"""

    images: int
    seconds: float
    size_bytes: int

    @property
    def is_worth_telling(self) -> bool:
        return self.seconds > _WORTH_TELLING_S

    def __str__(self) -> str:
        needed = f"{duration_text(self.seconds)}, {size_text(self.size_bytes)}"
        return f"about {needed} for the missing {self.images:,} images"


@dataclass(frozen=True)
class Spent:
    """What a run needed: images that it made, and that cannot be made; seconds; bytes of the files"""

    made: int
    failed: int
    seconds: float
    size_bytes: int

    def __str__(self) -> str:
        rate = rate_text(self.made / max(self.seconds, 1e-3), "image")
        made = f"made {self.made} images in {duration_text(self.seconds)} ({rate})"
        return f"{made}, {size_text(self.size_bytes)}; {self.failed} failed"


class Estimate:
    """Of a run that begins now.

    missing: images that it has to make; manifest_bytes: size of the manifest before the first of them
    known: called once with what is left
    """

    def __init__(
        self,
        folder: Path,
        missing: int,
        manifest_bytes: int,
        progress: Progress,
        clock: Callable[[], float] = time.monotonic,
        known: Callable[[Left], None] = lambda _: None,
    ):
        self._folder, self._missing, self._progress, self._clock = folder, missing, progress, clock
        self._known = known
        self._manifest_bytes, self._began_s = manifest_bytes, clock()
        self._made = self._failed = self._size_bytes = 0
        self._first: tuple[float, float] | None = None  # start of rendering, seconds of the first shot
        self._has_reported = False

    def recorded(self, rows: Sequence[Row], failed: int, manifest_bytes: int, seconds: float) -> None:
        """A shot is recorded. seconds: that a worker spent on it"""
        if self._first is None:  # Blender loads before it
            self._first = max(self._began_s, self._clock() - seconds), seconds
        self._made, self._failed = self._made + len(rows), self._failed + failed
        self._size_bytes += sum(file.size_bytes or 0 for row in rows for file in row.files.values())
        self._size_bytes += manifest_bytes - self._manifest_bytes
        self._manifest_bytes = manifest_bytes
        if not self._has_reported:
            self._report(*self._first)

    def spent(self) -> Spent:
        return Spent(self._made, self._failed, self._clock() - self._began_s, self._size_bytes)

    def _report(self, started_s: float, shot_s: float) -> None:
        finished, spent_s = self._made + self._failed, self._clock() - started_s
        left = self._missing - finished
        is_known = self._made >= _LEAST_IMAGES and spent_s >= max(_LEAST_S, _LEAST_SHOT_TIMES * shot_s)
        if not is_known or left <= 0:
            return
        self._has_reported = True
        needed = Left(left, spent_s / finished * left, round(self._size_bytes / finished * left))
        self._known(needed)
        if needed.is_worth_telling:
            self._progress.note(str(needed))
        self._warn_of_small_disk(needed.size_bytes, left)

    def _warn_of_small_disk(self, needed: int, left: int) -> None:
        with suppress(OSError):  # a network folder that is gone: the run itself reports it
            free = shutil.disk_usage(self._folder).free
            if free < needed:
                _log.warning(
                    "note: the disk of %s has %s free, but the missing %s images need about %s, judged by "
                    "the first %d; free some room; a run that finds the disk full can be resumed",
                    self._folder,
                    size_text(free),
                    f"{left:,}",
                    size_text(needed),
                    self._made,
                )


def size_text(size_bytes: int) -> str:
    """A number of bytes in words, such as "820 B" or "4.2 GB"."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    size = float(size_bytes)
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 999.95:
            return f"{size:.1f} {unit}"
    return f"{size / 1000:.1f} TB"
