"""An early worker becomes the first worker of a pool, is replaced if it has died, and never stays behind."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from blendgen.pipeline import Task
from blendgen.system.machine import cores
from blendgen.workers.early_worker import start_early_worker
from blendgen.workers.job import Job
from blendgen.workers.pool import run_tasks
from blendgen.workers.spawn import Steps
from blendgen.workers.stop_signal import StopSignal
from tests.conftest import make_class_table, make_spec
from tests.workers import failing

TASKS = [Task(i, (i,)) for i in range(6)]


@pytest.fixture
def job(tmp_path, shapes):
    return Job(make_spec(), shapes, make_class_table(shapes), tmp_path, tmp_path / "log")


def workers_of(job, early_worker, workers=1, tasks=TASKS):
    """The process that did each task."""
    answers = run_tasks(
        job, tasks, StopSignal(), workers, failing.start, Steps(failing.tells_shot_and_process), early_worker
    )
    return dict(answers)


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize("workers", [1, 2])
def test_a_recruit_is_the_first_of_the_workers(job, workers):
    with start_early_worker() as early_worker:
        pid = early_worker.process.pid
        found = workers_of(job, early_worker, workers)
        assert set(found) == {0, 1, 2, 3, 4, 5}
        assert pid in found.values() and len(set(found.values())) <= workers
        assert gone(pid)  # with its work, and not only with its parent's


@pytest.mark.slow
def test_a_recruit_has_loaded_blender_when_it_begins(job, monkeypatch):
    # another test may have loaded bpy here, whose folders a new process would then search first
    monkeypatch.setattr(sys, "path", [folder for folder in sys.path if "scripts" not in Path(folder).parts])
    with start_early_worker() as early_worker:
        answers = run_tasks(
            job,
            TASKS[:1],
            StopSignal(),
            1,
            failing.start,
            failing.has_loaded_blender,
            early_worker,
        )
        assert list(answers) == [True]


@pytest.mark.slow
def test_a_recruit_works_once(job):
    with start_early_worker() as early_worker:
        first, second = (set(workers_of(job, early_worker, tasks=TASKS[:1]).values()) for _ in range(2))
        assert first.isdisjoint(second)


def test_a_recruit_that_died_is_replaced(job):
    with start_early_worker() as early_worker:
        pid = early_worker.process.pid
        os.kill(pid, signal.SIGKILL)
        early_worker.process.join()
        found = workers_of(job, early_worker)
        assert set(found) == {0, 1, 2, 3, 4, 5} and pid not in found.values()


def test_a_recruit_that_nobody_needs_goes_home(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with start_early_worker() as early_worker:
        pid = early_worker.process.pid
        assert not gone(pid) and list(tmp_path.iterdir())
    assert gone(pid) and not list(tmp_path.iterdir())


def test_a_recruit_does_not_outlive_its_parent(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with start_early_worker() as early_worker:
        early_worker.pipe.close()  # as when the parent is killed
        early_worker.process.join(60)
        assert early_worker.process.exitcode == 1
        assert not list(tmp_path.glob("*/worker-*"))


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted as Linux tells them")
@pytest.mark.skipif(cores() < 2, reason="with one core there is nothing to share")
def test_what_a_recruit_started_before_keeps_to_its_share_too(job):
    with start_early_worker() as early_worker:
        time.sleep(0.5)
        allowed = run_tasks(
            job,
            TASKS,
            StopSignal(),
            2,
            failing.start,
            Steps(failing.tells_the_cores_of_its_threads),
            early_worker,
        )
        assert {tuple(map(len, one)) for one in allowed} == {(1,)}
