"""When a run with a time limit stops: early enough for the longest of the recent shots, and never later."""

import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from blendgen.errors import ExitCode, TimeLimitReached, UsageError
from blendgen.system import time_limit as module
from blendgen.system.time_limit import TimeLimit


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_without_a_limit_it_is_never_reached(clock):
    limit = TimeLimit()
    limit.shot_took(1e9)
    clock[0] += 1e12
    assert not limit.is_near() and not limit.is_over() and not limit.is_near_for_start()


def test_no_shot_begins_that_may_take_as_long_as_the_longest_recent_one(clock):
    limit = TimeLimit(100.0)
    for seconds in (10.0, 2.0, 4.0):
        limit.shot_took(seconds)
    clock[0] += 80
    assert not limit.is_near()
    clock[0] += 9  # 11 s are left
    assert limit.is_near() and limit.reached and not limit.is_over()
    clock[0] += 11
    assert limit.is_over()


def test_a_long_shot_of_the_past_counts_no_more(clock):
    limit = TimeLimit(100.0)
    for seconds in (90.0, *[1.0] * 64):
        limit.shot_took(seconds)
    clock[0] += 90
    assert not limit.is_near()


def test_a_new_worker_needs_time_to_start(clock):
    limit = TimeLimit(100.0)
    limit.start_took(20.0)
    limit.shot_took(1.0)
    clock[0] += 70
    assert not limit.is_near_for_start()
    clock[0] += 10
    assert limit.is_near_for_start() and not limit.is_near()


def test_a_run_that_stops_stays_stopped(clock):
    limit = TimeLimit(100.0)
    limit.shot_took(60.0)
    clock[0] += 50
    assert limit.is_near()
    for _ in range(64):
        limit.shot_took(1.0)
    assert limit.is_near()


def test_there_is_time_to_write_down_many_images(clock):
    limit = TimeLimit(100.0)
    limit.set_images(100_000)
    clock[0] += 85
    assert limit.is_over()


def test_the_time_before_the_first_shot_counts(clock):
    limit = TimeLimit.since(clock[0] - 95, 100.0)
    limit.check()
    clock[0] += 5
    with pytest.raises(TimeLimitReached, match="the time limit is reached: no further image") as raised:
        limit.check()
    assert raised.value.exit_code == ExitCode.RETRY
    assert limit.for_other_work().is_over()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux says when a process started")
def test_a_process_knows_its_age():
    code = (
        "import time; time.sleep(0.3); from blendgen.system.process import process_age_s as age; "
        "print(age()); time.sleep(0.2); print(age())"
    )
    began_s = time.monotonic()
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    first_s, second_s = map(float, output.split())
    assert first_s >= 0.3 and first_s + 0.2 <= second_s <= time.monotonic() - began_s + 0.05


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_limit_that_is_not_a_time_is_refused(seconds):
    with pytest.raises(UsageError, match="time limit: expected more than 0 seconds"):
        TimeLimit(seconds)
