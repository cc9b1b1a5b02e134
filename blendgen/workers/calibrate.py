"""Calibrate: measure how many samples per pixel reach the image quality that a spec asks for.

In: a Job whose spec gives target_psnr_db and no samples. Out: the smallest power of two with which each
of a few shots is within that PSNR of its converged image. The images are compared as displayed: denoised
if the spec says so, without the sensor's noise. The result is stored in the cache.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from blendgen import __version__
from blendgen.dataset.failures import FailedImage
from blendgen.dataset.identity import digest
from blendgen.dataset.layout import Layout
from blendgen.dataset.store import read_record
from blendgen.draw.attempts import failure_error
from blendgen.draw.shot import draw_exposures, draw_feasible_shot
from blendgen.engine.base import AdjustableEngine
from blendgen.errors import BlendgenError, InfeasibleDraw, InfeasibleShot, Interrupted, Reason
from blendgen.files.scratch import scratch_folder
from blendgen.files.whole_file import whole_file
from blendgen.models.inventory import Inventory
from blendgen.models.measuring.cache import cache_folder
from blendgen.pipeline import Pipeline, Task
from blendgen.scene.film import requested
from blendgen.scene.shot import Exposure, Shot
from blendgen.spec.load import SpecFile, load_spec
from blendgen.spec.model import Spec
from blendgen.spec.output import Output
from blendgen.spec.render import REFERENCE_SAMPLES
from blendgen.system.time_limit import TimeLimit
from blendgen.system.wheel import blender_version
from blendgen.workers.job import Job
from blendgen.workers.pool import run_tasks
from blendgen.workers.share import choose_worker_count
from blendgen.workers.spawn import Steps
from blendgen.workers.stop_signal import StopSignal
from blendgen.workers.worker import not_rendered, with_sound_pipeline

SHOTS = 3
CANDIDATES = tuple(2**power for power in range(8))
_log = logging.getLogger(__name__)


def calibrate_spec(
    spec_file: SpecFile,
    inventory: Inventory,
    devices,
    say: Callable[[str], None],
    workers: int | None = 1,
    folder: Path | None = None,
    time_limit: TimeLimit | None = None,
) -> SpecFile:
    """The spec with its samples per pixel, measured now if it asks for a quality instead.

    folder: a data set that may hold images of the same spec; it continues with the samples that it was
        started with, even if this machine would measure another number
    """
    spec = spec_file.spec
    if spec.render.samples_per_pixel is not None:
        return spec_file
    samples = None if folder is None else _samples_of_dataset(Layout(folder), spec, inventory)
    if samples is None:
        samples = _cached_or_measured(spec, inventory, devices, say, workers, time_limit or TimeLimit())
    return replace(spec_file, spec=_with_samples(spec, samples))


def _with_samples(spec: Spec, samples: int) -> Spec:
    return spec.model_copy(update={"render": spec.render.model_copy(update={"samples_per_pixel": samples})})


def _samples_of_dataset(layout: Layout, spec: Spec, inventory: Inventory) -> int | None:
    """The samples of a data set, if its spec equals this one otherwise; else None."""
    try:
        samples = load_spec(layout.spec).spec.render.samples_per_pixel
    except BlendgenError:
        return None
    if samples is None:
        return None
    is_same = read_record(layout).get("digest") == digest(_with_samples(spec, samples), inventory)
    return samples if is_same else None


def _cached_or_measured(
    spec: Spec, inventory: Inventory, devices, say, workers: int | None, time_limit: TimeLimit
) -> int:
    images = digest(spec.model_copy(update={"output": Output()}), inventory)  # labels do not change images
    inputs = [images, blender_version(), __version__, [str(device) for device in devices]]
    key = hashlib.sha256(json.dumps(inputs).encode()).hexdigest()
    job = Job(spec, inventory.catalog, inventory.class_table, Path(), Path(), devices=devices)
    return calibrated_samples(job, key, say, choose_worker_count(job, SHOTS, workers), time_limit)


def calibrated_samples(
    job: Job,
    key: str,
    say: Callable[[str], None],
    workers: int = 1,
    time_limit: TimeLimit | None = None,
) -> int:
    """Samples per pixel for job.spec.render.target_psnr_db, from the cache if it has them.

    key: a hash of everything that decides the images (the data set's digest and Blender's version)
    raises: BlendgenError of a worker; Interrupted after a signal; TimeLimitReached
    """
    path = cache_folder() / "calibration" / f"{key}.json"
    calibration, target_db = _read(path), job.spec.render.target_psnr_db
    if calibration is None:
        say(f"measuring how many samples per pixel reach {target_db:g} dB, once for this spec")
        calibration = _measure(job, workers, (time_limit or TimeLimit()).for_other_work())
        _store(path, calibration)
    if not calibration["reached"]:
        most = CANDIDATES[-1]
        say(f"note: {target_db:g} dB is not reached with {most} samples per pixel; continuing with {most}")
    return calibration["samples_per_pixel"]


def _measure(job: Job, workers: int, time_limit: TimeLimit) -> dict[str, Any]:
    """The samples that the worst shot needs."""
    tasks = [Task(index, (index * job.spec.exposures_per_shot,)) for index in range(SHOTS)]
    log = cache_folder() / "calibration.log"
    log.unlink(missing_ok=True)
    with scratch_folder("calibration") as scratch, StopSignal() as stop:
        scratch_job = replace(job, folder=scratch, log=log)
        crashed = partial(_crashed, scratch_job)
        run = run_tasks(
            scratch_job, tasks, stop, workers, steps=Steps(fewest_samples), crashed=crashed,
            time_limit=time_limit,
        )  # fmt: skip
        results = list(run)
        if stop.signum is not None:
            raise Interrupted(stop.signum, "stopped before any image was made")
    if time_limit.reached and len(results) < len(tasks):
        time_limit.raise_reached()
    measured = [result for result in results if isinstance(result, tuple)]
    if not measured:
        raise _not_measured([failure for failures in results for failure in failures])
    return {
        "samples_per_pixel": max(samples for samples, _ in measured),
        "reached": all(reached for _, reached in measured),
    }


def _not_measured(failures: list[FailedImage]) -> BlendgenError:
    """The error where no shot can be made; says why the first one cannot."""
    first = min(failures, key=lambda failure: failure.index)
    return failure_error(
        first.reason,
        f"render.target_psnr_db: none of the first {SHOTS} shots can be made, so the samples cannot be "
        f"measured; give render.samples_per_pixel, or change what is wrong: {first.message}",
    )


def fewest_samples(task: Task) -> tuple[int, bool] | list[FailedImage]:
    """(samples, whether they reach the target) of one shot; or its image, if it cannot be made.

    Runs in a worker process.
    """
    return with_sound_pipeline(task, lambda pipeline: _fewest_samples(pipeline, task))


def _crashed(job: Job, task: Task, message: str) -> list[FailedImage]:
    """The result of a shot that no worker survives."""
    return not_rendered(job, task, Reason.BLENDER_CRASHED, message)


def _fewest_samples(pipeline: Pipeline, task: Task) -> tuple[int, bool]:
    """Raises InfeasibleShot."""
    try:
        shot = draw_feasible_shot(
            pipeline.spec, pipeline.catalog, pipeline.class_table, task.shot_index, pipeline.sweep
        )
        exposure, *_ = draw_exposures(pipeline.spec, shot, task.image_indices, pipeline.sweep)
        reference = _displayed(pipeline, shot, exposure, REFERENCE_SAMPLES)
    except InfeasibleDraw as draw:
        raise InfeasibleShot(task.shot_index, (draw,)) from None
    target_db = requested(pipeline.spec.render.target_psnr_db)
    for samples in CANDIDATES:
        if psnr_db(_displayed(pipeline, shot, exposure, samples), reference) >= target_db:
            return samples, True
    return CANDIDATES[-1], False


def psnr_db(picture: np.ndarray, reference: np.ndarray) -> float:
    """Peak signal-to-noise ratio of two images of (h, w, 3) uint8; inf if they are equal."""
    error = np.mean((picture.astype(np.float64) - reference.astype(np.float64)) ** 2)
    return math.inf if error == 0 else float(10 * math.log10(255**2 / error))


def _displayed(pipeline: Pipeline, shot: Shot, exposure: Exposure, samples: int) -> np.ndarray:
    """(h, w, 3) uint8 without the sensor's noise."""
    cast(AdjustableEngine, pipeline.engine).set_samples(samples)
    return pipeline.clean_picture(shot, exposure)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        calibration = json.loads(path.read_text("utf-8"))
        return calibration if {"samples_per_pixel", "reached"} <= calibration.keys() else None
    except (OSError, ValueError, AttributeError):
        return None


def _store(path: Path, calibration: dict[str, Any]) -> None:
    """Write a cache entry; if that fails, the next run only measures again."""
    try:
        with whole_file(path) as temporary:
            temporary.write_text(json.dumps(calibration), "utf-8")
    except OSError as error:
        _log.warning("%s: cannot be written: %s", path, error.strerror)
