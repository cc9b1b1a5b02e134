"""Workers that are kept rest between pools, are replaced if they have died, and never stay behind."""

import contextlib
import os
import signal
import threading
from dataclasses import replace

import pytest

from blendgen.pipeline import Task
from blendgen.workers import kept_workers as kept_workers_module
from blendgen.workers import pool
from blendgen.workers.early_worker import EarlyWorker
from blendgen.workers.job import Job
from blendgen.workers.kept_workers import kept_workers
from blendgen.workers.pool import run_tasks
from blendgen.workers.spawn import Steps, spawn
from blendgen.workers.stop_signal import StopSignal
from tests.conftest import make_class_table, make_spec
from tests.waiting import wait_until
from tests.workers import failing
from tests.workers.test_early_worker import has_ended

TASKS = [Task(i, (i,)) for i in range(4)]


@pytest.fixture
def job(tmp_path, shapes):
    return Job(make_spec(), shapes, make_class_table(shapes), tmp_path, tmp_path / "log")


@pytest.fixture
def notes():
    return []


@pytest.fixture
def workers(monkeypatch, notes):
    """One worker that loads nothing before it has a job."""

    @contextlib.contextmanager
    def light():
        worker = EarlyWorker(*spawn(failing.waits_for_setup))
        yield worker
        if worker.process is not None:
            worker.process.kill()

    monkeypatch.setattr(kept_workers_module, "start_early_worker", light)
    with kept_workers(1, notes.append) as workers:
        yield workers


def processes(job, workers, produce=failing.returns_process_id, stop=None, tasks=TASKS):
    steps = Steps(produce)
    return list(run_tasks(job, tasks, stop or StopSignal(), 1, failing.initialize, steps, workers))


def test_a_process_serves_one_job_after_the_other(job, workers, notes, tmp_path):
    first = set(processes(job, workers))
    (tmp_path / "other").mkdir()
    other = replace(job, folder=tmp_path / "other")
    (tmp_path / "other" / "release").touch()
    assert set(processes(other, workers, failing.waits_until_released)) == first and len(first) == 1
    assert (tmp_path / "other" / "started-0").exists()  # it has the other job
    assert not has_ended(first.pop()) and notes == []


def test_one_that_died_between_two_jobs_is_replaced_and_said(job, workers, notes):
    first = set(processes(job, workers))
    os.kill(min(first), signal.SIGKILL)
    wait_until(lambda: has_ended(min(first)), what="the end of the worker")
    second = set(processes(job, workers))
    assert first.isdisjoint(second)
    assert ["a worker process ended (SIGKILL" in note for note in notes] == [True]
    assert set(processes(job, workers)) == second and len(notes) == 1


@pytest.mark.slow
def test_one_that_crashes_in_a_job_is_replaced_and_said(job, workers, notes):
    results = processes(job, workers, failing.aborts_once_on_shot_1)
    assert sorted(rows[0]["index"] for rows, _ in results) == [0, 1, 2, 3]
    assert ["(SIGABRT)" in note for note in notes] == [True]


def test_a_run_that_is_superseded_leaves_its_process_for_the_next_one(job, workers, notes, tmp_path):
    stop = StopSignal()
    first = set(processes(job, workers))

    def supersede():
        wait_until(lambda: (tmp_path / "started-0").exists(), what="the first shot")
        stop.supersede()
        (tmp_path / "release").touch()

    thread = threading.Thread(target=supersede)
    thread.start()
    made = processes(job, workers, failing.waits_until_released, stop)
    thread.join()
    assert len(made) < len(TASKS)
    assert set(processes(job, workers)) == first and notes == []
    assert not (tmp_path / "started-3").exists()


@pytest.mark.slow
def test_one_that_does_not_rest_in_time_is_killed_without_a_word(job, workers, notes, tmp_path, monkeypatch):
    monkeypatch.setattr(kept_workers_module, "_RECALL_S", 0.01)
    stop, first = StopSignal(), set(processes(job, workers))

    def supersede():
        wait_until(lambda: (tmp_path / "started-0").exists(), what="the first shot")
        stop.supersede()

    thread = threading.Thread(target=supersede)
    thread.start()
    assert processes(job, workers, failing.waits_until_released, stop) == []
    thread.join()
    assert has_ended(min(first)) and first.isdisjoint(processes(job, workers)) and notes == []


@pytest.mark.slow
@pytest.mark.parametrize(("limit", "value"), [("SHOTS_PER_PROCESS", 4), ("memory_limit", lambda *_: 1)])
def test_one_that_has_done_enough_or_is_too_large_is_not_kept(job, workers, notes, monkeypatch, limit, value):
    monkeypatch.setattr(pool, limit, value)
    first, second = (set(processes(job, workers)) for _ in range(2))
    assert first.isdisjoint(second) and notes == []


@pytest.mark.slow
def test_one_that_has_had_many_tasks_in_several_jobs_is_not_kept(job, workers, notes, monkeypatch):
    monkeypatch.setattr(kept_workers_module, "_TASKS_PER_PROCESS", 2 * len(TASKS))
    first, second, third = (set(processes(job, workers)) for _ in range(3))
    assert first == second and first.isdisjoint(third) and notes == []


@pytest.mark.slow
def test_processes_load_blender_and_end_with_the_block(job, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with kept_workers(1, print) as workers:
        first = set(processes(job, workers, failing.has_loaded_blender, tasks=TASKS[:1]))
        pids = set(processes(job, workers))
    assert first == {True}
    assert all(map(has_ended, pids)) and not list(tmp_path.glob("blendgen-run-*"))
