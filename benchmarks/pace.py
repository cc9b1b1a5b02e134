"""Pace: how fast a real run makes images after its start, and how long the start takes.

A run is `blendgen generate` without its command line: workers, files, manifest. Each finished shot gets a
time stamp. The pace is that of the middle: the first shots, which load Blender and the meshes, and the last
ones, when workers become idle, are left out.
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
from blendgen.engine.device import CPU, Device
from blendgen.errors import Interrupted
from blendgen.models.inventory import Inventory
from blendgen.spec.load import resolved_yaml
from blendgen.spec.model import Spec
from blendgen.system.machine import cores, own_cores
from blendgen.workers.generate import Run as GenerateRun
from blendgen.workers.job import Job

# shots of each worker: the first load Blender and meshes; during the last, other workers may be idle
_FIRST, _LAST = 3, 2


@dataclass(frozen=True)
class Stamp:
    """A finished shot: seconds since the start of the run, images so far, computing time of the workers."""

    at_s: float
    images: int
    computing_s: float


@dataclass(frozen=True)
class Pace:
    """The steady part of a run.

    busy: share of the cores' time that the workers computed; None where the system does not report it
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
    """The pace between the first and the last shots; raises ValueError where there are too few shots."""
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
    """The number of shots of a run in which `steady` of them are timed."""
    return steady + first_timed(workers) + (_LAST * workers if workers > 1 else 0)


@dataclass
class _Stamps:
    """The Progress of a run: stamps every shot and reads the usage of the processes."""

    began_s: float = field(default_factory=time.perf_counter)
    stamps: list[Stamp] = field(default_factory=list)
    peaks: dict[int, Usage] = field(default_factory=dict)

    def begin(self, total: int, unit: str = "image") -> None: ...

    def note(self, text: str) -> None: ...

    def advance(self, count: int) -> None:
        self.peaks.update(workers())
        images = count + (self.stamps[-1].images if self.stamps else 0)
        computing_s = sum(used.computing_s for used in self.peaks.values())
        self.stamps.append(Stamp(time.perf_counter() - self.began_s, images, computing_s))


def run(
    spec: Spec, inventory: Inventory, steady: int, workers: int, threads: int = 0,
    devices: tuple[Device, ...] = (CPU,),
) -> Run:  # fmt: skip
    """Make a data set in a temporary folder; threads: of each worker, 0 for its share of the cores.

    raises: BlendgenError; Interrupted after a signal
    """
    images = shots_for(steady, workers) * spec.exposures_per_shot
    watch = _Stamps()
    with (
        tempfile.TemporaryDirectory(prefix="blendgen-bench-") as scratch,
        Store(Path(scratch) / "out", dataset_record(spec, inventory), resolved_yaml(spec)) as store,
    ):
        job = Job(
            spec, inventory.catalog, inventory.class_table, store.layout.root, store.layout.log, threads,
            devices=devices,
        )  # fmt: skip
        try:
            GenerateRun(job, store, range(images), watch, workers).make_all()
        except Interrupted as error:  # its message names the temporary folder
            raise Interrupted(error.signum, "stopped; nothing was measured") from None
    return Run(
        tuple(watch.stamps),
        pace(watch.stamps, workers, cores()),
        usage(os.getpid()).peak_bytes,
        tuple(used.peak_bytes for used in watch.peaks.values()),
    )


@contextlib.contextmanager
def on_cores(count: int) -> Iterator[None]:
    """Limit this process and those that it starts to some cores, where the system allows it."""
    before = own_cores()
    if before:
        os.sched_setaffinity(0, before[:count])
    try:
        yield
    finally:
        if before:
            os.sched_setaffinity(0, before)


def image_s_by_count(stamps: tuple[Stamp, ...]) -> dict[int, float]:
    """Images made -> seconds per image since the start of the run, at 1, 2, 4, ... images."""
    count, seconds = 1, {}
    for stamp in stamps:
        if stamp.images >= count:
            seconds[stamp.images] = stamp.at_s / stamp.images
            count = 2 * stamp.images
    return seconds
