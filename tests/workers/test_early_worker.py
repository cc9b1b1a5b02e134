"""An early worker becomes the first worker of a pool, is replaced if it has died, and never stays behind."""

import os
import signal
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


def process_of_each_task(job, early_worker, workers=1, tasks=TASKS):
    steps = Steps(failing.returns_shot_and_process_id)
    return dict(run_tasks(job, tasks, StopSignal(), workers, failing.initialize, steps, early_worker))


def has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_an_early_worker_is_the_first_of_the_workers(job, workers):
    with start_early_worker() as early_worker:
        pid = early_worker.process.pid
        processes = process_of_each_task(job, early_worker, workers)
        assert set(processes) == {0, 1, 2, 3, 4, 5}
        assert pid in processes.values() and len(set(processes.values())) <= workers
        assert has_ended(pid)  # with its tasks, and not only with its parent


@pytest.mark.slow
def test_an_early_worker_has_loaded_blender_before_its_first_task(job):
    steps = Steps(failing.has_loaded_blender)
    with start_early_worker() as early_worker:
        results = run_tasks(job, TASKS[:1], StopSignal(), 1, failing.initialize, steps, early_worker)
        assert list(results) == [True]


@pytest.mark.slow
def test_an_early_worker_serves_one_pool(job):
    with start_early_worker() as early_worker:
        first, second = (
            set(process_of_each_task(job, early_worker, tasks=TASKS[:1]).values()) for _ in range(2)
        )
        assert first.isdisjoint(second)


def test_an_early_worker_that_died_is_replaced(job):
    with start_early_worker() as early_worker:
        pid = early_worker.process.pid
        os.kill(pid, signal.SIGKILL)
        early_worker.process.join()
        processes = process_of_each_task(job, early_worker)
        assert set(processes) == {0, 1, 2, 3, 4, 5} and pid not in processes.values()


def test_an_early_worker_without_a_pool_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with start_early_worker() as early_worker:
        pid = early_worker.process.pid
        assert not has_ended(pid) and list(tmp_path.iterdir())
    assert has_ended(pid) and not list(tmp_path.iterdir())


@pytest.mark.slow
def test_an_early_worker_does_not_outlive_its_parent(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with start_early_worker() as early_worker:
        early_worker.pipe.close()  # as when the parent is killed
        early_worker.process.join(240)
        assert early_worker.process.exitcode == 1
        assert not list(tmp_path.glob("*/worker-*"))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="only Linux lists threads in /proc")
@pytest.mark.skipif(cores() < 2, reason="needs two cores")
def test_threads_that_an_early_worker_started_stay_on_its_cores_too(job):
    steps = Steps(failing.returns_cores_of_its_threads)
    with start_early_worker() as early_worker:
        time.sleep(0.5)
        cores_of_threads = run_tasks(job, TASKS, StopSignal(), 2, failing.initialize, steps, early_worker)
        assert {tuple(map(len, one)) for one in cores_of_threads} == {(1,)}
