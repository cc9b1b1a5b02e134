"""Spawn: fresh worker processes, and what each is told first. Loads nothing heavy."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blendgen.system.lifeline import end_with_parent
from blendgen.workers.share import ONE_THREAD_EACH, Share
from blendgen.workers.stop_signal import stop_signals_blocked


@dataclass(frozen=True)
class Steps:
    """The work on a task, as functions of a module, which a worker process imports.

    produce: gets the task; runs in the main thread of the worker, where Blender must be used
    finish: gets what `produce` returned; runs in a second thread while `produce` works on the next task.
        None: `produce` does all the work
    """

    produce: Callable[[Any], Any]
    finish: Callable[[Any], Any] | None = None


@dataclass(frozen=True)
class Order:
    """What a worker is there for.

    job_file: of its job; share: its part of the machine
    start: runs once with both; steps: its work on each task
    """

    job_file: Path
    share: Share
    start: Callable[[Path, Share], None]
    steps: Steps


def spawn(target: Callable, *arguments: Any) -> tuple[Any, Any]:
    """(process, pipe) of a new process that runs target(its end of the pipe, *arguments)."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=tied, args=(target, theirs, *arguments), name="blendgen-worker")
    with stop_signals_blocked(), _environment(ONE_THREAD_EACH):
        process.start()
    theirs.close()
    return process, ours


def tied(target: Callable, *arguments: Any) -> None:
    """In a new process: run target(*arguments), and never longer than the parent lives."""
    end_with_parent(multiprocessing.parent_process().pid)
    target(*arguments)


@contextmanager
def _environment(changes: dict[str, str]) -> Iterator[None]:
    """Variables that a process started in here has from its first moment: libraries read them once."""
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
