"""Child: the main loop of a worker process, which receives tasks through a pipe and sends results back.

Blender must be used in the main thread, and releases the GIL while it renders. The second step of a task
(`Steps.finish`) therefore runs in another thread while the first step of the next task renders. The parent
sends two tasks at a time, which limits the films in memory. Each message names its task, so that after a
crash the parent knows which tasks the worker had started. A worker that is asked to rest instead of to end
waits for the setup of another job.
"""

from __future__ import annotations

import importlib
import os
import pickle
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from blendgen.engine.base import EngineError
from blendgen.errors import BlendgenError
from blendgen.pipeline import Task
from blendgen.system.machine import resident_bytes
from blendgen.workers.spawn import WorkerSetup

# what both steps of a task import where they need it: two threads that load SciPy at the same time can get
# modules that are half loaded, and then a shot fails
_OF_BOTH_STEPS = ("scipy.ndimage", "scipy.spatial")


@dataclass(frozen=True)
class WorkerReady:
    """The worker has started."""


@dataclass(frozen=True)
class TaskStarted:
    number: int


@dataclass(frozen=True)
class TaskResult:
    """What a task returned; resident_bytes: the memory of the worker after the task."""

    number: int
    result: Any
    resident_bytes: int


@dataclass(frozen=True)
class TaskError:
    """The exception that a task raised, or that kept the worker from starting."""

    error: Exception


@dataclass(frozen=True)
class WorkerResting:
    """The worker has done what it was asked to rest after, and waits for another setup."""


Message = WorkerReady | TaskStarted | TaskResult | TaskError | WorkerResting
# what the parent sends instead of a task: end, or wait for another setup
END, REST = None, "rest"


def run_worker(pipe: Connection, setup: WorkerSetup) -> None:
    """Run tasks until the parent sends END or ends, and the tasks of another setup after REST; does not
    return."""
    channel = _Channel(pipe)
    try:
        while _run_tasks(channel, setup) == REST:
            channel.send(WorkerResting())
            setup = pipe.recv()
        code = 0
    except (EOFError, OSError):  # the parent has ended, or has received the error already
        code = 1
    with suppress(OSError):  # the disk of the log is full
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)  # Blender's own shutdown is slow and can crash


def _run_tasks(channel: _Channel, setup: WorkerSetup) -> str | None:
    """Run the tasks of one setup; END or REST, which came after them."""
    setup.share.pin_process()
    _initialize(setup, channel)
    for name in _OF_BOTH_STEPS if setup.steps.finish is not None else ():
        importlib.import_module(name)
    with ThreadPoolExecutor(1, "finish") as finisher:
        while isinstance(message := channel.next_task(), tuple):
            number, task = message
            with _errors_sent(channel):
                if setup.steps.prepare is not None:
                    setup.steps.prepare(task)
                channel.send(TaskStarted(number))
                result = setup.steps.produce(task)
                if setup.steps.finish is None:
                    channel.send(TaskResult(number, result, resident_bytes()))
                else:
                    finisher.submit(_finish, channel, number, setup.steps.finish, result)
    return message


def _initialize(setup: WorkerSetup, channel: _Channel) -> None:
    """Prepare the process, and send WorkerReady or the error."""
    try:
        setup.initialize(setup.job_file, setup.share)
    except BlendgenError as error:
        channel.send(TaskError(error))
        raise EOFError from error
    channel.send(WorkerReady())


def _finish(channel: _Channel, number: int, finish: Callable[[Any], Any], result: Any) -> None:
    """Run the second step of a task, and send its result."""
    with _errors_sent(channel):
        channel.send(TaskResult(number, finish(result), resident_bytes()))


@contextmanager
def _errors_sent(channel: _Channel) -> Iterator[None]:
    """Send exceptions to the parent, which raises them."""
    try:
        yield
    except Exception as error:  # noqa: BLE001
        channel.send(TaskError(_picklable(error)))


def _picklable(error: Exception) -> Exception:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001  (copying runs code of the exception's class)
        return EngineError(f"{type(error).__name__}: {error}")
    return error


class _Channel:
    """The pipe to the parent; both threads send through it."""

    def __init__(self, pipe: Connection):
        self._pipe, self._lock = pipe, threading.Lock()
        self._queued: deque[tuple[int, Task]] = deque()

    def send(self, message: Message) -> None:
        with self._lock:
            self._pipe.send(message)

    def next_task(self) -> tuple[int, Task] | str | None:
        """The next numbered task; END or REST as soon as they arrive, and then no queued task any more."""
        while not self._queued or self._pipe.poll():
            message = self._pipe.recv()
            if message in (END, REST):
                self._queued.clear()
                return message
            self._queued.append(message)
        return self._queued.popleft()
