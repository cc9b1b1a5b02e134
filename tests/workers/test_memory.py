"""Workers that the system kills for memory: fewer of them, then the end; other kills are crashes."""

import logging
import signal

import pytest

from blendgen.engine.base import EngineError
from blendgen.errors import OutOfMemory
from blendgen.pipeline import Task
from blendgen.system.memory_events import MemoryEvents
from blendgen.workers import memory, worker
from blendgen.workers.job import Job
from blendgen.workers.memory import MemoryWatch
from blendgen.workers.pool import run_tasks
from blendgen.workers.spawn import Steps
from blendgen.workers.stop_signal import StopSignal
from tests.conftest import make_class_table, make_spec
from tests.workers import failing

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no SIGKILL")


@pytest.fixture
def job(tmp_path, shapes):
    return Job(make_spec(), shapes, make_class_table(shapes), tmp_path, tmp_path / "log")


def run(job, workers, results, tasks=5):
    """Shot 2 kills its worker; the results of the other shots are appended to `results`."""
    tasks, steps = [Task(i, (i,)) for i in range(tasks)], Steps(failing.is_killed_on_shot_2)
    for rows, _ in run_tasks(job, tasks, StopSignal(), workers, failing.initialize, steps):
        results.extend(row["index"] for row in rows)


def test_a_single_worker_without_enough_memory_ends_the_run_with_what_to_ask_for(job, monkeypatch):
    monkeypatch.setattr(MemoryEvents, "killed_another", lambda events: True)
    monkeypatch.setattr(memory, "MAX_KILLS", 1)
    with pytest.raises(OutOfMemory, match=r"^out of memory: a single worker needed more than .*Ask for \d"):
        run(job, 1, [])


@pytest.mark.slow
def test_the_run_goes_on_with_fewer_workers_before_it_ends(job, monkeypatch, caplog):
    monkeypatch.setattr(MemoryEvents, "killed_another", lambda events: True)
    results = []
    with caplog.at_level(logging.WARNING), pytest.raises(OutOfMemory):
        run(job, 3, results)
    assert set(results) <= {0, 1, 3, 4} and len(results) >= 2
    notes = [line.rpartition("goes on with ")[2] for line in caplog.messages]
    assert notes == ["2", "1"]


@pytest.mark.slow
def test_a_kill_without_evidence_is_a_crash_of_the_shot(job, monkeypatch):
    monkeypatch.setattr(MemoryEvents, "killed_another", lambda events: False)
    with pytest.raises(
        EngineError, match=r"shot 2: .* crashed 3 times \(SIGKILL, perhaps because memory ran"
    ):
        run(job, 1, [])


def test_a_worker_that_is_killed_now_and_then_does_not_end_the_run_but_one_after_the_other_does():
    watch = MemoryWatch()
    for _ in range(5):
        watch.count_kill()
        for _ in range(20):
            watch.note_result()
    watch.count_kill()
    watch.note_result()
    watch.count_kill()
    with pytest.raises(OutOfMemory):
        watch.count_kill()


def test_a_shot_without_memory_is_not_blamed(job, monkeypatch):
    monkeypatch.setattr(worker._Worker, "job", job, raising=False)

    def step():
        raise MemoryError("Unable to allocate 9 GiB")

    with pytest.raises(OutOfMemory, match=r"shot 0 needed more than .*or use fewer --workers"):
        worker.run_step(Task(0, (0,)), step)
