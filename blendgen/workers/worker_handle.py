"""Worker handle: a worker process in the parent: its pending tasks, and when it last sent a message."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from blendgen.engine.base import EngineError
from blendgen.errors import ExitCode
from blendgen.pipeline import Task
from blendgen.spec.render import REFERENCE_SAMPLES
from blendgen.workers.child import END, REST, run_worker
from blendgen.workers.early_worker import EarlyWorker
from blendgen.workers.job import Job
from blendgen.workers.share import Share
from blendgen.workers.spawn import Steps, WorkerSetup, spawn

# the first task loads bpy; an early worker loads it within this time
_START_TIMEOUT_S = 300.0
_EXIT_TIMEOUT_S = 5.0
# a shot that takes longer hangs: ten minutes, plus its samples at a hundredth of one core's usual speed
_TIMEOUT_S, _SLOWEST_SAMPLES_PER_S = 600.0, 2000.0


class WorkersKilled(EngineError):
    """Somebody, or the system, kills one worker after the other; the same command continues later."""

    exit_code = ExitCode.RETRY


@dataclass(frozen=True, eq=False)
class PendingTask:
    """A task of the pool that has no result yet; crashes: how many workers it may have crashed."""

    task: Task
    number: int
    crashes: int = 0

    @property
    def is_suspect(self) -> bool:
        return self.crashes > 0


@dataclass(eq=False)
class WorkerHandle:
    """One worker process and its pending tasks by number; make it with `start_worker`.

    started: when it started tasks, by number; began_s: when the process started
    task_count: tasks sent to it so far; draining: it gets no further tasks
    may_rest: it is kept for another job when it has nothing left to do
    hung, starved: it was killed because it was silent, or because memory ran out
    """

    share: Share
    process: Any
    pipe: Any
    pending: dict[int, PendingTask] = field(default_factory=dict)
    started: dict[int, float] = field(default_factory=dict)
    task_count: int = 0
    ready: bool = False
    draining: bool = False
    may_rest: bool = False
    hung: bool = False
    starved: bool = False
    began_s: float = field(default_factory=time.monotonic)
    _shutdown_sent: bool = False
    _last_message_s: float = field(default_factory=time.monotonic)

    def submit(self, pending: PendingTask) -> None:
        if not self.pending:
            self._last_message_s = time.monotonic()
        self.pending[pending.number] = pending
        self.task_count += 1
        self._send((pending.number, pending.task))

    def shut_down(self) -> None:
        """Let it finish the tasks that it has started, and then end, or rest."""
        self.draining = True
        if not self._shutdown_sent:
            self._shutdown_sent = True
            self._send(REST if self.may_rest else END)

    def note_message(self) -> None:
        self._last_message_s = time.monotonic()

    def allow_silence(self, seconds: float) -> None:
        """Do not count so much of the time since its last message."""
        self._last_message_s += seconds

    def kill_if_hung(self, timeout_s: Callable[[Task], float]) -> None:
        """Kill it if it has been silent for longer than timeout_s of any of its tasks."""
        limit_s = _START_TIMEOUT_S
        if self.ready:
            limit_s = max((timeout_s(p.task) for p in self.pending.values()), default=float("inf"))
        if time.monotonic() - self._last_message_s > limit_s:
            self.hung = True
            self.process.kill()

    def suspects(self) -> list[PendingTask]:
        """The tasks that may have crashed it, once it has ended."""
        started = [pending for number, pending in self.pending.items() if number in self.started]
        return started or list(self.pending.values())

    @property
    def was_killed(self) -> bool:
        """Whether somebody, or the system for lack of memory, has ended it by SIGKILL."""
        return self.process.exitcode == -getattr(signal, "SIGKILL", 0) and not self.hung

    def exit_reason(self) -> str:
        """Why it ended, in words."""
        if self.hung:
            return "it did not finish in time"
        return "memory ran out" if self.starved else end_of_process(self.process.exitcode or 0)

    def reap(self) -> None:
        """Wait until the process has ended, kill it if it does not, and close its pipe."""
        self.process.join(_EXIT_TIMEOUT_S)
        self.process.kill()
        self.process.join()
        self.pipe.close()

    def _send(self, message) -> None:
        with contextlib.suppress(OSError):  # it has just died: the next read from the pipe reports that
            self.pipe.send(message)


def end_of_process(code: int) -> str:
    """Why a process with this exit code of multiprocessing ended, in words."""
    if hasattr(signal, "SIGKILL") and code == -signal.SIGKILL:
        return "SIGKILL, perhaps because memory ran out"
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


class WorkerWatch(Protocol):
    """What the pool calls as worker processes come and go."""

    def worker_started(self, worker: WorkerHandle) -> None:
        """A process has started."""

    def worker_ended(self, worker: WorkerHandle) -> None:
        """A process has ended, for whatever reason, and is reaped."""


def start_worker(
    share: Share, job_file: Path, initialize: Callable, steps: Steps, early_worker: EarlyWorker
) -> WorkerHandle:
    """A worker process with its share of the machine: the early worker if it is still free, or a new one."""
    setup = WorkerSetup(job_file, share, initialize, steps)
    early = early_worker.take_over(setup)
    may_rest = early is not None and early_worker.keeps
    return WorkerHandle(share, *(early or spawn(run_worker, setup)), may_rest=may_rest)


def timeout_s(job: Job, task: Task) -> float:
    """How long a shot may take before its worker counts as hung."""
    width, height = job.spec.resolution
    samples = width * height * (job.spec.render.samples_per_pixel or REFERENCE_SAMPLES)
    return _TIMEOUT_S + samples / _SLOWEST_SAMPLES_PER_S + len(task.image_indices)
