"""Kept workers: processes that rest between jobs, with Blender and what it has loaded.

In: a number of workers. Out: an EarlyWorker for one pool after the other. A worker that has ended, or that
holds too much memory, is replaced. All of them end with their parent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import connection
from typing import Any

from blendgen.workers.child import WorkerResting
from blendgen.workers.early_worker import EarlyWorker, kill_workers, start_early_worker
from blendgen.workers.spawn import WorkerSetup
from blendgen.workers.worker_handle import WorkerHandle, end_of_process

_TASKS_PER_PROCESS = 2000  # a new process frees what C code has leaked
# to finish the shot that it renders; loading Blender again would take about as long
_RECALL_S = 2.0


@dataclass
class _Kept:
    """A process, which rests while `early` has it; stack: what it leaves behind; tasks: that it has had."""

    early: EarlyWorker
    process: Any
    stack: ExitStack
    tasks: int = 0
    killed_by_us: bool = False

    def end(self) -> None:
        """Kill it, and remove its temporary files."""
        self.process.kill()
        self.process.join()
        self.stack.close()


class KeptWorkers(EarlyWorker):
    """Make it with `kept_workers`."""

    keeps = True

    def __init__(self, count: int, note: Callable[[str], None]):
        super().__init__()
        self._count, self._note = count, note
        self._all: dict[int, _Kept] = {}  # by process id

    def start(self) -> None:
        """Start those that are missing, so that they load Blender before the next job."""
        self._remove_ended()
        while len(self._all) < self._count:
            self._start_one()

    def take_over(self, setup: WorkerSetup) -> tuple[Any, Any] | None:
        """A process that rests, or a new one; None if new ones die at once."""
        for _ in range(1 + self._count):
            self._remove_ended()
            resting = (one for one in self._all.values() if one.early.process is not None)
            taken = (next(resting, None) or self._start_one()).early.take_over(setup)
            if taken is not None:
                return taken
        return None

    def take_back(self, worker: WorkerHandle) -> None:
        one = self._all[worker.process.pid]
        one.tasks += worker.task_count
        if worker.may_rest and one.tasks < _TASKS_PER_PROCESS:
            one.early.process, one.early.pipe = worker.process, worker.pipe
        else:
            self._kill([worker])

    def recall(self, workers: list[WorkerHandle]) -> None:
        for worker in workers:
            worker.shut_down()
        busy = {worker.pipe: worker for worker in workers if worker.may_rest}
        until_s = time.monotonic() + _RECALL_S
        while busy and (seconds := until_s - time.monotonic()) > 0:
            for pipe in connection.wait(list(busy), seconds):
                message = _received(pipe)
                if message is None or isinstance(message, WorkerResting):
                    worker = busy.pop(pipe)
                    if message is not None:
                        self.take_back(worker)
        self._kill([worker for worker in workers if not self._rests(worker)])

    def end(self) -> None:
        for one in self._all.values():
            one.end()
        self._all = {}

    def _kill(self, workers: list[WorkerHandle]) -> None:
        for worker in workers:
            if worker.process.pid in self._all:
                self._all[worker.process.pid].killed_by_us = worker.process.is_alive()
        kill_workers(workers)

    def _rests(self, worker: WorkerHandle) -> bool:
        one = self._all.get(worker.process.pid)
        return one is not None and one.early.process is not None

    def _start_one(self) -> _Kept:
        with ExitStack() as stack:
            early = stack.enter_context(start_early_worker())
            started = _Kept(early, early.process, stack.pop_all())
        self._all[started.process.pid] = started
        return started

    def _remove_ended(self) -> None:
        """Forget processes that have ended, and say so where nobody asked for it."""
        for pid, one in [*self._all.items()]:
            if not one.process.is_alive():
                del self._all[pid]
                one.end()
                if one.process.exitcode and not one.killed_by_us:
                    reason = end_of_process(one.process.exitcode)
                    self._note(f"a worker process ended ({reason}); another one takes its place")


@contextmanager
def kept_workers(count: int, note: Callable[[str], None]) -> Iterator[KeptWorkers]:
    """So many workers, which start to load Blender now; they are killed at the end of the block.

    note: gets a line for the user where a worker is replaced
    raises: SetupError on a system on which no image can be made
    """
    workers = KeptWorkers(count, note)
    try:
        workers.start()
        yield workers
    finally:
        workers.end()


def _received(pipe: Any) -> Any:
    """None if the worker has ended."""
    try:
        return pipe.recv()
    except (EOFError, OSError):
        return None
