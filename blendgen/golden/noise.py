"""Noise: how much the clean images of a data set change if only the noise of path tracing changes.

In: a Job whose folder holds a data set with clean images, and its rows. Out: for each image, its deviation
with other seeds of the render. Another machine traces nearly the same paths, so this is an upper bound of
what it changes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from PIL import Image

from blendgen.dataset.failures import FailedImage
from blendgen.errors import BlendgenError, Interrupted
from blendgen.golden.pixels import Deviation, deviation
from blendgen.pipeline import Pipeline, Task
from blendgen.scene.row import Row
from blendgen.workers.job import Job
from blendgen.workers.pool import run_tasks
from blendgen.workers.spawn import Steps
from blendgen.workers.stop_signal import StopSignal
from blendgen.workers.worker import with_sound_pipeline, worker_job

_FEWEST_SEEDS, _RENDERS = 2, 8
_STEP, _MODULUS = 104_729, 2**31 - 1


@dataclass(frozen=True, eq=False)
class NoiseTask(Task):
    """An image that is rendered again with other seeds; compared as a Task, by its numbers."""

    row: Row
    seeds: int


def noise_of(job: Job, rows: Collection[Row], progress) -> dict[int, tuple[Deviation, ...]]:
    """Index -> deviations with other seeds, at least _RENDERS in all; raises BlendgenError, Interrupted after
    a signal."""
    seeds = max(_FEWEST_SEEDS, -(-_RENDERS // max(1, len(rows))))
    tasks = [NoiseTask(row.shot_index, (row.index,), row, seeds) for row in rows]
    progress.begin(len(tasks), "image")
    measured: dict[int, tuple[Deviation, ...]] = {}
    with StopSignal() as stop:
        for index, result in run_tasks(job, tasks, stop, 1, steps=Steps(with_other_seeds)):
            if isinstance(result, list):
                raise BlendgenError(f"image {index}: cannot be rendered again: {result[0].message}")
            measured[index] = result
            progress.advance(1)
        if stop.signum is not None:
            raise Interrupted(stop.signum, "stopped; no golden files were written")
    return measured


def with_other_seeds(task: NoiseTask) -> tuple[int, tuple[Deviation, ...] | list[FailedImage]]:
    """(index, deviations) of an image; runs in a worker process."""
    return task.row.index, with_sound_pipeline(task, lambda pipeline: _deviations(pipeline, task))


def _deviations(pipeline: Pipeline, task: NoiseTask) -> tuple[Deviation, ...]:
    row = task.row
    with Image.open(worker_job().folder / row.files["clean"].name) as opened:
        clean = np.asarray(opened.convert("RGB"))
    seeds = [(row.shot.render_seed + _STEP * (number + 1)) % _MODULUS for number in range(task.seeds)]
    shots = [row.shot.model_copy(update={"render_seed": seed}) for seed in seeds]
    return tuple(deviation(clean, pipeline.clean_picture(shot, row.exposure)) for shot in shots)
