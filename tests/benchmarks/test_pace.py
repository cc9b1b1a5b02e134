import os
import signal

import pytest

from benchmarks.pace import Stamp, image_s_by_count, on_cores, pace, run, shots_for
from benchmarks.processes import usage
from benchmarks.spread import ratio, spread
from blendgen.errors import ExitCode, Interrupted
from blendgen.models.inventory import Inventory
from blendgen.system.machine import cores, own_cores
from blendgen.workers.generate import Run as GenerateRun
from tests.conftest import make_class_table, make_spec


def stamped(start_s, shot_s, shots, images=1):
    return [Stamp(start_s + n * shot_s, n * images, n * shot_s) for n in range(1, shots + 1)]


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_pace_leaves_out_loading_and_the_last_shots(workers):
    stamps = stamped(5, 0.25, shots_for(8, workers), images=8)
    steady = pace(stamps, workers, cores=2)
    assert steady.shots_per_s == pytest.approx(4)
    assert steady.images_per_s == pytest.approx(32)
    assert steady.busy == pytest.approx(0.5)
    slow_end = [*stamps[:-1], Stamp(99, 999, 99)] if workers > 1 else stamps
    assert pace(slow_end, workers, cores=2) == steady


def test_a_run_has_as_many_timed_shots_as_wanted():
    for workers in (1, 2):
        stamps = stamped(1, 0.1, shots_for(1, workers))
        assert pace(stamps, workers, 2).shot_s == pytest.approx(0.1)
        with pytest.raises(ValueError):
            pace(stamps[:-1], workers, 2)


def test_the_cost_of_an_image_counts_the_loading():
    seconds = image_s_by_count(tuple(stamped(3, 1, 9)))
    assert seconds == {1: 4, 2: 2.5, 4: 7 / 4, 8: 11 / 8}


def test_a_ratio_is_taken_within_its_round():
    halved = ratio([10, 1, 20], [5, 0.5, 10])  # the second round was ten times slower, on both sides
    assert (halved.median, halved.low, halved.high, halved.count) == (2, 2, 2, 3)
    assert spread([1, 3, 2]).relative == 0.5
    with pytest.raises(ValueError):
        spread([])


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system pins no processes")
def test_cores_are_given_back():
    before = own_cores()
    with on_cores(1):
        assert cores() == 1
    assert own_cores() == before


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="needs /proc")  # noqa: PTH110
def test_usage_of_a_process_is_what_the_system_reports():
    used = usage(os.getpid())
    assert used.computing_s > 0
    assert 2**20 < used.peak_bytes < 2**40
    assert usage(2**30).peak_bytes == 0


def test_an_interrupt_does_not_name_the_temporary_folder(shapes, monkeypatch):
    def stopped(run):
        raise Interrupted(signal.SIGTERM, f"stopped: 1 image is finished in {run.store.layout.root}")

    monkeypatch.setattr(GenerateRun, "make_all", stopped)
    with pytest.raises(Interrupted, match="stopped; nothing was measured") as caught:
        run(make_spec(), Inventory(shapes, make_class_table(shapes)), 1, 1)
    assert caught.value.exit_code == ExitCode.SIGTERM
