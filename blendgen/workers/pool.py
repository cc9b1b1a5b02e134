"""Pool: worker processes on this machine, fed and watched by the parent.

In: tasks. Out: what became of each, in the order of finishing. The parent never imports bpy. A worker
that crashes or hangs is replaced. What it had begun is suspect and tried again by a worker that has
nothing else in hand, so that the blame falls on the right shot; a shot that fails three times stops
the run. What it had not begun goes to others. A worker that has done many shots, or holds much
memory, is replaced between shots. On the first signal no further task is begun and what is in hand is
finished; on the second the workers are killed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from multiprocessing import connection
from pathlib import Path
from typing import Any

from blendgen.engine.base import EngineError
from blendgen.pipeline import Task
from blendgen.spec.presets import REFERENCE_SAMPLES
from blendgen.system.machine import cores, free_memory_bytes, own_cores
from blendgen.workers.child import Answer, Begun, Failure, Ready
from blendgen.workers.early_worker import EarlyWorker
from blendgen.workers.job import Job
from blendgen.workers.share import (
    Share,
    automatic_workers,
    max_rendered_pixels,
    memory_limit,
    shares,
    worker_bytes,
)
from blendgen.workers.spawn import Steps
from blendgen.workers.stop_signal import StopSignal
from blendgen.workers.worker import IMAGES, start
from blendgen.workers.worker_handle import Assignment, Hand, hire

MAX_TRIES = 3
# a fresh process costs about a second; leaks of unknown size in C code end with it
SHOTS_PER_PROCESS = 2000
# the one that is rendered, and the one that is finished beside it
_IN_HAND = 2
_LISTEN_S = 0.2
# a shot that takes longer hangs: ten minutes, and the time at a hundredth of one core's usual pace
_PATIENCE_S, _SLOWEST_SAMPLES_PER_S = 600.0, 2000.0


def run_tasks(
    job: Job,
    tasks: Iterable[Task],
    stop: StopSignal,
    workers: int = 1,
    start: Callable[[Path, Share], None] = start,
    steps: Steps = IMAGES,
    early_worker: EarlyWorker | None = None,
) -> Iterator[Any]:
    """Rows and engine identity of each task as it finishes (with other `steps`, their result); ends early
    when `stop` is set.

    early_worker: the first worker, where one waits already

    raises: BlendgenError of a worker; EngineError where a worker keeps crashing
    """
    limit = memory_limit(workers, free_memory_bytes(), _each_bytes(job))
    places = shares(workers, cores(), own_cores(), job.devices, limit)
    with job.temporary_file() as job_file:
        order = {"job_file": job_file, "start": start, "steps": steps}
        pool = _Pool(job, tasks, places, partial(hire, **order, early_worker=early_worker or EarlyWorker()))
        try:
            yield from pool.answers(stop)
        finally:
            pool.kill()


def choose_worker_count(job: Job, shots: int, workers: int | None) -> int:
    """No more than there are shots, so that those get all the cores; None: what fits this machine."""
    if workers is None:
        machine, engine = (cores(), free_memory_bytes(), job.devices), job.spec.render.engine
        workers = automatic_workers(shots, *machine, _each_bytes(job), engine)
    return max(1, min(workers, shots))


def _each_bytes(job: Job) -> int:
    return worker_bytes(max_rendered_pixels(job.spec))


class _Pool:
    """places: the shares of the machine that no worker has; a worker that ends gives its own back."""

    def __init__(self, job: Job, tasks: Iterable[Task], places: list[Share], hire: Callable[[Share], Hand]):
        self._job, self._hire = job, hire
        self._places, self._hands = deque(places), []
        self._fresh = (Assignment(task, number) for number, task in enumerate(tasks))
        self._again: deque[Assignment] = deque()
        self._suspects: deque[Assignment] = deque()
        self._failed_starts = 0

    def answers(self, stop: StopSignal) -> Iterator[Any]:
        while stop.count < 2:
            if stop.count:
                for hand in self._hands:
                    hand.dismiss()
            else:
                self._hand_out()
            if not self._hands:
                return
            for hand in self._heard():
                yield from self._hear(hand, bool(stop.count))
            for hand in self._hands:
                hand.kill_if_silent(partial(_longest_s, self._job))

    def kill(self) -> None:
        """Workers ignore signals on purpose, so they are killed; nothing of theirs is half written."""
        for hand in self._hands:
            hand.process.kill()
        for hand in self._hands:
            hand.bury()

    def _hand_out(self) -> None:
        """A first task for everybody, then a second; who gets none goes home."""
        while self._places and (assignment := self._next()) is not None:
            self._hands.append(self._hire(self._places.popleft()))
            self._hands[-1].give(assignment)
        for in_hand in range(_IN_HAND):
            for hand in self._hands:
                if len(hand.in_hand) <= in_hand and not self._busy(hand):
                    assignment = self._next(alone=not hand.in_hand)
                    if assignment is not None:
                        hand.give(assignment)
        for hand in self._hands:
            if not hand.in_hand:
                hand.dismiss()

    def _busy(self, hand: Hand) -> bool:
        """A suspect is tried with nothing beside it."""
        return hand.leaving or any(assignment.suspect for assignment in hand.in_hand.values())

    def _next(self, alone: bool = True) -> Assignment | None:
        if alone and self._suspects:
            return self._suspects.popleft()
        return self._again.popleft() if self._again else next(self._fresh, None)

    def _heard(self) -> list[Hand]:
        pipes = connection.wait([hand.pipe for hand in self._hands], _LISTEN_S)
        return [hand for hand in self._hands if hand.pipe in pipes]

    def _hear(self, hand: Hand, stopping: bool) -> Iterator[Any]:
        try:
            message = hand.pipe.recv()
        except (EOFError, OSError):
            self._ended(hand, stopping)
            return
        hand.note_word()
        match message:
            case Ready():
                hand.ready, self._failed_starts = True, 0
            case Begun(number):
                hand.begun.add(number)
            case Failure(error):
                raise error
            case Answer(number, result, resident_bytes):
                del hand.in_hand[number]
                hand.leaving |= hand.given >= SHOTS_PER_PROCESS or resident_bytes > hand.share.memory_bytes
                yield result

    def _ended(self, hand: Hand, stopping: bool) -> None:
        hand.bury()
        self._hands.remove(hand)
        self._places.append(hand.share)
        if stopping:
            return
        if not hand.ready:
            self._note_failed_start(hand)
        suspects = hand.suspects() if hand.ready else []
        for assignment in hand.in_hand.values():
            if assignment in suspects:
                self._suspects.append(self._tried(assignment, hand))
            else:
                (self._suspects if assignment.suspect else self._again).append(assignment)

    def _note_failed_start(self, hand: Hand) -> None:
        self._failed_starts += 1
        if self._failed_starts >= MAX_TRIES:
            raise EngineError(
                f"the worker process ended while it started (out of memory?): {hand.cause()}; "
                f"its last words are in {self._job.log}"
            )

    def _tried(self, assignment: Assignment, hand: Hand) -> Assignment:
        """Once more in vain; raises EngineError where that is once too often."""
        assignment = replace(assignment, tries=assignment.tries + 1)
        if assignment.tries >= MAX_TRIES:
            raise EngineError(
                f"shot {assignment.task.shot_index}: Blender crashed {MAX_TRIES} times ({hand.cause()}); "
                f"its last words are in {self._job.log}"
            )
        return assignment


def _longest_s(job: Job, task: Task) -> float:
    """How long a shot may take before it counts as hung."""
    width, height = job.spec.resolution
    samples = width * height * (job.spec.render.samples_per_pixel or REFERENCE_SAMPLES)
    return _PATIENCE_S + samples / _SLOWEST_SAMPLES_PER_S + len(task.image_indices)
