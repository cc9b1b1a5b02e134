"""Shard estimate: how long machines take for the shards of a data set, and how much room the files need.

In: how many images are finished, from time to time. Out: one remark for people, once there is a pace. The
room is that of a few images whose rows are there already.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import read_lines
from blendgen.dataset.rows import parse_row
from blendgen.errors import BlendgenError
from blendgen.system.progress import Progress
from blendgen.workers.estimate import Left

_LEAST_IMAGES, _LEAST_S = 3, 10.0  # after the first ones, which waited for Blender, or for a place in a queue
_SAMPLED_ROWS = 16


class ShardEstimate:
    """shards: the folder that they are in; wanted: images in all of them"""

    def __init__(
        self, shards: Path, wanted: int, progress: Progress, clock: Callable[[], float] = time.monotonic
    ):
        self._shards, self._wanted, self._progress, self._clock = shards, wanted, progress, clock
        self._first: tuple[float, int] | None = None  # when, and how many were finished then
        self._has_reported = False

    def counted(self, before: int, finished: int) -> None:
        """So many images are finished, of which `before` were there when the run began."""
        if self._has_reported or finished <= before:
            return
        if self._first is None:
            self._first = self._clock(), finished
        first_s, first = self._first
        spent_s, made = self._clock() - first_s, finished - first
        image_bytes = self._image_bytes() if made >= _LEAST_IMAGES and spent_s >= _LEAST_S else 0.0
        if not image_bytes:
            return
        self._has_reported = True
        images = self._wanted - finished
        left = Left(images, spent_s / made * images, round(image_bytes * images))
        if left.is_worth_telling:
            self._progress.note(str(left))

    def _image_bytes(self) -> float:
        """The mean of some rows with their files; 0 if none can be read."""
        sizes: list[int] = []
        with suppress(BlendgenError, OSError, ValueError):  # a file that is being written
            sizes += islice(self._row_bytes(), _SAMPLED_ROWS)
        return sum(sizes) / len(sizes) if sizes else 0.0

    def _row_bytes(self) -> Iterator[int]:
        for folder in sorted(self._shards.iterdir()):
            manifest = Layout(folder).manifest
            for line in read_lines(manifest) if manifest.is_file() else ():
                yield len(line) + 1 + sum(file.size_bytes or 0 for file in parse_row(line).files.values())
