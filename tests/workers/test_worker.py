"""The steps of a worker, without a process of its own."""

import time
from types import SimpleNamespace

import pytest

from blendgen.dataset.failures import failed_together
from blendgen.errors import Reason
from blendgen.pipeline import Task
from blendgen.workers import worker
from blendgen.workers.job import Job
from tests.conftest import make_class_table, make_spec
from tests.workers.flat_run import CATALOG


def fails():
    raise RuntimeError("an error of Blender")


@pytest.mark.parametrize(
    "rendered",
    [failed_together([7], 7, Reason.OTHER, "cannot be made"), SimpleNamespace(task=Task(7, (7,)))],
    ids=["while it is rendered", "while it is written"],
)
def test_a_shot_that_fails_states_how_long_it_took_and_nothing_of_it_stays(monkeypatch, tmp_path, rendered):
    job = Job(make_spec(), CATALOG, make_class_table(CATALOG), tmp_path, tmp_path / "log")
    for name, value in {"job": job, "identity": {}, "began_s": {7: time.monotonic() - 5}}.items():
        monkeypatch.setattr(worker._Worker, name, value, raising=False)
    monkeypatch.setattr(worker, "worker_pipeline", fails)
    made = worker.write(rendered)
    assert not made.rows and len(made.failures) == 1 and 5 <= made.seconds < 60
    assert worker._Worker.began_s == {}
