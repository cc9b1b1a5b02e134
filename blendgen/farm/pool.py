"""Pool: worker processes on this machine, fed and watched by the parent.

In: tasks. Out: rows, in the order of finishing. The parent never imports bpy. A worker that
crashes is replaced and its task tried again; a task that fails three times stops the run. On the
first signal no further task is started and what is in hand is finished; on the second the
workers are killed.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, wait
from dataclasses import dataclass, field

from pebble import ProcessExpired, ProcessPool

from blendgen.engine.base import EngineError
from blendgen.farm.job import Job
from blendgen.farm.worker import produce, start
from blendgen.pipeline import Task
from blendgen.shot import Row

MAX_TRIES = 3
# a fresh process costs about a second; leaks of unknown size in C code end with it
SHOTS_PER_PROCESS = 2000
# the rows of a task, and what made its pixels
Produced = tuple[list[Row], dict[str, str]]


@dataclass
class StopSignal:
    """Turns SIGINT and SIGTERM into flags; use as a context manager in the main thread."""

    signum: int | None = None
    count: int = 0
    _previous: dict = field(default_factory=dict)

    def __enter__(self) -> StopSignal:
        for signum in (signal.SIGINT, signal.SIGTERM):
            self._previous[signum] = signal.signal(signum, self._note)
        return self

    def __exit__(self, *_) -> None:
        for signum, handler in self._previous.items():
            signal.signal(signum, handler)

    def _note(self, signum, _frame) -> None:
        self.signum = self.signum or signum
        self.count += 1


def run_tasks(
    job: Job,
    tasks: list[Task],
    stop: StopSignal,
    workers: int = 1,
    start: Callable[[Job], None] = start,
    produce: Callable[[Task], Produced] = produce,
) -> Iterator[Produced]:
    """Rows and engine identity of each task as it finishes; ends early when `stop` is set.

    raises: BlendgenError of a worker; EngineError where a worker keeps crashing
    """
    pool = ProcessPool(
        max_workers=workers,
        max_tasks=SHOTS_PER_PROCESS,
        initializer=start,
        initargs=[job],
        context=multiprocessing.get_context("spawn"),
    )
    try:
        yield from _feed(pool, produce, tasks, stop, workers, job)
    finally:
        _end(pool)


def _feed(pool: ProcessPool, produce, tasks: list[Task], stop: StopSignal, workers: int, job: Job):
    waiting, tries = list(reversed(tasks)), dict.fromkeys(tasks, 0)
    running: dict = {}
    while running or (waiting and not stop.count):
        while waiting and not stop.count and len(running) < workers + 1:
            task = waiting.pop()
            tries[task] += 1
            running[pool.schedule(produce, args=[task])] = task
        finished, _ = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
        for future in finished:
            task = running.pop(future)
            result = _result(future, task, tries, waiting, job)
            if result is not None:
                yield result
        if stop.count:
            _cancel_queued(running)
        if stop.count > 1:
            return


def _result(future, task: Task, tries: dict[Task, int], waiting: list[Task], job: Job):
    """What a task gave; None where it was cancelled or is to be tried again."""
    try:
        return future.result()
    except CancelledError:
        return None
    except ProcessExpired as error:
        if tries[task] >= MAX_TRIES:
            raise EngineError(
                f"shot {task.shot_index}: Blender crashed {MAX_TRIES} times ({_cause(error)}); "
                f"its last words are in {job.log}"
            ) from None
        waiting.append(task)
        return None


def _cause(error: ProcessExpired) -> str:
    code = error.exitcode or 0
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _cancel_queued(running: dict) -> None:
    for future in list(running):
        if not future.running() and not future.done():
            future.cancel()


def _end(pool: ProcessPool) -> None:
    """Workers ignore signals on purpose, so they are killed; nothing of theirs is half written."""
    pool.stop()
    for process in multiprocessing.active_children():
        process.kill()
    pool.join()
