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
from typing import Any

from blendgen.files.scratch import scratch_folder
from blendgen.workers.spawn import Order, spawn
from blendgen.workers.stop_signal import ignore_stop_signals

_LOADED_AHEAD = ("blendgen.workers.worker", "blendgen.engine.blender.session.engine")


@dataclass
class EarlyWorker:
    """process, pipe: None once it has become a worker, which the pool then ends."""

    process: Any = None
    pipe: Any = None

    def engage(self, order: Order) -> tuple[Any, Any] | None:
        """(process, pipe) of the worker that it becomes; None where it was engaged before, or has died."""
        process, pipe, self.process, self.pipe = self.process, self.pipe, None, None
        if process is None:
            return None
        try:
            pipe.send(order)
        except OSError:
            _end(process, pipe)
            return None
        return process, pipe


@contextmanager
def start_early_worker() -> Iterator[EarlyWorker]:
    """A worker that starts to load Blender now; it is killed at the end of the block if no pool took it."""
    with scratch_folder("worker") as scratch:
        process, pipe = spawn(_wait, scratch)
        early_worker = EarlyWorker(process, pipe)
        try:
            yield early_worker
        finally:
            if early_worker.process is not None:
                _end(early_worker.process, early_worker.pipe)


def _wait(pipe: Any, scratch: Path) -> None:
    """Run the early worker in its own process; does not return."""
    ignore_stop_signals()
    with contextlib.suppress(Exception):  # without a cache folder; the parent says so
        from blendgen.models.measuring.cache import blender_environment

        os.environ |= blender_environment(scratch)
    _silence()
    for name in _LOADED_AHEAD:
        # what cannot be loaded is told by the first task, which tries again
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    try:
        order = pipe.recv()
    except (EOFError, OSError):  # the parent is gone
        shutil.rmtree(scratch, ignore_errors=True)
        os._exit(1)
    from blendgen.workers.child import work

    work(pipe, order)


def _silence() -> None:
    """What Blender prints while it loads goes nowhere; the job's log comes later."""
    sys.stdout.flush()
    sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _end(process: Any, pipe: Any) -> None:
    process.kill()
    process.join()
    pipe.close()
