"""Pool: worker processes on this machine; the parent sends them tasks and watches them.

In: tasks. Out: the result of each, in the order in which they finish. The parent never imports bpy. A
worker that crashes or hangs is replaced. The tasks that it had started are suspect: each is tried again by
a worker without other pending tasks, so that the right shot is blamed; a shot that crashes three workers has
the result that the caller gives it, or the run stops. It also stops where somebody else kills the workers.
Tasks that a worker had not started go to other workers. If the system killed it because memory ran out, no
shot is blamed, and the run goes on with one worker fewer. A worker that has rendered many shots, or holds
much memory, is replaced between shots. After the first signal, or near the time limit, no further task starts
and pending ones finish; after the second, or when the time is over, the workers are killed.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import replace
from functools import partial
from multiprocessing import connection
from pathlib import Path
from typing import Any

from blendgen.dataset.suspects import Suspects
from blendgen.engine.base import EngineError
from blendgen.pipeline import Task
from blendgen.system.machine import cores, free_memory_bytes, own_cores
from blendgen.system.time_limit import TimeLimit
from blendgen.workers.child import TaskError, TaskResult, TaskStarted, WorkerReady, WorkerResting
from blendgen.workers.early_worker import EarlyWorker, kill_workers
from blendgen.workers.job import Job
from blendgen.workers.memory import MemoryWatch
from blendgen.workers.outside_kills import OutsideKills
from blendgen.workers.share import Share, estimated_bytes, max_rendered_pixels, memory_limit, shares
from blendgen.workers.spawn import Steps
from blendgen.workers.stop_signal import StopSignal
from blendgen.workers.worker import IMAGES, initialize
from blendgen.workers.worker_handle import (
    PendingTask,
    WorkerHandle,
    WorkersKilled,
    WorkerWatch,
    start_worker,
    timeout_s,
)

MAX_CRASHES = 3
# a new process costs about a second, and frees what C code has leaked
SHOTS_PER_PROCESS = 2000
# one renders while the other is finished in the second thread
_PENDING_PER_WORKER = 2
_POLL_S = 0.2


def run_tasks(
    job: Job,
    tasks: Iterable[Task],
    stop: StopSignal,
    workers: int = 1,
    initialize: Callable[[Path, Share], None] = initialize,
    steps: Steps = IMAGES,
    early_worker: EarlyWorker | None = None,
    crashed: Callable[[Task, str], Any] | None = None,
    watch: WorkerWatch | None = None,
    suspects: Suspects | None = None,
    one_by_one: bool = False,
    time_limit: TimeLimit | None = None,
) -> Generator[Any, None, None]:
    """Results of the tasks as they finish: rows and engine identity, or those of other `steps`.

    Ends early once `stop` is set, or in time for `time_limit`.
    early_worker: becomes the first worker, if there is one
    crashed: gets a task that crashed too many workers, and a message; returns its result. None: raise
    watch: called as worker processes start and end
    suspects: keeps which shots are being rendered; one_by_one: a worker has one task at a time
    raises: BlendgenError of a worker; EngineError if workers keep crashing
    """
    estimate = estimated_bytes(max_rendered_pixels(job.spec))
    limit = memory_limit(workers, free_memory_bytes(), estimate)
    free_shares = shares(workers, cores(), own_cores(), job.devices, limit)
    early_worker = early_worker or EarlyWorker()
    with job.temporary_file() as job_file:
        setup: dict[str, Any] = {"job_file": job_file, "initialize": initialize, "steps": steps}
        start = partial(start_worker, **setup, early_worker=early_worker)
        pool = _Pool(job, tasks, free_shares, start, crashed, watch, suspects, time_limit)
        pool.early_worker, pool.pending_per_worker = early_worker, 1 if one_by_one else _PENDING_PER_WORKER
        try:
            yield from pool.results(stop)
        finally:
            pool.end(recall=stop.signum is None)


class _Pool:
    """free_shares: those that no worker has; a worker that ends gives its share back."""

    pending_per_worker = _PENDING_PER_WORKER
    early_worker = EarlyWorker()

    def __init__(
        self,
        job: Job,
        tasks: Iterable[Task],
        free_shares: list[Share],
        start_worker: Callable[[Share], WorkerHandle],
        crashed: Callable[[Task, str], Any] | None = None,
        watch: WorkerWatch | None = None,
        suspects: Suspects | None = None,
        time_limit: TimeLimit | None = None,
    ):
        self._record = suspects or Suspects()
        self._job, self._start_worker, self._crashed, self._watch = job, start_worker, crashed, watch
        self._time_limit = time_limit or TimeLimit()
        self._free_shares = deque(free_shares)
        self._workers: list[WorkerHandle] = []
        self._new = (self._pending(number, task) for number, task in enumerate(tasks))
        self._returned: deque[PendingTask] = deque()
        self._suspects: deque[PendingTask] = deque()
        self._failed_starts = 0
        self._memory, self._outside = MemoryWatch(), OutsideKills()

    def results(self, stop: StopSignal) -> Iterator[Any]:
        while stop.count < 2 and not self._time_limit.is_over():
            stopping = bool(stop.count) or self._time_limit.is_near()
            if stopping:
                self._record.stopped()
                for worker in self._workers:
                    worker.shut_down()
            else:
                self._submit_tasks()
            if not self._workers:
                return
            for worker in self._workers_with_messages():
                for result in self._receive(worker, stopping):
                    began_s = time.monotonic()
                    yield result
                    self._allow_silence(time.monotonic() - began_s)
            for worker in self._workers:
                worker.kill_if_hung(partial(timeout_s, self._job))

    def end(self, recall: bool) -> None:
        """Kill all workers; recall: but for those that are kept, and rest soon."""
        (self.early_worker.recall if recall else kill_workers)(self._workers)

    def _submit_tasks(self) -> None:
        """Give every worker a first task, then a second, and shut down those without any."""
        starts = not self._time_limit.is_near_for_start()
        self._time_limit.reached |= not starts and not self._workers
        while starts and self._free_shares and (pending := self._next()) is not None:
            worker = self._start_worker(self._free_shares.popleft())
            self._workers.append(worker)
            if self._watch is not None:
                self._watch.worker_started(worker)
            worker.submit(pending)
        for count in range(self.pending_per_worker):
            for worker in self._workers:
                if len(worker.pending) <= count and self._can_take_more(worker):
                    pending = self._next(idle_worker=not worker.pending)
                    if pending is not None:
                        worker.submit(pending)
        for worker in self._workers:
            if not worker.pending:
                worker.shut_down()

    def _can_take_more(self, worker: WorkerHandle) -> bool:
        """A worker that runs a suspect gets no second task."""
        return not worker.draining and not any(pending.is_suspect for pending in worker.pending.values())

    def _pending(self, number: int, task: Task) -> PendingTask:
        return PendingTask(task, number, self._record.crashes.get(task.shot_index, 0))

    def _next(self, idle_worker: bool = True) -> PendingTask | None:
        if idle_worker and self._suspects and not self._outside.are_possible:
            return self._suspects.popleft()
        other = self._returned.popleft() if self._returned else next(self._new, None)
        return self._suspects.popleft() if other is None and idle_worker and self._suspects else other

    def _allow_silence(self, busy_s: float) -> None:
        """While the caller works on a result, nobody reads what the workers send."""
        for worker in self._workers:
            worker.allow_silence(busy_s)

    def _workers_with_messages(self) -> list[WorkerHandle]:
        pipes = connection.wait([worker.pipe for worker in self._workers], _POLL_S)
        return [worker for worker in self._workers if worker.pipe in pipes]

    def _receive(self, worker: WorkerHandle, stopping: bool) -> Iterator[Any]:
        try:
            message = worker.pipe.recv()
        except (EOFError, OSError):
            yield from self._remove(worker, stopping)
            return
        worker.note_message()
        match message:
            case WorkerReady():
                worker.ready, self._failed_starts = True, 0
            case TaskStarted(number):
                worker.started[number] = time.monotonic()
                self._record.started(worker.pending[number].task.shot_index)
            case TaskError(error):
                raise error
            case WorkerResting():
                self._release(worker)
                self._free_shares.append(worker.share)
                self.early_worker.take_back(worker)
            case TaskResult(number, result, resident_bytes):
                self._note_duration(worker, number)
                self._memory.note_result()
                shot = worker.pending.pop(number).task.shot_index
                self._record.ended(shot)
                self._outside.made(shot)
                too_large = resident_bytes > worker.share.memory_bytes
                if too_large or worker.task_count >= SHOTS_PER_PROCESS:
                    worker.draining, worker.may_rest = True, False
                yield result

    def _release(self, worker: WorkerHandle) -> None:
        """Forget a worker that has ended, or rests."""
        self._workers.remove(worker)
        if self._watch is not None:
            self._watch.worker_ended(worker)

    def _note_duration(self, worker: WorkerHandle, number: int) -> None:
        now_s = time.monotonic()
        if worker.task_count == len(worker.pending):  # its first result
            self._time_limit.start_took(now_s - worker.began_s)
        self._time_limit.shot_took(now_s - worker.started.get(number, now_s))

    def _remove(self, worker: WorkerHandle, stopping: bool) -> Iterator[Any]:
        """Reap a worker that has ended, and queue its pending tasks again; the results of those that are not
        tried again."""
        worker.reap()
        self._release(worker)
        if self._memory.killed(worker) and not stopping:
            self._try_with_less(worker)
            return
        self._free_shares.append(worker.share)
        if stopping:
            return
        if not worker.ready:
            self._count_failed_start(worker)
        suspects = worker.suspects() if worker.ready else []
        if worker.was_killed and worker.ready:
            are_known = all(pending.is_suspect for pending in suspects)
            self._outside.note((pending.task.shot_index for pending in suspects), are_known)
        for pending in worker.pending.values():
            if pending in suspects:
                pending = replace(pending, crashes=pending.crashes + 1)
            if pending.crashes >= MAX_CRASHES:
                yield self._result_of_crash(pending, worker)
                self._record.ended(pending.task.shot_index)
                continue
            # a crash repeats itself in later runs; kills by others would hit a good shot sooner or later
            self._record.crashed(pending.task.shot_index, 0 if worker.was_killed else pending.crashes)
            (self._suspects if pending.is_suspect else self._returned).append(pending)

    def _try_with_less(self, worker: WorkerHandle) -> None:
        """Use one worker fewer after one was killed for memory, or a single one with one shot at a time.

        raises: OutOfMemory if neither helps
        """
        others = len(self._workers) + len(self._free_shares)
        if others:
            self._memory.note_fewer(others)
        else:
            self._memory.count_kill()
            self._free_shares.append(worker.share)
        suspects = [] if others or not worker.ready else worker.suspects()
        for pending in worker.pending.values():
            if pending in suspects and not pending.is_suspect:
                pending = replace(pending, crashes=1)  # not counted for later runs
            self._record.crashed(pending.task.shot_index, 0)
            (self._suspects if pending.is_suspect else self._returned).append(pending)

    def _count_failed_start(self, worker: WorkerHandle) -> None:
        self._failed_starts += 1
        if self._failed_starts >= MAX_CRASHES:
            raise (WorkersKilled if worker.was_killed else EngineError)(
                f"the worker process ended while it started (out of memory?): {worker.exit_reason()}; "
                f"its last output is in {self._job.log}"
            )

    def _result_of_crash(self, pending: PendingTask, worker: WorkerHandle) -> Any:
        """The result of a task that has crashed too many workers; raises EngineError if there is none, or if
        somebody else has killed them."""
        if worker.was_killed and self._outside.were_seen:
            raise WorkersKilled(
                "somebody kills worker processes (SIGKILL), whatever they render; run the same command to "
                "continue"
            )
        message = (
            f"shot {pending.task.shot_index}: Blender crashed {MAX_CRASHES} times "
            f"({worker.exit_reason()}); its last output is in {self._job.log}"
        )
        if self._crashed is None:
            raise EngineError(message)
        return self._crashed(pending.task, message)
