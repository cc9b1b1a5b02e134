"""Recruit: a worker process that loads Blender before anyone knows what it is to make.

Until its first image a command mostly loads: its own modules in the parent, Blender in the worker.
Where a recruit is enlisted first of all, both happen at once; the pool's first worker is then this
process. Its parent loads nothing heavy here.
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
class Recruit:
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
def enlisted() -> Iterator[Recruit]:
    """A recruit that begins to load Blender now, and goes home at the end if nobody engaged it."""
    with scratch_folder("worker") as scratch:
        process, pipe = spawn(_wait, scratch)
        recruit = Recruit(process, pipe)
        try:
            yield recruit
        finally:
            if recruit.process is not None:
                _end(recruit.process, recruit.pipe)


def _wait(pipe: Any, scratch: Path) -> None:
    """A recruit's life, in its process; does not return."""
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
