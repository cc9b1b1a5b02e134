"""Generate: make and record the images that a data set still lacks.

In: a Job, an open Store and the wanted indices. Out: rows as they are recorded, and an Outcome at the end.
This is the loop of the parent: workers write image files, and only the parent appends rows to the manifest.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from blendgen.dataset.manifest import ManifestWriter
from blendgen.dataset.store import Store
from blendgen.errors import Interrupted
from blendgen.pipeline import tasks_for
from blendgen.scene.row import Row
from blendgen.system.progress import Progress
from blendgen.workers.early_worker import EarlyWorker
from blendgen.workers.job import Job
from blendgen.workers.pool import choose_worker_count, run_tasks
from blendgen.workers.stop_signal import StopSignal

_MANY_SHOTS = 4096  # enough for any number of workers
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """made: images of this run; existing: wanted images that were there before; record: dataset.json."""

    made: int
    existing: int
    record: dict


@dataclass
class Run:
    """One run over the images of a data set.

    progress: gets the number of images to make, then the number of further finished ones
    workers: processes, at most one per shot; None: as many as this machine fits
    early_worker: becomes the first worker, if there is one
    """

    job: Job
    store: Store
    indices: Sequence[int]
    progress: Progress
    workers: int | None = 1
    early_worker: EarlyWorker | None = None
    _outcome: Outcome | None = None

    @property
    def outcome(self) -> Outcome:
        """How it went, once all batches are made."""
        if self._outcome is None:
            raise RuntimeError("the run has not ended")
        return self._outcome

    def batches(self, stop: StopSignal) -> Generator[list[Row]]:
        """Make the missing images; the rows of each shot as soon as the manifest has them.

        The manifest is complete and in order also after an exception, and if the caller closes the iterator.
        raises: BlendgenError; Interrupted after a signal
        """
        done = self.store.done()
        existing = len(done.intersection(self.indices))
        to_make = len(self.indices) - existing
        made = 0
        self.progress.begin(to_make)
        with ManifestWriter(self.store.layout.manifest) as manifest:
            try:
                # closed before store.finish(): no worker may write any more
                with closing(self._results(stop, done)) as results:
                    for rows in results:
                        manifest.append(rows)
                        made += len(rows)
                        self.progress.advance(len(rows))
                        yield rows
            finally:
                record = self.store.finish()
        if stop.signum is not None and made < to_make:
            raise Interrupted(
                stop.signum,
                f"stopped: {record['images']} images are finished in {self.store.layout.root}, "
                f"{to_make - made} are missing; run the same command to continue",
            )
        self._outcome = Outcome(made, existing, record)

    def _results(self, stop: StopSignal, done: set[int]) -> Generator[list[Row]]:
        """Rows of each shot as it is finished; notes in dataset.json what it was made on."""
        tasks = tasks_for(self.job.spec, self._missing(done))
        some = itertools.islice(tasks_for(self.job.spec, self._missing(done)), _MANY_SHOTS)
        workers = choose_worker_count(self.job, sum(1 for _ in some), self.workers)
        devices: list[dict[str, str]] = []
        with closing(run_tasks(self.job, tasks, stop, workers, early_worker=self.early_worker)) as finished:
            for rows, device in finished:
                if device not in devices:
                    devices.append(device)
                    _warn_of_other_devices(self.store.note_device(device), device)
                yield rows

    def _missing(self, done: set[int]) -> Iterator[int]:
        return (index for index in self.indices if index not in done)


def generate(
    job: Job,
    store: Store,
    indices: Sequence[int],
    progress: Progress,
    workers: int | None = 1,
    early_worker: EarlyWorker | None = None,
) -> Outcome:
    """Make the missing images to the end; see Run. raises: BlendgenError; Interrupted after a signal"""
    run = Run(job, store, indices, progress, workers, early_worker)
    with StopSignal() as stop:
        for _ in run.batches(stop):
            pass
    return run.outcome


def _warn_of_other_devices(others: list[dict[str, str]], device: dict[str, str]) -> None:
    if others:
        _log.warning(
            "note: other images of this data set were made on %s, these are made on %s: they look alike, but "
            "the bytes differ between devices; dataset.json lists all devices",
            describe_devices(others),
            describe_devices([device]),
        )


def describe_devices(devices: list[dict[str, str]]) -> str:
    """The devices of dataset.json as text for messages."""
    names = [", ".join(filter(None, map(device.get, ("kernel", "graphics_card")))) for device in devices]
    return " and ".join(f"{d.get('device')} ({name})" for d, name in zip(devices, names, strict=True))
