"""Child: the life of a worker process: tasks come through a pipe, answers go back.

Bpy belongs to the main thread, and a render leaves Python free: so what `produce` gives may be the
rest of the work, a function, and then it is done in one thread beside the next task. The parent hands
out two tasks at a time, which bounds the films in memory. Each answer says what happened to which
task, so that the parent knows at any crash what was in hand.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
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
        with ThreadPoolExecutor(1, "finish") as beside:
            for number, task in line.tasks():
                line.say(Begun(number))
                rest = _answer(line, number, lambda task=task: order.produce(task))
                if rest is not None:
                    beside.submit(_answer, line, number, rest)
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


def _answer(line: _Line, number: int, step: Callable[[], Any]) -> Callable[[], Any] | None:
    """Tell what a step of a task gave or raised; or return the rest of the work, where it gave that."""
    try:
        result = step()
        if callable(result):
            return result
        line.say(Answer(number, result, resident_bytes()))
    except Exception as error:  # noqa: BLE001  (the parent raises it)
        line.say(Failure(_picklable(error)))
    return None


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
