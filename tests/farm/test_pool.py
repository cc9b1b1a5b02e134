"""Failing engines: each must end in a clear message, and never in lost or doubled work."""

import multiprocessing
import os
import signal
import threading
import time

import pytest

from blendgen.engine.base import EngineError
from blendgen.errors import DatasetError
from blendgen.farm import pool
from blendgen.farm.job import Job
from blendgen.farm.pool import StopSignal, run_tasks
from blendgen.pipeline import Task
from tests.conftest import make_roster, make_spec
from tests.farm import failing

TASKS = [Task(i, (i,)) for i in range(5)]


@pytest.fixture
def job(tmp_path, shapes):
    return Job(make_spec(), shapes, make_roster(shapes), tmp_path, tmp_path / "log")


def indices(job, produce, workers=1, stop=None):
    run = run_tasks(job, TASKS, stop or StopSignal(), workers, failing.start, produce)
    return sorted(row["index"] for rows, _ in run for row in rows)


def after(path, action):
    """Call `action` as soon as `path` exists."""

    def watch():
        while not path.exists():
            time.sleep(0.01)
        action()

    threading.Thread(target=watch, daemon=True).start()


@pytest.mark.parametrize("workers", [1, 2])
def test_every_task_is_done_once(job, workers):
    assert indices(job, failing.works, workers) == [0, 1, 2, 3, 4]


def test_a_crash_costs_nothing_but_a_retry(job):
    assert indices(job, failing.aborts_once_on_shot_1) == [0, 1, 2, 3, 4]


def test_a_shot_that_always_crashes_is_named_with_the_signal_and_the_log(job):
    with pytest.raises(EngineError, match=r"shot 2: Blender crashed 3 times \(SIGSEGV\).*log"):
        indices(job, failing.segfaults_on_shot_2)


def test_errors_of_a_worker_reach_the_parent_as_they_are(job):
    with pytest.raises(EngineError, match="returned no picture"):
        indices(job, failing.fails_to_render)
    with pytest.raises(DatasetError, match="the disk is full"):
        indices(job, failing.meets_a_full_disk)


def test_the_first_signal_finishes_what_is_in_hand(job):
    with StopSignal() as stop:
        after(job.folder / "started-1", lambda: os.kill(os.getpid(), signal.SIGTERM))
        done = indices(job, failing.is_slow, stop=stop)
    assert stop.signum == signal.SIGTERM
    assert done == [0, 1]


def test_the_second_signal_stops_at_once_and_leaves_no_process(job):
    def twice():
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.3)

    began = time.monotonic()
    with StopSignal() as stop:
        after(job.folder / "started-0", twice)
        assert indices(job, failing.hangs, stop=stop) == []
    assert time.monotonic() - began < 60
    assert multiprocessing.active_children() == []


def test_a_signal_to_the_whole_group_while_a_worker_starts_stops_the_run_in_order(job):
    """As Ctrl-C on a terminal sends it: the starting worker must not die of it, nor the run hang."""

    def to_all():
        for pid in [os.getpid(), *(process.pid for process in multiprocessing.active_children())]:
            os.kill(pid, signal.SIGINT)

    with StopSignal() as stop:
        after(job.folder / "starting", to_all)
        run = run_tasks(job, TASKS, stop, 1, failing.start_slowly, failing.works)
        done = [row["index"] for rows, _ in run for row in rows]
    assert stop.signum == signal.SIGINT and len(done) < len(TASKS)
    assert multiprocessing.active_children() == []


@pytest.mark.slow
def test_a_worker_that_hangs_is_replaced_and_named(job, monkeypatch):
    monkeypatch.setattr(pool, "_PATIENCE_S", 0.5)
    monkeypatch.setattr(pool, "MAX_TRIES", 1)
    with pytest.raises(EngineError, match=r"crashed 1 times \(it did not finish in time\)"):
        indices(job, failing.hangs)


def test_a_worker_that_dies_while_it_starts_is_told(job):
    run = run_tasks(job, TASKS, StopSignal(), 1, failing.dies_while_starting, failing.works)
    with pytest.raises(EngineError, match="ended while it started"):
        list(run)


def test_processes_of_the_caller_are_left_alone(job):
    mine = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(30,))
    mine.start()
    assert indices(job, failing.works) == [0, 1, 2, 3, 4]
    assert mine.is_alive()
    mine.kill()
    mine.join()


def test_signals_mean_again_what_they_meant_before():
    before = signal.getsignal(signal.SIGTERM)
    with StopSignal():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
