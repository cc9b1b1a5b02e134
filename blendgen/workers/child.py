"""Child: the life of a worker process: tasks come through a pipe, answers go back.

Blender must be used in the main thread, and a render releases the GIL. The second step of a task
(`Steps.finish`) therefore runs in another thread, while the first step of the next task renders. The
parent sends two tasks at a time, which bounds the number of films in memory. Each answer names its task,
so that after a crash the parent knows which tasks were unfinished.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from blendgen.engine.base import EngineError
from blendgen.errors import BlendgenError
from blendgen.pipeline import Task
from blendgen.system.machine import resident_bytes
from blendgen.workers.spawn import Order


@dataclass(frozen=True)
class Ready:
    """The worker has started."""


@dataclass(frozen=True)
class Begun:
    """The worker has begun with a task."""

    number: int


@dataclass(frozen=True)
class Answer:
    """What came of a task, and the memory that the worker holds after it."""

    number: int
    result: Any
    resident_bytes: int


@dataclass(frozen=True)
class Failure:
    """What a task raised."""

    error: Exception


def work(pipe: Connection, order: Order) -> None:
    """Answer tasks until the parent sends None, or is gone; does not return."""
    order.share.take()
    line = _Line(pipe)
    try:
        _start(order, line)
        with ThreadPoolExecutor(1, "finish") as finishing:
            for number, task in line.tasks():
                line.say(Begun(number))
                with _reported(line):
                    result = order.steps.produce(task)
                    if order.steps.finish is None:
                        line.say(Answer(number, result, resident_bytes()))
                    else:
                        finishing.submit(_finish, line, number, order.steps.finish, result)
        code = 0
    except (EOFError, OSError):  # the parent is gone, or knows: nobody asks any more
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # Blender takes itself apart slowly, and not always without a crash


def _start(order: Order, line: _Line) -> None:
    """Prepare, and tell how that went."""
    try:
        order.start(order.job_file, order.share)
    except BlendgenError as error:
        line.say(Failure(error))
        raise EOFError from error
    line.say(Ready())


def _finish(line: _Line, number: int, finish: Callable[[Any], Any], result: Any) -> None:
    """The second step of a task; sends its answer."""
    with _reported(line):
        line.say(Answer(number, finish(result), resident_bytes()))


@contextmanager
def _reported(line: _Line) -> Iterator[None]:
    """Send an exception to the parent, which raises it there."""
    try:
        yield
    except Exception as error:  # noqa: BLE001
        line.say(Failure(_picklable(error)))


def _picklable(error: Exception) -> Exception:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001  (an exception may do anything when it is copied)
        return EngineError(f"{type(error).__name__}: {error}")
    return error


class _Line:
    """The pipe to the parent, used by two threads."""

    def __init__(self, pipe: Connection):
        self._pipe, self._lock = pipe, threading.Lock()

    def say(self, message: Ready | Begun | Answer | Failure) -> None:
        with self._lock:
            self._pipe.send(message)

    def tasks(self) -> Iterator[tuple[int, Task]]:
        """Numbered tasks as they come; None ends them at once, those that wait are not begun."""
        waiting: deque = deque()
        while True:
            while not waiting or self._pipe.poll():
                message = self._pipe.recv()
                if message is None:
                    return
                waiting.append(message)
            yield waiting.popleft()
