"""Pace: how fast a real run makes images once it is under way, and what it takes to get there.

A run is `blendgen generate` without its command line: workers, files, manifest. Each finished shot is
stamped. The pace is that of the middle: the first shots, in which Blender and the meshes are loaded,
and the last ones, when workers go idle, are left out.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from benchmarks.processes import Usage, usage, workers
from blendgen.dataset.record import dataset_record
from blendgen.dataset.store import Store
from blendgen.errors import Interrupted
from blendgen.models.inventory import Inventory
from blendgen.spec.load import resolved_yaml
from blendgen.spec.model import Spec
from blendgen.system.machine import cores, own_cores
from blendgen.workers.generate import generate
from blendgen.workers.job import Job

# a worker's first shots load Blender and meshes; its last ones may be made beside idle workers
_FIRST, _LAST = 3, 2


@dataclass(frozen=True)
class Stamp:
    """A finished shot: seconds since the run began, images so far, computing time of the workers."""

    at_s: float
    images: int
    computing_s: float


@dataclass(frozen=True)
class Pace:
    """Of the steady part of a run.

    busy: share of the cores' time in which they computed for the run; None where nobody tells
    """

    shot_s: float
    shots_per_s: float
    images_per_s: float
    busy: float | None


@dataclass(frozen=True)
class Run:
    """stamps: in the order of finishing; peaks: bytes of memory, of the parent and of each worker"""

    stamps: tuple[Stamp, ...]
    pace: Pace
    parent_peak_bytes: int
    worker_peaks_bytes: tuple[int, ...]


def pace(stamps: list[Stamp], workers: int, cores: int) -> Pace:
    """raises: ValueError where too few shots were made to leave out the first and the last"""
    steady = stamps[first_timed(workers) - 1 : len(stamps) - (_LAST * workers if workers > 1 else 0)]
    if len(steady) < 2:
        raise ValueError(f"{len(stamps)} shots are too few for {workers} workers")
    first, last = steady[0], steady[-1]
    elapsed_s, shots = last.at_s - first.at_s, len(steady) - 1
    computing_s = sum(max(0.0, b.computing_s - a.computing_s) for a, b in pairwise(steady))
    return Pace(
        shot_s=elapsed_s / shots,
        shots_per_s=shots / elapsed_s,
        images_per_s=(last.images - first.images) / elapsed_s,
        busy=computing_s / (elapsed_s * cores) if computing_s else None,
    )


def first_timed(workers: int) -> int:
    """The first shot of a run that is timed."""
    return _FIRST * workers


def shots_for(steady: int, workers: int) -> int:
    """How many shots a run needs so that `steady` of them can be timed."""
    return steady + first_timed(workers) + (_LAST * workers if workers > 1 else 0)


@dataclass
class _Stamps:
    """The run's Progress: stamps every shot, and looks at the processes."""

    began_s: float = field(default_factory=time.perf_counter)
    stamps: list[Stamp] = field(default_factory=list)
    peaks: dict[int, Usage] = field(default_factory=dict)

    def begin(self, total: int) -> None: ...

    def note(self, text: str) -> None: ...

    def advance(self, count: int) -> None:
        self.peaks.update(workers())
        images = count + (self.stamps[-1].images if self.stamps else 0)
        computing_s = sum(used.computing_s for used in self.peaks.values())
        self.stamps.append(Stamp(time.perf_counter() - self.began_s, images, computing_s))


def run(spec: Spec, inventory: Inventory, steady: int, workers: int, threads: int = 0) -> Run:
    """Make a data set in a temporary folder and stamp it; threads: of each worker, 0 for its share.

    raises: BlendgenError; Interrupted after a signal
    """
    images = shots_for(steady, workers) * spec.exposures_per_shot
    watch = _Stamps()
    with (
        tempfile.TemporaryDirectory(prefix="blendgen-bench-") as scratch,
        Store(Path(scratch) / "out", dataset_record(spec, inventory), resolved_yaml(spec)) as store,
    ):
        job = Job(
            spec, inventory.catalog, inventory.class_table, store.layout.root, store.layout.log, threads
        )
        try:
            generate(job, store, range(images), watch, workers)
        except Interrupted as error:  # which tells of the temporary folder
            raise Interrupted(error.exit_code - 128, "stopped; nothing was measured") from None
    return Run(
        tuple(watch.stamps),
        pace(watch.stamps, workers, cores()),
        usage(os.getpid()).peak_bytes,
        tuple(used.peak_bytes for used in watch.peaks.values()),
    )


@contextlib.contextmanager
def on_cores(count: int) -> Iterator[None]:
    """Nothing that is started in here uses more cores than this; where the system allows to say so."""
    before = own_cores()
    if before:
        os.sched_setaffinity(0, before[:count])
    try:
        yield
    finally:
        if before:
            os.sched_setaffinity(0, before)


def image_s_by_count(stamps: tuple[Stamp, ...]) -> dict[int, float]:
    """Seconds an image of the whole run up to 1, 2, 4, ... images, loading included."""
    count, found = 1, {}
    for stamp in stamps:
        if stamp.images >= count:
            found[stamp.images] = stamp.at_s / stamp.images
            count = 2 * stamp.images
    return found
