"""Stopwatch: the time of a worker by stage; stages may be nested.

Time counts for the innermost stage only, so the stages sum to the whole. There are two clocks: wall time,
and the computing time of all threads of this process. The benchmark wraps the engine and the denoiser; the
pipeline itself does not measure anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from blendgen.develop.develop import Developer
from blendgen.engine.base import Engine
from blendgen.pipeline import Pipeline
from blendgen.scene.film import Film
from blendgen.scene.shot import Shot

RENDER, DENOISE = "render", "denoise"


@dataclass(frozen=True)
class Seconds:
    """wall: wall time; computing: computing time, summed over the cores"""

    wall: float = 0.0
    computing: float = 0.0

    def __add__(self, other: Seconds) -> Seconds:
        return Seconds(self.wall + other.wall, self.computing + other.computing)

    def __sub__(self, other: Seconds) -> Seconds:
        return Seconds(self.wall - other.wall, self.computing - other.computing)


def now() -> Seconds:
    return Seconds(time.perf_counter(), time.process_time())


class Stopwatch:
    """Seconds by stage since `clear`."""

    def __init__(self, clock: Callable[[], Seconds] = now):
        self._clock, self._open, self._since = clock, [], Seconds()
        self.spent: dict[str, Seconds] = {}

    def clear(self) -> None:
        self.spent = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time of the block for this stage, except that of stages inside it."""
        self._count()
        self._open.append(name)
        try:
            yield
        finally:
            self._count()
            self._open.pop()

    def _count(self) -> None:
        moment = self._clock()
        if self._open:
            name = self._open[-1]
            self.spent[name] = self.spent.get(name, Seconds()) + (moment - self._since)
        self._since = moment


@dataclass(frozen=True)
class TimedEngine:
    """An engine whose renders count as a stage."""

    engine: Engine
    watch: Stopwatch

    def render(self, shot: Shot) -> Film:
        with self.watch.stage(RENDER):
            return self.engine.render(shot)

    def identity(self) -> dict[str, str]:
        return self.engine.identity()


def timed(pipeline: Pipeline, watch: Stopwatch) -> Pipeline:
    """The same pipeline, with the time of its engine and denoiser counted as stages of the watch."""
    denoiser = pipeline.developer.denoiser

    def denoise(*images):
        with watch.stage(DENOISE):
            return denoiser(*images)

    developer = Developer(denoise if denoiser else None, pipeline.developer.exposures_per_shot)
    return replace(pipeline, engine=TimedEngine(pipeline.engine, watch), developer=developer)
