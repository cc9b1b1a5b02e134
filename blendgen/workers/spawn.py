"""Spawn: start new worker processes with a WorkerSetup. Imports nothing heavy."""

from __future__ import annotations

import multiprocessing
import multiprocessing.spawn
import os
import re
import threading
import weakref
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

from blendgen.system.end_with_parent import end_with_parent, end_with_pipe
from blendgen.system.stop_signals import stop_signals_blocked
from blendgen.workers.share import ONE_THREAD_EACH, Share

# one process starts at a time, because a start changes the environment of this process
_START_LOCK = threading.Lock()
_NAME = "blendgen-worker"
_BLENDER_PATH = re.compile(r"[/\\]bpy[/\\][0-9.]+[/\\]scripts\b")


@dataclass(frozen=True)
class Steps:
    """The work on a task, as functions at the top of a module that a worker process can import.

    produce: gets the task; runs in the main thread of the worker, where Blender must be used
    finish: gets the result of `produce`; runs in a second thread while `produce` works on the next task.
        None: `produce` does all the work
    prepare: gets the task before it counts as started, so that what it does is not blamed on the shot
    """

    produce: Callable[[Any], Any]
    finish: Callable[[Any], Any] | None = None
    prepare: Callable[[Any], Any] | None = None


@dataclass(frozen=True)
class WorkerSetup:
    """What a worker needs before its first task.

    job_file: the pickled Job; share: the worker's part of the machine
    initialize: called once with both; steps: the work on each task
    """

    job_file: Path
    share: Share
    initialize: Callable[[Path, Share], None]
    steps: Steps


def spawn(target: Callable, *arguments: Any) -> tuple[Any, Any]:
    """(process, pipe) of a new process that runs target(child's end of the pipe, *arguments)."""
    context = multiprocessing.get_context("spawn")
    parent_end, child_end = context.Pipe()
    from_main = threading.current_thread() is threading.main_thread()
    arguments = (from_main, target, child_end, *arguments)
    process = context.Process(target=run_tied_to_parent, args=arguments, name=_NAME)
    try:
        with _START_LOCK, stop_signals_blocked(), _environment(ONE_THREAD_EACH), _independent_start():
            process.start()
    except BaseException:  # Ctrl-C arrives when signals are no longer blocked
        if process.pid is not None:
            process.kill()
            process.join()
        parent_end.close()
        raise
    finally:
        child_end.close()
    return process, parent_end


def run_tied_to_parent(from_main: bool, target: Callable, *arguments: Any) -> None:
    """Run target(*arguments) in a new process that ends when its parent ends.

    from_main: whether the main thread of the parent started it, which lives as long as the parent
    """
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid is not None and not (from_main and end_with_parent(parent.pid)):
        end_with_pipe(parent.sentinel)
    target(*arguments)


def close_at_exit(run: Generator) -> None:
    """When the program ends, close a run that is still suspended, while files can still be written."""
    reference = weakref.ref(run)  # does not keep the run alive

    def close() -> None:
        suspended = reference()
        if suspended is not None:
            with suppress(ValueError):  # a thread that ends with the program runs it
                suspended.close()

    weakref.finalize(run, close)


def _kill_workers() -> None:
    """Kill the workers that still run when the program ends: Python would wait for them without end."""
    for process in multiprocessing.active_children():
        if process.name == _NAME:
            process.kill()


Finalize(None, _kill_workers, exitpriority=10)


@contextmanager
def _independent_start() -> Iterator[None]:
    """Pass less than usual to workers that start inside the block: see _independent."""
    prepare = multiprocessing.spawn.get_preparation_data

    def preparation(name: str) -> dict[str, Any]:  # other threads may start processes of their own
        return _independent(prepare(name)) if name == _NAME else prepare(name)

    multiprocessing.spawn.get_preparation_data = preparation
    try:
        yield
    finally:
        multiprocessing.spawn.get_preparation_data = prepare


def _independent(preparation: dict[str, Any]) -> dict[str, Any]:
    """The data for a new process without the caller's main module and Blender's own search path.

    Workers need nothing of the main module. A program on stdin does not have a file to import, and a script
    without `if __name__ == "__main__":` would start its run again in each worker. In a process that has
    imported bpy, the search path has a second package of that name, which cannot be imported.
    """
    changed = {key: value for key, value in preparation.items() if not key.startswith("init_main_")}
    return changed | {"sys_path": [path for path in changed["sys_path"] if not _BLENDER_PATH.search(path)]}


@contextmanager
def _environment(changes: dict[str, str]) -> Iterator[None]:
    """Set variables for the processes that start inside the block: libraries read them when they load."""
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
