"""Functions for worker processes that fail as Blender does; the tests of the pool use them."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import ClassVar

from blendgen.engine.base import EngineError
from blendgen.errors import DatasetError
from blendgen.pipeline import Task
from blendgen.workers.child import run_worker
from blendgen.workers.job import load_job
from blendgen.workers.spawn import Steps


class _State:
    folder: Path
    films: ClassVar[set[int]] = set()


def initialize(job_file: Path, share=None) -> None:
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.SIG_IGN)
    _State.folder = load_job(job_file).folder


def initialize_slowly(job_file: Path, share) -> None:
    """Wait before signals are ignored."""
    folder = load_job(job_file).folder
    (folder / "starting").touch()
    time.sleep(1.0)
    initialize(job_file)


def dies_while_initializing(job_file: Path, share) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def loses_its_job(job_file: Path, share) -> None:
    job_file.unlink()
    initialize(job_file)


def waits_for_setup(pipe) -> None:
    """An early worker that loads nothing."""
    run_worker(pipe, pipe.recv())


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


def is_killed_on_shot_2(task: Task):
    if task.shot_index == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return works(task)


def is_killed_on_shot_2_and_once_on_shot_0(task: Task):
    marker = _State.folder / "killed"
    if task.shot_index == 0 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return is_killed_on_shot_2(task)


def fails_to_render(task: Task):
    raise EngineError(f"shot {task.shot_index}: Blender returned no picture")


def fails_with_a_full_disk(task: Task):
    raise DatasetError("000001.png: cannot be written: the disk is full")


def waits_in_shot_1(task: Task):
    (_State.folder / f"started-{task.shot_index}").touch()
    deadline = time.monotonic() + 60
    while task.shot_index == 1 and not (_State.folder / "asked-to-end").exists():
        if time.monotonic() > deadline:
            raise EngineError("the parent did not ask the worker to end")
        time.sleep(0.01)
    return works(task)


def hangs(task: Task):
    (_State.folder / f"started-{task.shot_index}").touch()
    time.sleep(600)


def returns_process_id(task: Task):
    return os.getpid()


def returns_cores_and_threads(task: Task):
    """Cores of the process, and the thread variable of its libraries."""
    own = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return own, os.environ.get("OPENBLAS_NUM_THREADS")


def _marks_its_start(task: Task) -> Task:
    (_State.folder / f"started-{task.shot_index}").touch()
    return task


def _waits_for_shot_1(task: Task):
    deadline = time.monotonic() + 60
    while task.shot_index == 0 and not (_State.folder / "started-1").exists():
        if time.monotonic() > deadline:
            raise EngineError("shot 1 was not started while shot 0 was finished")
        time.sleep(0.01)
    return works(task)


# shot 0 ends only if shot 1 starts before it is finished
needs_the_next_task = Steps(_marks_its_start, _waits_for_shot_1)


def _has_loaded_scipy(task: Task) -> bool:
    return {"scipy.ndimage", "scipy.spatial"} <= sys.modules.keys()


has_loaded_scipy = Steps(_has_loaded_scipy, bool)


def _adds_a_film(task: Task) -> tuple[int, int]:
    _State.films.add(task.shot_index)
    return task.shot_index, len(_State.films)


def _removes_a_film(film: tuple[int, int]) -> int:
    time.sleep(0.05)
    _State.films.remove(film[0])
    return film[1]


# the number of films in memory: each from the start of its task to the result
counts_films = Steps(_adds_a_film, _removes_a_film)


def _fills_the_disk(task: Task):
    raise DatasetError(f"shot {task.shot_index}: the disk is full")


fails_to_finish = Steps(_marks_its_start, _fills_the_disk)


def _marks_its_start_and_process(task: Task) -> Task:
    (_State.folder / f"started-{task.shot_index}-{os.getpid()}").touch()
    return task


def _aborts_on_shot_1(task: Task):
    if task.shot_index == 1:
        time.sleep(0.5)
        os.abort()
    return works(task)


# shot 1 crashes when its worker has already started shot 2, which is not to blame
aborts_while_it_finishes_shot_1 = Steps(_marks_its_start_and_process, _aborts_on_shot_1)


def is_killed_once_while_idle(task: Task):
    """Kill the process a moment after the result of shot 1, when it may have no pending task."""
    marker = _State.folder / "killed"
    if task.shot_index == 1 and not marker.exists():
        marker.touch()
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGKILL)).start()
    return works(task)


class OddError(EngineError):
    """Cannot be copied to another process, because its constructor takes two arguments."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def raises_what_cannot_be_pickled(task: Task):
    raise OddError("this", "that")


def returns_what_cannot_be_pickled(task: Task):
    return [threading.Lock()]


def dies_while_probing(pipe, log: Path):
    os.kill(os.getpid(), signal.SIGSEGV)


def hangs_while_probing(pipe, log: Path):
    time.sleep(60)


def returns_shot_and_process_id(task: Task):
    time.sleep(0.05)  # so that other workers get some too
    return task.shot_index, os.getpid()


def has_loaded_blender(task: Task):
    return "bpy" in sys.modules


def returns_cores_of_its_threads(task: Task):
    """The sets of cores that the threads of this process may run on."""
    return {tuple(os.sched_getaffinity(int(thread.name))) for thread in Path("/proc/self/task").iterdir()}


def kills_with_the_other_one(task: Task):
    """Shots 0 and 1 end their workers, the first time when both are rendered."""
    if task.shot_index in (0, 1):
        (_State.folder / f"started-{task.shot_index}").touch()
        deadline = time.monotonic() + 60
        while len(list(_State.folder.glob("started-*"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)
    return works(task)


def waits_until_released(task: Task):
    """Its process, once there is a file `release`."""
    (_State.folder / f"started-{task.shot_index}").touch()
    deadline = time.monotonic() + 60
    while not (_State.folder / "release").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return os.getpid()
