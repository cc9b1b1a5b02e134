"""Workers that fail in the ways in which Blender fails; each is used by a test of the pool."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from blendgen.engine.base import EngineError
from blendgen.errors import DatasetError
from blendgen.farm.job import load_job
from blendgen.pipeline import Task


class _State:
    folder: Path


def start(job_file: Path) -> None:
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.SIG_IGN)
    _State.folder = load_job(job_file).folder


def start_slowly(job_file: Path) -> None:
    """Signals are not ignored yet while this waits."""
    folder = load_job(job_file).folder
    (folder / "starting").touch()
    time.sleep(1.0)
    start(job_file)


def dies_while_starting(job_file: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def works(task: Task):
    return [{"index": index} for index in task.image_indices], {"engine": "none"}


def segfaults_on_shot_2(task: Task):
    if task.shot_index == 2:
        os.kill(os.getpid(), signal.SIGSEGV)
    return works(task)


def aborts_once_on_shot_1(task: Task):
    marker = _State.folder / "aborted"
    if task.shot_index == 1 and not marker.exists():
        marker.touch()
        os.abort()
    return works(task)


def fails_to_render(task: Task):
    raise EngineError(f"shot {task.shot_index}: Blender returned no picture")


def meets_a_full_disk(task: Task):
    raise DatasetError("000001.png: cannot be written: the disk is full")


def is_slow(task: Task):
    (_State.folder / f"started-{task.shot_index}").touch()
    time.sleep(1.0)
    return works(task)


def hangs(task: Task):
    (_State.folder / f"started-{task.shot_index}").touch()
    time.sleep(600)
