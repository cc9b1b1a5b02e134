"""Pool: worker processes on this machine, fed and watched by the parent.

In: tasks. Out: rows, in the order of finishing. The parent never imports bpy. A worker that
crashes or hangs is replaced and its task tried again; a task that fails three times stops the
run. On the first signal no further task is started and what is in hand is finished; on the
second the workers are killed.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

from pebble import ProcessExpired, ProcessPool

from blendgen.engine.base import EngineError
from blendgen.farm.job import Job
from blendgen.farm.worker import STOP_SIGNALS, produce, start
from blendgen.pipeline import Task
from blendgen.spec.presets import REFERENCE_SAMPLES

MAX_TRIES = 3
# a fresh process costs about a second; leaks of unknown size in C code end with it
SHOTS_PER_PROCESS = 2000
# a shot that takes longer hangs: ten minutes, and the time at a hundredth of one core's usual pace
_PATIENCE_S, _SLOWEST_SAMPLES_PER_S = 600.0, 2000.0


@dataclass
class StopSignal:
    """Turns SIGINT, SIGTERM and SIGHUP into flags; use as a context manager in the main thread."""

    signum: int | None = None
    count: int = 0
    _previous: dict = field(default_factory=dict)

    def __enter__(self) -> StopSignal:
        for signum in STOP_SIGNALS:
            if signal.getsignal(signum) is not signal.SIG_IGN:  # as nohup leaves SIGHUP
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
    tasks: Iterable[Task],
    stop: StopSignal,
    workers: int = 1,
    start: Callable[[Path], None] = start,
    produce: Callable[[Task], Any] = produce,
) -> Iterator[Any]:
    """Rows and engine identity of each task as it finishes (or what another `produce` gives); ends early
    when `stop` is set.

    raises: BlendgenError of a worker; EngineError where a worker keeps crashing
    """
    others = multiprocessing.active_children()
    with job.handed_over() as job_file:
        pool = ProcessPool(
            max_workers=workers,
            max_tasks=SHOTS_PER_PROCESS,
            initializer=start,
            initargs=[job_file],
            context=multiprocessing.get_context("spawn"),
        )
        try:
            yield from _feed(pool, produce, tasks, stop, workers, job)
        finally:
            _end(pool, others)


def _feed(pool: ProcessPool, produce, tasks: Iterable[Task], stop: StopSignal, workers: int, job: Job):
    fresh, again, tries = iter(tasks), [], Counter()
    running: dict = {}
    while True:
        while not stop.count and len(running) < workers + 1:
            task = again.pop() if again else next(fresh, None)
            if task is None:
                break
            tries[task] += 1
            with _signals_held_back():
                running[pool.schedule(produce, args=[task], timeout=_longest_s(job, task))] = task
        if not running:
            return
        finished, _ = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
        for future in finished:
            task = running.pop(future)
            result = _result(future, task, tries, again, job)
            if result is not None:
                del tries[task]
                yield result
        if stop.count:
            _cancel_queued(running)
        if stop.count > 1:
            return


def _result(future, task: Task, tries: Counter[Task], again: list[Task], job: Job):
    """What a task gave; None where it was cancelled or is to be tried again."""
    try:
        return future.result()
    except CancelledError:
        return None
    except BrokenProcessPool:
        raise EngineError(
            f"the worker process ended while it started (out of memory?); its last words are in {job.log}"
        ) from None
    except (ProcessExpired, TimeoutError) as error:
        if tries[task] >= MAX_TRIES:
            raise EngineError(
                f"shot {task.shot_index}: Blender crashed {MAX_TRIES} times ({_cause(error)}); "
                f"its last words are in {job.log}"
            ) from None
        again.append(task)
        return None


def _cause(error: ProcessExpired | TimeoutError) -> str:
    if isinstance(error, TimeoutError):
        return "it did not finish in time"
    code = error.exitcode or 0
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _longest_s(job: Job, task: Task) -> float:
    """How long a shot may take before it counts as hung."""
    width, height = job.spec.resolution
    samples = width * height * (job.spec.render.samples_per_pixel or REFERENCE_SAMPLES)
    return _PATIENCE_S + samples / _SLOWEST_SAMPLES_PER_S + len(task.image_indices)


@contextmanager
def _signals_held_back():
    """Processes and threads that start in here never see a stop signal: a worker's first half
    second, before it ignores them itself, included. The pool starts with its first task."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # Python would start it first, and let the signals in again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _cancel_queued(running: dict) -> None:
    for future in list(running):
        if not future.running() and not future.done():
            future.cancel()


def _end(pool: ProcessPool, others: list) -> None:
    """Workers ignore signals on purpose, so they are killed; nothing of theirs is half written."""
    pool.stop()
    for process in multiprocessing.active_children():
        if process not in others:
            process.kill()
    pool.join()
