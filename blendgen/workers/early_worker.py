"""Early worker: a worker process that loads Blender before its job is known.

A command spends most of the time before its first image on loading: its own modules in the parent,
Blender in the worker. Starting one worker first lets both happen at once; the pool then uses that
process as its first worker. This module imports nothing heavy in the parent.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from blendgen.files.scratch import scratch_folder
from blendgen.system.platforms import require_forks
from blendgen.system.stop_signals import ignore_stop_signals
from blendgen.workers.spawn import WorkerSetup, spawn

if TYPE_CHECKING:
    from blendgen.workers.worker_handle import WorkerHandle

_PRELOADED = ("blendgen.workers.worker", "blendgen.engine.blender.session.engine")


@dataclass
class EarlyWorker:
    """process, pipe: None once a pool has taken the process over; the pool then ends it.

    keeps: whether processes come back from a pool, to rest until the next one
    """

    process: Any = None
    pipe: Any = None
    keeps: ClassVar[bool] = False

    def take_over(self, setup: WorkerSetup) -> tuple[Any, Any] | None:
        """Send the process its setup and return (process, pipe); None if it is taken already or has died."""
        process, pipe, self.process, self.pipe = self.process, self.pipe, None, None
        if process is None:
            return None
        try:
            pipe.send(setup)
        except OSError:
            _kill(process, pipe)
            return None
        return process, pipe

    def take_back(self, worker: WorkerHandle) -> None:
        """Keep a worker of a pool that rests now."""
        raise NotImplementedError

    def recall(self, workers: list[WorkerHandle]) -> None:
        """Keep those of a pool's busy workers that rest soon, and kill all others."""
        kill_workers(workers)


def kill_workers(workers: list[WorkerHandle]) -> None:
    """They ignore signals, and leave no half-written file."""
    for worker in workers:
        worker.process.kill()
    for worker in workers:
        worker.reap()


@contextmanager
def start_early_worker() -> Iterator[EarlyWorker]:
    """A worker that starts to load Blender now; it is killed at the end of the block if no pool took it.

    raises: SetupError on a system on which no image can be made
    """
    require_forks()
    with scratch_folder("worker") as scratch:
        early_worker = EarlyWorker(*spawn(_preload_and_wait, scratch))
        try:
            yield early_worker
        finally:
            if early_worker.process is not None:
                _kill(early_worker.process, early_worker.pipe)


def _preload_and_wait(pipe: Any, scratch: Path) -> None:
    """Run the early worker in its own process; does not return."""
    ignore_stop_signals()
    with contextlib.suppress(Exception):  # the cache folder cannot be used: the parent reports that
        from blendgen.models.measuring.cache import blender_environment

        os.environ |= blender_environment(scratch)
    _silence_output()
    for name in _PRELOADED:
        with contextlib.suppress(Exception):  # the first task imports it again, and reports the error
            importlib.import_module(name)
    try:
        setup = pipe.recv()
    except (EOFError, OSError):  # the parent has ended
        shutil.rmtree(scratch, ignore_errors=True)
        os._exit(1)
    from blendgen.workers.child import run_worker

    run_worker(pipe, setup)


def _silence_output() -> None:
    """Discard what Blender prints while it loads; the log of the job is not known yet."""
    sys.stdout.flush()
    sys.stderr.flush()
    null = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(null, descriptor)
    os.close(null)


def _kill(process: Any, pipe: Any) -> None:
    process.kill()
    process.join()
    pipe.close()
