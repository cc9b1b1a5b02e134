"""Generate: make and record the images that a data set still lacks.

In: a Job, an open Store and the wanted indices. Out: progress, and an Outcome at the end. This is the
loop of the parent: workers write image files, and only the parent appends rows to the manifest.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

from blendgen.dataset.manifest import ManifestWriter
from blendgen.dataset.store import Store
from blendgen.errors import Interrupted
from blendgen.pipeline import tasks_for
from blendgen.workers.early_worker import EarlyWorker
from blendgen.workers.job import Job
from blendgen.workers.pool import choose_worker_count, run_tasks
from blendgen.workers.stop_signal import StopSignal

_MANY_SHOTS = 4096  # enough for any number of workers


class Progress(Protocol):
    """Receives the progress of a run."""

    def begin(self, total: int) -> None: ...

    def advance(self, count: int) -> None: ...

    def note(self, text: str) -> None: ...


@dataclass(frozen=True)
class Outcome:
    """made: images of this run; existing: wanted images that were there before; record: dataset.json."""

    made: int
    existing: int
    record: dict


def generate(
    job: Job,
    store: Store,
    indices: Sequence[int],
    progress: Progress,
    workers: int | None = 1,
    early_worker: EarlyWorker | None = None,
) -> Outcome:
    """Make the wanted images that the data set does not have yet.

    progress: gets the number of images to make, then the number of further finished ones
    workers: processes, at most one per shot; None: as many as this machine fits
    early_worker: becomes the first worker, if there is one
    raises: BlendgenError; Interrupted after a signal, when all finished images are recorded
    """
    done = store.done()
    existing = len(done.intersection(indices))
    to_make = len(indices) - existing
    first_tasks = itertools.islice(tasks_for(job.spec, _missing(indices, done)), _MANY_SHOTS)
    workers = choose_worker_count(job, sum(1 for _ in first_tasks), workers)
    made, devices = 0, []
    progress.begin(to_make)
    with StopSignal() as stop, ManifestWriter(store.layout.manifest) as manifest:
        try:
            tasks = tasks_for(job.spec, _missing(indices, done))
            # closed before store.finish(): no worker may write any more
            with closing(run_tasks(job, tasks, stop, workers, early_worker=early_worker)) as finished:
                for rows, identity in finished:
                    if identity not in devices:
                        devices.append(identity)
                        _note_other_devices(store.note_device(identity), identity, progress)
                    manifest.append(rows)
                    made += len(rows)
                    progress.advance(len(rows))
        finally:
            record = store.finish()
    if stop.signum is not None and made < to_make:
        raise Interrupted(
            stop.signum,
            f"stopped: {record['images']} images are finished in {store.layout.root}, "
            f"{to_make - made} are missing; run the same command to continue",
        )
    return Outcome(made, existing, record)


def _missing(indices: Sequence[int], done: set[int]) -> Iterator[int]:
    return (index for index in indices if index not in done)


def _note_other_devices(others: list[dict[str, str]], device: dict[str, str], progress: Progress) -> None:
    if others:
        progress.note(
            f"note: other images of this data set were made on {describe_devices(others)}, these are made on "
            f"{describe_devices([device])}: they look alike, but the bytes differ between devices; "
            "dataset.json lists all devices"
        )


def describe_devices(devices: list[dict[str, str]]) -> str:
    """The devices of dataset.json as text for messages."""
    names = [", ".join(filter(None, map(device.get, ("kernel", "graphics_card")))) for device in devices]
    return " and ".join(f"{d.get('device')} ({name})" for d, name in zip(devices, names, strict=True))
