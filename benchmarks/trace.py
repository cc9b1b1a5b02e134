"""Trace: the stages of one shot in a worker process, and its path tracing alone.

Cycles does not report how long it sampled. So each shot is rendered with n and with 2n samples: the
difference is the time for n samples, because building, synchronising, labels and reading take the same in
both. Everything runs in one worker on all cores, one step after the other.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from benchmarks.plan import Variant, spec_of
from benchmarks.processes import usage
from benchmarks.stopwatch import DENOISE, RENDER, Seconds, Stopwatch, now, timed
from blendgen.dataset.layout import Layout
from blendgen.dataset.write import write_frame
from blendgen.develop.develop import Developer
from blendgen.errors import Interrupted
from blendgen.pipeline import Pipeline, Task
from blendgen.scene.shot import Shot
from blendgen.system.machine import resident_bytes
from blendgen.workers.job import Job
from blendgen.workers.pool import run_tasks
from blendgen.workers.spawn import Steps
from blendgen.workers.stop_signal import StopSignal
from blendgen.workers.worker import run_step, worker_job, worker_pipeline

DRAW, DEVELOP, WRITE = "draw and annotate", "develop", "encode and write"
TRACING, BUILDING = "path tracing", "build and synchronise"
# in the order of a shot
STAGES = (DRAW, BUILDING, TRACING, DENOISE, DEVELOP, WRITE)


@dataclass(frozen=True)
class Trial(Task):
    """A shot to trace; pairs: number of renders with n and with 2n samples."""

    variant: Variant
    pairs: int = 0


@dataclass(frozen=True)
class Trace:
    """The time of a shot.

    spent: by stage, with RENDER as one; sampling: of the shot, None if it was not measured
    peak_bytes: largest memory of the worker so far
    """

    trial: Trial
    images: int
    spent: dict[str, Seconds]
    sampling: Seconds | None
    peak_bytes: int = 0

    @property
    def total(self) -> Seconds:
        return sum(self.spent.values(), Seconds())

    def stages(self) -> dict[str, Seconds]:
        """Seconds by STAGES, which sum to the total. Without sampling, the whole render is building."""
        spent = dict(self.spent)
        render = spent.pop(RENDER, Seconds())
        tracing = _least(render, self.sampling or Seconds())
        return {name: Seconds() for name in STAGES} | spent | {TRACING: tracing, BUILDING: render - tracing}


def sampling(single: list[Seconds], double: list[Seconds]) -> Seconds:
    """The time for n samples, from renders with n and with 2n: the difference of the medians, at least 0."""
    wall, computing = (
        max(0.0, median(getattr(s, clock) for s in double) - median(getattr(s, clock) for s in single))
        for clock in ("wall", "computing")
    )
    return Seconds(wall, computing)


def trials(variant: Variant, shots: Iterable[int], pairs: int = 0) -> list[Trial]:
    """Trials of some shots, each with all its images."""
    many = variant.exposures
    return [Trial(i, tuple(range(i * many, (i + 1) * many)), variant, pairs) for i in shots]


def traced(job: Job, tasks: list[Trial]) -> list[Trace]:
    """Trace in one fresh worker process, one after the other; raises BlendgenError, Interrupted."""
    return _results(job, tasks, trace)


def session(job: Job, tasks: list[Task]) -> list[tuple[float, int]]:
    """(seconds, resident bytes afterwards) of each shot of a long session in one process."""
    return _results(job, tasks, work_through)


def _results(job: Job, tasks: list, produce) -> list:
    with StopSignal() as stop:
        results = list(run_tasks(job, tasks, stop, steps=Steps(produce)))
        if stop.signum is not None:
            raise Interrupted(stop.signum, "stopped; no measurement is complete")
    return results


def trace(trial: Trial) -> Trace:
    """Runs in a worker process."""
    return run_step(trial, lambda: _trace(trial))


def work_through(task: Task) -> tuple[float, int]:
    """Runs in a worker process."""
    return run_step(task, lambda: _work_through(task))


def _trace(trial: Trial) -> Trace:
    watch = Stopwatch()
    pipeline = _pipeline(trial.variant)
    pipeline.engine.set_samples(trial.variant.samples)
    rendered = pipeline.rendered(trial)
    list(pipeline.developed(rendered))  # loads meshes and libraries
    alone = _sampling(pipeline, rendered.shot, trial) if trial.pairs else None
    pipeline = timed(pipeline, watch)
    with watch.stage(DRAW):
        rendered = pipeline.rendered(trial)
    with watch.stage(DEVELOP):
        frames = list(pipeline.developed(rendered))
    with watch.stage(WRITE):
        for frame in frames:
            write_frame(Layout(worker_job().folder), frame, pipeline.spec.output)
    return Trace(trial, len(frames), watch.spent, alone, usage(os.getpid()).peak_bytes)


def _pipeline(variant: Variant) -> Pipeline:
    """The pipeline of this process with another spec; engine and meshes stay loaded."""
    own = worker_pipeline()
    developer = Developer(own.developer.denoiser, variant.exposures)
    spec = spec_of(own.spec, variant)
    return Pipeline(spec, own.catalog, own.class_table, own.engine, developer)


def _sampling(pipeline: Pipeline, shot: Shot, trial: Trial) -> Seconds:
    spent: dict[int, list[Seconds]] = {1: [], 2: []}
    for pair in range(trial.pairs):
        for factor in (1, 2) if pair % 2 else (2, 1):
            pipeline.engine.set_samples(factor * trial.variant.samples)
            began = now()
            pipeline.engine.render(shot)
            spent[factor].append(now() - began)
    pipeline.engine.set_samples(trial.variant.samples)
    return sampling(spent[1], spent[2])


def _least(a: Seconds, b: Seconds) -> Seconds:
    return Seconds(min(a.wall, b.wall), min(a.computing, b.computing))


def _work_through(task: Task) -> tuple[float, int]:
    pipeline, layout = worker_pipeline(), Layout(worker_job().folder)
    began = time.perf_counter()
    for frame in pipeline.frames(task):
        write_frame(layout, frame, pipeline.spec.output)
    return time.perf_counter() - began, resident_bytes()
