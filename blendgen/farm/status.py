"""Status: how far a data set is that one machine or many make, from any machine that sees its folder.

In: the folder of a data set, or one with shards. Out: a Status: counts, failures, rate, time left, and the
parts that are not complete. Only reads; see part_status.py.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from blendgen.dataset.layout import Layout
from blendgen.dataset.ownership import MERGING_KEY
from blendgen.dataset.run_status import read_run_status
from blendgen.dataset.store import read_record
from blendgen.errors import DatasetError
from blendgen.farm.part_status import STATES, PartReader, PartStatus, WantedImages
from blendgen.farm.shards import Shard, named_shard, shards_in
from blendgen.files.disk import read_error

SETTLE_S = 20.0  # a little more than a run on another machine may be silent
_LOOK_EVERY_S = 0.5
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Status:
    """A data set at one moment.

    folder: a path, or the text of a URL
    images: that are made, in all shards; wanted: how many the spec asks for, None if that is not known
    failed_per_reason: images that cannot be made
    parts_per_state: number of parts by state, of part_status.STATES; parts are the shards, or the data set
        itself
    parts: those that are begun and not complete, the ones that need somebody first
    """

    folder: Path | str
    images: int
    wanted: int | None
    failed_per_reason: dict[str, int]
    parts_per_state: dict[str, int]
    parts: tuple[PartStatus, ...]

    @property
    def failed(self) -> int:
        return sum(self.failed_per_reason.values())

    @property
    def is_complete(self) -> bool:
        return set(self.parts_per_state) == {"complete"}

    @property
    def images_per_minute(self) -> float | None:
        """Of all runs that live, over the last minutes; None if none of them knows its rate."""
        rates = [part.images_per_s for part in self.parts if part.images_per_s is not None]
        return 60 * sum(rates) if rates else None

    @property
    def left_s(self) -> float | None:
        """Until all images are made if the same number of runs goes on; None if that is not known."""
        if self.wanted is None or not self.images_per_minute:
            return None
        return 60 * max(0, self.wanted - self.images - self.failed) / self.images_per_minute

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values, for JSON."""
        return {
            "folder": str(self.folder),
            "complete": self.is_complete,
            "images": self.images,
            "wanted": self.wanted,
            "failed": self.failed,
            "failed_per_reason": self.failed_per_reason,
            "images_per_minute": self.images_per_minute,
            "left_s": self.left_s,
            "parts_per_state": self.parts_per_state,
            "parts": [_part_values(part) for part in self.parts],
        }


class StatusReader:
    """Reads the status of a folder again and again; parts that are complete are not read again.

    raises: DatasetError for a folder that is not there or has neither a data set nor shards
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic):
        self._folder, self._clock = folder, clock
        self._wanted = WantedImages()
        self._readers: dict[str, PartReader] = {}
        self._complete: dict[str, PartStatus] = {}

    def read(self) -> Status:
        """The status now."""
        layout = Layout(self._folder)
        if not self._folder.is_dir():
            raise DatasetError(f"{self._folder}: is not a folder; give the OUT of `blendgen generate`")
        shards, record = self._shards(layout), read_record(layout)
        is_whole = record and not (shards and MERGING_KEY in record)
        if is_whole or read_run_status(layout):
            return self._combined([self._part(self._folder, named_shard(self._folder.name))], 1)
        if not shards:
            raise DatasetError(
                f"{self._folder}: contains neither a data set of blendgen nor shards of one; if a run has "
                "just started, look again in a moment"
            )
        counts = {shard.count for _, shard in shards}
        parts = [self._part(path, shard) for path, shard in shards]
        return self._combined(parts, max(len(shards), *counts))

    def settled(self, wait_s: float = SETTLE_S, sleep: Callable[[float], None] = time.sleep) -> Status:
        """As read, but looks again until it knows of every run on another machine whether it lives.

        wait_s: at most so long
        """
        status, until_s = self.read(), self._clock() + wait_s
        while "unknown" in status.parts_per_state and self._clock() < until_s:
            sleep(min(_LOOK_EVERY_S, wait_s))
            status = self.read()
        return status

    def _shards(self, layout: Layout) -> list[tuple[Path, Shard]]:
        try:
            shards = shards_in(layout)
        except OSError as error:
            raise read_error(layout.shards, error) from None
        return [(layout.shards / shard.name, shard) for shard in shards]

    def _part(self, path: Path, shard: Shard | None) -> PartStatus:
        name = path.name
        if name in self._complete:
            return self._complete[name]
        if name not in self._readers:
            self._readers[name] = PartReader(path, shard, self._wanted, self._clock)
        part = self._readers[name].read()
        if part.state == "complete" and shard is not None:
            self._complete[name] = part
            del self._readers[name]
        return part

    def _combined(self, parts: list[PartStatus], count: int) -> Status:
        return combined(self._folder, parts, count, self._wanted.of_all(parts, count))


def combined(folder: Path | str, parts: Sequence[PartStatus], count: int, wanted: int | None) -> Status:
    """The status of a data set of `count` parts; those that are not there are not started."""
    states = Counter(part.state for part in parts)
    states["not started"] += count - len(parts)
    failed: Counter[str] = Counter()
    for part in parts:
        failed.update(part.failed_per_reason)
    unfinished = [part for part in parts if part.state not in ("complete", "not started")]
    return Status(
        folder,
        sum(part.images for part in parts),
        wanted,
        dict(sorted(failed.items())),
        {state: states[state] for state in STATES if states[state]},
        tuple(sorted(unfinished, key=lambda part: (STATES.index(part.state), part.name))),
    )


class AnyReader(Protocol):
    """Reads a status again and again."""

    def read(self) -> Status:
        """The status now; raises BlendgenError."""


def watched(folder: Path, every_s: float, sleep: Callable[[float], None] = time.sleep) -> Iterator[Status]:
    """The status of a folder, as watched_by."""
    return watched_by(StatusReader(folder), every_s, sleep)


def watched_by(
    reader: AnyReader, every_s: float, sleep: Callable[[float], None] = time.sleep
) -> Iterator[Status]:
    """The status every few seconds, until the data set is complete.

    A folder that cannot be read after the first look, as on a network that fails for a while, is a warning.
    """
    status = reader.read()
    while True:
        yield status
        if status.is_complete:
            return
        sleep(every_s)
        while (later := _read_or_warn(reader)) is None:
            sleep(every_s)
        status = later


def _read_or_warn(reader: AnyReader) -> Status | None:
    try:
        return reader.read()
    except (DatasetError, OSError) as error:
        _log.warning("note: %s", error)
        return None


def _part_values(part: PartStatus) -> dict[str, Any]:
    rate = part.images_per_s
    return {
        "name": part.name,
        "state": part.state,
        "images": part.images,
        "wanted": part.wanted,
        "failed": part.failed,
        "failed_per_reason": part.failed_per_reason,
        "images_per_minute": None if rate is None else 60 * rate,
        "left_s": part.left_s,
        "run": None if part.run is None else part.run.model_dump(mode="json"),
    }
