"""Part status: how far one folder is that `generate` makes: a data set, or a shard of one.

In: the folder, also on a network or read-only disk, while a run writes to it or long after it was killed.
Out: a PartStatus. Nothing is written or locked. Rows are counted, not parsed: only those newer than the last
count of a run, of dataset.json or of this reader.

A run on this machine lives as long as its process. Of one on another machine only the heartbeat is known: it
lives if that has changed since the last look. No time of a file or of another machine is compared with the
clock of this one; those of dataset.json and manifest.jsonl, on the same disk, are compared with each other.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

from blendgen.dataset.failures import count_reasons, read_failures
from blendgen.dataset.layout import Layout
from blendgen.dataset.run_status import RunStatus, read_run_status
from blendgen.dataset.store import read_record
from blendgen.errors import DatasetError
from blendgen.farm.shards import Shard
from blendgen.files.regular_file import MAX_TEXT_BYTES, links_outside, open_regular, read_bounded
from blendgen.system.process import ProcessIdentity, process_state

# of a part, those that need somebody first; a silent run was probably killed with its machine
# one that is begun is in an object store, where nothing says whether a machine still works on it
STATES = ("stopped", "silent", "suspended", "unknown", "begun", "running", "not started", "complete")
_BEATS_UNTIL_SILENT = 3
_BLOCK_BYTES = 1 << 20
_IMAGES = re.compile(rb"^images: ([0-9]{1,12})\s*$", re.MULTILINE)


@dataclass(frozen=True)
class PartStatus:
    """name: of the shard, "" for a whole data set; state: of STATES

    images: that are made; wanted: how many the spec asks for here, None if that is not known
    failed_per_reason: images that cannot be made
    run: what the run that works here, or was killed here, last wrote about itself
    """

    name: str
    state: str
    images: int
    wanted: int | None
    failed_per_reason: dict[str, int]
    run: RunStatus | None = None

    @property
    def failed(self) -> int:
        return sum(self.failed_per_reason.values())

    @property
    def images_per_s(self) -> float | None:
        """Of a run that lives; None before its first image."""
        return self.run.images_per_s if self.run is not None and self.state == "running" else None

    @property
    def left_s(self) -> float | None:
        """Until the run has made what it wants, at its pace of the last minutes."""
        if self.run is None or not self.images_per_s:
            return None
        left = self.run.wanted - self.run.existing - self.run.made - self.run.failed
        return max(0, left) / self.images_per_s


class WantedImages:
    """How many images folders ask for; a spec that many shards share is read once."""

    def __init__(self) -> None:
        self._of_spec: dict[Any, int] = {}

    def of(self, layout: Layout, record: dict[str, Any], shard: Shard | None) -> int | None:
        """Of a data set or of a shard, from its spec; None if that cannot be read."""
        sha256 = record.get("spec_sha256")
        key = sha256 if isinstance(sha256, str) else layout.root
        images = self._of_spec[key] if key in self._of_spec else _wanted_in_spec(layout)
        if images is None:
            return None
        self._of_spec[key] = images
        exposures = record.get("exposures_per_shot", 1)
        if shard is None or not isinstance(exposures, int) or exposures < 1:
            return images if shard is None else None
        return len(shard.images(images, exposures))

    def of_all(self, parts: Sequence[PartStatus], count: int) -> int | None:
        """Of a data set of `count` parts, of which some may be missing."""
        known = [part.wanted for part in parts if part.wanted is not None]
        if len(known) == count:
            return sum(known)
        specs = set(self._of_spec.values())
        return specs.pop() if len(specs) == 1 else None


def _wanted_in_spec(layout: Layout) -> int | None:
    """`images` of spec.yaml, which we write with every key on a line of its own."""
    with suppress(OSError):
        if not links_outside(layout.spec):
            match = _IMAGES.search(read_bounded(layout.spec, MAX_TEXT_BYTES))
            return int(match[1]) if match else None
    return None


class PartReader:
    """Reads the status of one folder again and again, and remembers what need not be read again."""

    def __init__(
        self,
        folder: Path,
        shard: Shard | None = None,
        wanted: WantedImages | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._layout, self._shard, self._clock = Layout(folder), shard, clock
        self._wanted = wanted or WantedImages()
        self._lines = LineCount(self._layout.manifest)
        self._beat: tuple[str, int] | None = None
        self._beat_s, self._has_changed = 0.0, False

    def read(self) -> PartStatus:
        """How far the folder is now."""
        layout = self._layout
        # first that of the run: if it ends meanwhile, what is read next is finished
        run, record = read_run_status(layout), read_record(layout)
        wanted = self._wanted.of(layout, record, self._shard)
        is_counted = _is_count(record.get("images")) and _is_newer(layout.record, layout.manifest)
        if run is not None and run.images is not None:
            self._lines.start_from(run.manifest_bytes, run.images)
            images, failed = self._lines.count(), run.failed_per_reason
        elif is_counted:
            images, failed = record["images"], _failures_of(record)
        else:
            images, failed = self._lines.count(), _recorded_failures(layout)
        has_all = is_counted and (wanted is None or images + sum(failed.values()) >= wanted)
        state = self._state(run) if run is not None else _idle_state(record, has_all)
        return PartStatus(self._shard.name if self._shard else "", state, images, wanted, dict(failed), run)

    def _state(self, run: RunStatus) -> str:
        state = process_state(ProcessIdentity(run.host, run.pid, run.boot, run.namespace, run.began))
        if state is not None:
            return "stopped" if state == "ended" else state
        now_s, beat = self._clock(), (run.run, run.heartbeat)
        if beat != self._beat:
            self._has_changed = self._beat is not None
            self._beat, self._beat_s = beat, now_s
        if now_s - self._beat_s >= _BEATS_UNTIL_SILENT * run.every_s:
            return "silent"
        return "running" if self._has_changed else "unknown"


class LineCount:
    """The number of whole lines of a file that grows; only what is new is read."""

    def __init__(self, path: Path):
        self._path, self._end, self._lines, self._inode = path, 0, 0, 0

    def start_from(self, end: int, lines: int) -> None:
        """So many lines are known to be in the first `end` bytes."""
        self._end, self._lines = end, lines

    def count(self) -> int:
        """The lines now, or those counted before if the file cannot be read."""
        with suppress(OSError):
            if links_outside(self._path):
                return 0
            with open_regular(self._path) as file:
                inode = os.fstat(file.fileno()).st_ino
                if self._inode not in (0, inode):  # sorted meanwhile
                    self._end = self._lines = 0
                self._inode = inode
                self._read_on(file)
        return self._lines

    def _read_on(self, file: BufferedReader) -> None:
        """What follows the last newline, a line that is not whole yet or torn, is read again next time."""
        position = file.seek(self._end)
        while block := file.read(_BLOCK_BYTES):
            lines = block.count(b"\n")
            if lines:
                self._lines, self._end = self._lines + lines, position + block.rfind(b"\n") + 1
            position += len(block)


def _is_newer(path: Path, other: Path) -> bool:
    """Whether a file was written after another one of the same disk, or there is no other one."""
    try:
        written_ns = path.stat().st_mtime_ns
        return written_ns >= other.stat().st_mtime_ns
    except FileNotFoundError:
        return not other.exists()
    except OSError:
        return False


def _idle_state(record: dict[str, Any], has_all: bool) -> str:
    if not record:
        return "not started"
    return "complete" if has_all else "stopped"


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**53


def _failures_of(record: dict[str, Any]) -> dict[str, int]:
    counts = record.get("images_failed_per_reason")
    if not isinstance(counts, dict):
        return {}
    return {str(reason): count for reason, count in counts.items() if _is_count(count)}


def _recorded_failures(layout: Layout) -> dict[str, int]:
    try:
        return count_reasons(read_failures(layout))
    except DatasetError:  # `verify` reports it
        return {}
