"""Ray check: rows of a data set against a ray cast of its scenes, in worker processes.

In: a Job whose folder is a finished data set, and rows of it. Out: Findings, one for each row. The meshes
come from Blender, so the rays are cast in the processes that Blender runs in; arrays stay there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import spread_rows
from blendgen.dataset.store import read_record
from blendgen.errors import Interrupted
from blendgen.files.scratch import scratch_folder
from blendgen.pipeline import Task
from blendgen.scene.row import Row
from blendgen.verification.dataset import Fault
from blendgen.verification.rays.cast import require_embree
from blendgen.verification.rays.findings import Findings
from blendgen.verification.rays.row_check import Checker, Geometry
from blendgen.verification.reopen import Reopened
from blendgen.workers.job import Job
from blendgen.workers.pool import run_tasks
from blendgen.workers.share import choose_worker_count
from blendgen.workers.spawn import Steps
from blendgen.workers.stop_signal import StopSignal
from blendgen.workers.worker import blender_engine, run_step, worker_job

_MAX_CACHED_ASSETS = 64


@dataclass(frozen=True, eq=False)
class RowTask(Task):
    """A row to be checked; compared and hashed as a Task, by its numbers."""

    row: Row


def ray_faults(reopened: Reopened, count: int, progress, workers: int | None = 1) -> Iterator[Fault]:
    """Faults of `count` rows, evenly spaced in the data set, at most one for each row.

    workers: None for as many as this machine has room for
    raises: SetupError if the ray caster is not installed
    """
    require_embree()
    rows = spread_rows(reopened.layout.manifest, count)
    progress.begin(len(rows), "row")
    with scratch_folder("rays") as scratch:
        inventory = reopened.inventory
        job = Job(
            reopened.spec_file.spec,
            inventory.catalog,
            inventory.class_table,
            reopened.layout.root,
            scratch / "blender.log",
        )
        for row, findings in checked(job, rows, choose_worker_count(job, len(rows), workers)):
            yield from (Fault(row.image.name, f"by ray cast: {what}") for what in findings.faults)
            progress.advance(1)


def checked(job: Job, rows: Iterable[Row], workers: int = 1) -> Iterator[tuple[Row, Findings]]:
    """Rows with their Findings, in the order in which they are finished.

    raises: BlendgenError of a worker; Interrupted after a signal
    """
    by_index = {row.index: row for row in rows}
    tasks = (RowTask(row.shot_index, (index,), row) for index, row in by_index.items())
    with StopSignal() as stop:
        for index, findings in run_tasks(job, tasks, stop, workers, steps=Steps(inspect)):
            yield by_index[index], findings
        if stop.signum is not None:
            raise Interrupted(stop.signum, "stopped; not all rows were checked")


def inspect(task: RowTask) -> tuple[int, Findings]:
    """(index, Findings) of a task's row; runs in a worker process."""
    return run_step(task, lambda: _inspect(task))


def _inspect(task: RowTask) -> tuple[int, Findings]:
    (index,) = task.image_indices
    try:
        return index, _checker().check(task.row)
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        what = f"cannot be compared: {type(error).__name__} {error}"
        return index, Findings(rows=1, faults=(what.replace("\n", " "),))


@cache
def _checker() -> Checker:
    """The checker of this process; loads Blender."""
    job = worker_job()
    return checker_for(job, blender_engine(job), read_record(Layout(job.folder)))


def checker_for(job: Job, engine, record: dict[str, Any]) -> Checker:
    """Checks rows in job.folder with the meshes of a Blender engine; record: dataset.json"""
    from blendgen.engine.blender.session.meshes import asset_mesh
    from blendgen.engine.blender.session.models import object_name

    geometry = Geometry(engine.scene_meshes, lru_cache(_MAX_CACHED_ASSETS)(asset_mesh), object_name)
    return Checker(job.folder, job.catalog, job.class_table, record, geometry)
