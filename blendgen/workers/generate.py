"""Generate: the images of a data set that are still missing, made and recorded.

In: a Job, an open Store and the wanted indices. Out: progress, and at the end how it went. The
parent's loop: workers write image files, this process alone appends rows to the manifest.
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
    """Whoever watches."""

    def begin(self, total: int) -> None: ...

    def advance(self, count: int) -> None: ...

    def note(self, text: str) -> None: ...


@dataclass(frozen=True)
class Outcome:
    """made: images of this run; kept: images that were there before; record: dataset.json."""

    made: int
    kept: int
    record: dict


def generate(
    job: Job,
    store: Store,
    indices: Sequence[int],
    progress: Progress,
    workers: int | None = 1,
    early_worker: EarlyWorker | None = None,
) -> Outcome:
    """Make the wanted images that are not there yet.

    progress: told how many images there are to make, then how many more are finished
    workers: processes, never more than shots; None for as many as this machine has room for
    early_worker: the first of them, where one waits already
    raises: BlendgenError; Interrupted after a signal, with what is finished kept in order
    """
    done = store.done()
    kept = len(done.intersection(indices))
    to_make = len(indices) - kept
    some = itertools.islice(tasks_for(job.spec, _missing(indices, done)), _MANY_SHOTS)
    workers = choose_worker_count(job, sum(1 for _ in some), workers)
    made, devices = 0, []
    progress.begin(to_make)
    with StopSignal() as stop, ManifestWriter(store.layout.manifest) as manifest:
        try:
            tasks = tasks_for(job.spec, _missing(indices, done))
            # closed before the store is finished: no worker writes any more
            with closing(run_tasks(job, tasks, stop, workers, early_worker=early_worker)) as finished:
                for rows, identity in finished:
                    if identity not in devices:
                        devices.append(identity)
                        _tell_of_other_devices(store.note_device(identity), identity, progress)
                    manifest.append(rows)
                    made += len(rows)
                    progress.advance(len(rows))
        finally:
            record = store.finish()
    if stop.signum is not None and made < to_make:
        raise Interrupted(
            stop.signum,
            f"stopped: {record['images']} images are finished in {store.layout.root}, "
            f"{to_make - made} are missing; run the same command to go on",
        )
    return Outcome(made, kept, record)


def _missing(indices: Sequence[int], done: set[int]) -> Iterator[int]:
    return (index for index in indices if index not in done)


def _tell_of_other_devices(others: list[dict[str, str]], device: dict[str, str], progress: Progress) -> None:
    if others:
        progress.note(
            f"note: other images here were made on {describe_devices(others)}, these are made on "
            f"{describe_devices([device])}: they look alike, but their bytes are not those of one device; "
            "dataset.json names all"
        )


def describe_devices(devices: list[dict[str, str]]) -> str:
    """What dataset.json says of devices, for people."""
    names = [", ".join(filter(None, map(device.get, ("kernel", "graphics_card")))) for device in devices]
    return " and ".join(f"{one.get('device')} ({name})" for one, name in zip(devices, names, strict=True))
