"""Generate: the images of a data set that are still missing, made and recorded.

In: a Job, an open Store and the wanted indices. Out: progress, and at the end how it went. The
parent's loop: workers write image files, this process alone appends rows to the manifest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from blendgen.dataset.manifest import ManifestWriter
from blendgen.dataset.store import Store
from blendgen.errors import Interrupted
from blendgen.farm.job import Job
from blendgen.farm.pool import StopSignal, run_tasks
from blendgen.pipeline import tasks_for


class Progress(Protocol):
    """Whoever watches."""

    def begin(self, total: int) -> None: ...

    def advance(self, count: int) -> None: ...


@dataclass(frozen=True)
class Outcome:
    """made: images of this run; kept: images that were there before; record: dataset.json."""

    made: int
    kept: int
    record: dict


def generate(job: Job, store: Store, indices: Sequence[int], progress: Progress, workers: int = 1) -> Outcome:
    """Make the wanted images that are not there yet.

    progress: told how many images there are to make, then how many more are finished
    raises: BlendgenError; Interrupted after a signal, with what is finished kept in order
    """
    done = store.done()
    kept = len(done.intersection(indices))
    missing = (index for index in indices if index not in done)
    to_make = len(indices) - kept
    made, device = 0, None
    progress.begin(to_make)
    with StopSignal() as stop, ManifestWriter(store.layout.manifest) as manifest:
        try:
            for rows, identity in run_tasks(job, tasks_for(job.spec, missing), stop, workers):
                manifest.append(rows)
                device = identity
                made += len(rows)
                progress.advance(len(rows))
        finally:
            record = store.finish(device)
    if stop.signum is not None and made < to_make:
        raise Interrupted(
            stop.signum,
            f"stopped: {record['images']} images are finished in {store.layout.root}, "
            f"{to_make - made} are missing; run the same command to go on",
        )
    return Outcome(made, kept, record)
