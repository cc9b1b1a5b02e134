"""Worker: the work in the child process in which Blender runs; whole shots in, rows out.

`initialize` runs once in a new process. Each task is first rendered in the main thread (`render`); then its
images are developed and written in another thread, without Blender (`write`). Blender prints to file
descriptor 1 from C, so 1 and 2 are both redirected to the log. A worker ignores signals: its parent handles
them, and kills the worker if needed.
"""

from __future__ import annotations

import faulthandler
import importlib
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeVar

from blendgen.dataset.failures import FailedImage, failed_images, failed_together
from blendgen.dataset.layout import Layout
from blendgen.dataset.write import write_frame
from blendgen.develop.denoise import Denoiser
from blendgen.develop.develop import Developer
from blendgen.draw.assignment import subject_variant
from blendgen.engine.base import EngineError
from blendgen.engine.device import CPU, Device
from blendgen.errors import BlendgenError, InfeasibleShot, Reason, SetupError
from blendgen.files.disk import raise_if_passing
from blendgen.models.measuring.cache import blender_environment
from blendgen.pipeline import Pipeline, Rendered, Task
from blendgen.scene.row import Row
from blendgen.spec.output import Output
from blendgen.spec.render import RenderSettings
from blendgen.system.machine import cores
from blendgen.system.memory_events import out_of_memory
from blendgen.system.stop_signals import ignore_stop_signals
from blendgen.system.tuning import keep_freed_memory
from blendgen.system.wheel import missing_bpy_message, require_libraries
from blendgen.workers.film_store import FilmStore, RememberingEngine
from blendgen.workers.job import Job, load_job
from blendgen.workers.share import Share
from blendgen.workers.spawn import Steps

_RENDERS_AFTER_S = 0.4
Result = TypeVar("Result")


class Made(NamedTuple):
    """The images of a shot.

    rows: of those that are written; failures: those that cannot be made
    identity: of the engine; {} if it did not survive
    seconds: from the beginning of the shot until its files were written, or it failed
    """

    rows: list[Row]
    failures: list[FailedImage]
    identity: dict[str, str]
    seconds: float = 0.0


class _Worker:
    """began_s: when shots that are not written yet began

    engine: of the pipeline; it stays from job to job in a process that is kept
    damaged: an error may have left things in Blender that a later shot would show
    """

    job: Job
    device: Device
    pipeline: Pipeline | None = None
    engine: Any = None
    identity: dict[str, str]
    began_s: ClassVar[dict[int, float]] = {}
    damaged: bool = False


def initialize(job_file: Path, share: Share) -> None:
    """Prepare this process for a job, perhaps not the first one.

    The first task loads Blender: if that fails, the parent gets a message instead of a crash.
    """
    ignore_stop_signals()
    keep_freed_memory()
    _Worker.pipeline = None
    os.environ |= blender_environment(job_file.parent)
    job = load_job(job_file)
    _Worker.job = replace(job, threads=job.threads or share.threads)
    _Worker.device = share.device
    try:
        redirect_output(_Worker.job.log)
    except OSError as error:
        raise_if_passing(_Worker.job.log, error)
        raise EngineError(f"{_Worker.job.log}: cannot be written: {error.strerror or error}") from None


def load(task: Task) -> None:
    """Before a task: load Blender, if this process has not; raises BlendgenError."""
    run_step(task, _sound_pipeline)


def render(task: Task) -> Rendered | list[FailedImage]:
    """The first step of a task: draw, render and annotate its shot; fails as with_sound_pipeline does."""
    _Worker.began_s[task.shot_index] = time.monotonic()
    return with_sound_pipeline(task, lambda pipeline: pipeline.rendered(task))


def write(rendered: Rendered | list[FailedImage]) -> Made:
    """The second step: develop and write the images of a shot, without Blender; fails as `render` does."""
    shot = rendered[0].shot_index if isinstance(rendered, list) else rendered.task.shot_index
    began_s = _Worker.began_s.pop(shot)
    rows, failures = ([], rendered) if isinstance(rendered, list) else _written(rendered)
    return Made(rows, failures, _Worker.identity, time.monotonic() - began_s)


def not_rendered(job: Job, task: Task, reason: Reason, message: str) -> list[FailedImage]:
    """The images of a shot on which Blender failed; the message also names the subject, a likely cause."""
    index = task.shot_index if job.sweep is None else job.sweep.index_for("products", task.shot_index)
    subject = subject_variant(job.class_table, job.spec.seed, index).product
    message = f"{message} (the subject is {subject})"
    return failed_together(task.image_indices, task.shot_index, reason, message)


IMAGES = Steps(render, write, load)


def with_sound_pipeline(task: Task, step: Callable[[Pipeline], Result]) -> Result | list[FailedImage]:
    """The result of a step that uses Blender; or the images of the task, if their shot cannot be made.

    An exception of Blender or a library fails this shot alone; its traceback is in the log.
    raises: BlendgenError for whatever concerns all shots
    """
    pipeline = run_step(task, _sound_pipeline)
    try:
        return run_step(task, lambda: step(pipeline))
    except InfeasibleShot as infeasible:
        return failed_images(task.image_indices, infeasible)
    except EngineError as error:
        _Worker.damaged = True
        return not_rendered(_Worker.job, task, Reason.RENDER_FAILED, str(error))


def run_step(task: Task, step: Callable[[], Result]) -> Result:
    """The result of step().

    raises: BlendgenError, of which DiskUnavailable and OutOfMemory do not blame the shot; any other exception
        becomes one that names the shot, with its traceback in the log
    """
    try:
        return step()
    except BlendgenError:
        raise
    except Exception as error:
        with suppress(OSError):  # the disk of the log is full
            traceback.print_exc()
        if isinstance(error, MemoryError):
            raise out_of_memory(f"shot {task.shot_index}", ", or use fewer --workers") from error
        raise_if_passing(Path(getattr(error, "filename", None) or _Worker.job.folder), error)
        message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise EngineError(f"shot {task.shot_index}: {message}; see {_Worker.job.log}") from error


def worker_job() -> Job:
    """The job that this worker process was started for."""
    return _Worker.job


def _sound_pipeline() -> Pipeline:
    """As worker_pipeline, but a new one after an error; it resets Blender."""
    if _Worker.damaged:
        _Worker.pipeline = _Worker.engine = None
        _Worker.damaged = False
    return worker_pipeline()


def worker_pipeline() -> Pipeline:
    """The pipeline of this process; built for its job on the first call."""
    if _Worker.pipeline is None:
        pipeline = pipeline_for(_Worker.job, _Worker.device)
        _Worker.identity = pipeline.engine.identity()
        _Worker.pipeline = pipeline
    return _Worker.pipeline


def _written(rendered: Rendered) -> tuple[list[Row], list[FailedImage]]:
    try:
        return run_step(rendered.task, lambda: _develop_and_write(rendered)), []
    except EngineError as error:
        return [], not_rendered(_Worker.job, rendered.task, Reason.RENDER_FAILED, str(error))


def _develop_and_write(rendered: Rendered) -> list[Row]:
    layout, output = Layout(_Worker.job.folder), _Worker.job.spec.output
    return [write_frame(layout, frame, output) for frame in worker_pipeline().developed(rendered)]


def redirect_output(log: Path) -> None:
    """Redirect all output of this process, from Python or C, to a file."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    faulthandler.enable()


def pipeline_for(job: Job, device: Device = CPU) -> Pipeline:
    """The pipeline of a job; loads Blender into this process."""
    spec = job.spec
    engine = _engine_of_process(job, device)
    if job.films is not None:
        engine = RememberingEngine(engine, FilmStore(job.films), job)
    _load_during_first_render("scipy.ndimage")
    denoiser = _denoiser(job.threads or cores()) if spec.render.denoise else None
    developer = Developer(denoiser, spec.exposures_per_shot)
    return Pipeline(spec, job.catalog, job.class_table, engine, developer, job.sweep)


@cache  # the library keeps the memory of each
def _denoiser(threads: int) -> Denoiser:
    return Denoiser(threads)


def _engine_of_process(job: Job, device: Device) -> Any:
    """The engine that rendered the job before, if it can go on with this one, or a new one."""
    before, _Worker.engine = _Worker.engine, None  # it has gone if an error occurs here
    reused = before is not None and before.take_catalog(job.catalog, *_engine_options(job, device))
    _Worker.engine = before if reused else blender_engine(job, device)
    return _Worker.engine


def _load_during_first_render(name: str) -> None:
    """Import a module in a thread once Cycles renders and releases the GIL. Earlier it would delay the
    render, and together with the import of bpy it would deadlock."""
    timer = threading.Timer(_RENDERS_AFTER_S, importlib.import_module, (name,))
    timer.daemon = True
    timer.start()


def blender_engine(job: Job, device: Device = CPU):
    """The Blender engine of a job; raises SetupError with the way out where Blender does not load."""
    try:
        from blendgen.engine.blender.session.engine import BlenderEngine
    except ImportError as error:
        require_libraries()
        if isinstance(error, ModuleNotFoundError) and error.name == "bpy":
            raise SetupError(missing_bpy_message()) from None
        raise SetupError(f"Blender cannot be loaded: {error}") from None
    return BlenderEngine(job.catalog, *_engine_options(job, device))


def _engine_options(job: Job, device: Device) -> tuple[RenderSettings, int, int, Output, Device]:
    max_lamps = int(job.spec.lighting.lamps.count.support()[1])
    return job.spec.render, max_lamps, job.threads, job.spec.output, device
