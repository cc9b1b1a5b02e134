"""Runs whose workers use the flat engine instead of Blender."""

from __future__ import annotations

import errno
import os
import time
from functools import partial
from pathlib import Path

from blendgen.containers.packing import Packer
from blendgen.dataset.layout import Layout
from blendgen.dataset.record import dataset_record
from blendgen.dataset.store import Store
from blendgen.develop.develop import Developer
from blendgen.engine.flat import FlatEngine
from blendgen.models.inventory import Inventory
from blendgen.models.product import Catalog
from blendgen.pipeline import Pipeline
from blendgen.system.progress import Counter
from blendgen.system.stop_signals import ignore_stop_signals
from blendgen.system.time_limit import TimeLimit
from blendgen.workers import generate, worker
from blendgen.workers.film_store import FilmStore, RememberingEngine
from blendgen.workers.generate import Outcome, Run
from blendgen.workers.job import Job, load_job
from blendgen.workers.monitor import Monitor
from blendgen.workers.pool import run_tasks
from blendgen.workers.spawn import Steps
from tests.conftest import make_class_table, make_product, make_spec

CATALOG = Catalog(
    (make_product("box", "box", (0.1, 0.06, 0.03)), make_product("sphere", "sphere", (0.06, 0.06, 0.06)))
)
IMAGES = 48
# nearer than 5 cm the camera is inside either product: of 16 attempts all are infeasible for 15% of the shots
SOME_FAIL = {"camera": {"distance_m": {"choice": {0.01: 8, 0.4: 1}}}}
ALL_FAIL = {"camera": {"distance_m": 0.01}}


class FailsOnSpheres(FlatEngine):
    """Cannot render a sphere, as Blender cannot render some models, nor anything after it."""

    damaged = False

    def render(self, shot):
        self.damaged |= shot.products[0].product == "sphere"
        if self.damaged:
            raise RuntimeError("the surface has no inside")
        return super().render(shot)


def initialize(job_file: Path, share, engine: type[FlatEngine] = FlatEngine) -> None:
    """As worker.initialize, without Blender."""
    ignore_stop_signals()
    worker._Worker.job, worker._Worker.device = load_job(job_file), share.device
    worker._Worker.pipeline = None  # of an earlier job of this process
    worker.pipeline_for = partial(flat_pipeline, engine=engine)


def flat_pipeline(job: Job, device, engine: type[FlatEngine]) -> Pipeline:
    developer = Developer(None, job.spec.exposures_per_shot)
    flat = engine(job.catalog, job.spec.output)
    if job.films is not None:
        flat = RememberingEngine(flat, FilmStore(job.films), job)
    return Pipeline(job.spec, job.catalog, job.class_table, flat, developer, job.sweep)


class CrashesOnSpheres(FlatEngine):
    """Ends its process at a sphere, as Blender does at some models."""

    def render(self, shot):
        if shot.products[0].product == "sphere":
            os.abort()
        return super().render(shot)


def initialize_on_a_full_disk(job_file: Path, share) -> None:
    """As initialize, on a disk that has room for some images."""
    initialize(job_file, share)
    sync, room = os.fsync, iter(range(9))

    def full(descriptor: int) -> None:
        if next(room, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(descriptor)

    os.fsync = full


class HangsLate(FlatEngine):
    """Renders eight shots, and never ends the next one."""

    def render(self, shot):
        if shot.index >= 8:
            time.sleep(600)
        return super().render(shot)


initialize_hanging = partial(initialize, engine=HangsLate)
initialize_failing = partial(initialize, engine=FailsOnSpheres)
initialize_crashing = partial(initialize, engine=CrashesOnSpheres)


def render_slowly(task):
    time.sleep(0.05)
    return worker.render(task)


def run(
    folder: Path,
    spec,
    indices=None,
    workers=1,
    report=lambda finished, total: None,
    slow=False,
    initialize=initialize,
    retry_failed=False,
    monitor=None,
    time_limit=None,
) -> Outcome:
    """A run over a folder; raises as Run.make_all does."""
    inventory = Inventory(CATALOG, make_class_table(CATALOG))
    steps = Steps(render_slowly, worker.write) if slow else worker.IMAGES
    generate.run_tasks = partial(run_tasks, initialize=initialize, steps=steps)
    try:
        watching, record = monitor or Monitor(), dataset_record(spec, inventory)
        heartbeat = watching.heartbeat(Layout(folder))
        with watching, Store(folder, record, "name: test\n", meanwhile=heartbeat) as store:
            job = Job(spec, CATALOG, inventory.class_table, folder, store.layout.log)
            wanted = range(spec.images) if indices is None else indices
            if retry_failed:
                store.forget_failures(store.failures().keys() & wanted)
            packer = Packer.of(store.files, record)
            more = {"packer": packer, "monitor": watching, "time_limit": time_limit or TimeLimit()}
            return Run(job, store, wanted, Counter(report), workers, **more).make_all()
    finally:
        generate.run_tasks = run_tasks


def run_slowly(folder: str) -> None:
    run(Path(folder), make_spec(images=IMAGES, **SOME_FAIL), workers=2, slow=True)
