"""A short run of `make chaos`: two shards that are killed six times, and a disk that gets full once."""

import os
import subprocess
import sys
import time

import pytest

from tests.chaos.__main__ import NO_DISK
from tests.conftest import REPOSITORY
from tests.farm.engines import FARM

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the program reads /proc"),
]


def _chaos(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.chaos", "--short", *options]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=600)


def test_shards_that_are_killed_and_damaged_have_the_bytes_of_an_undisturbed_run():
    ended = _chaos()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    if NO_DISK in ended.stdout:
        (pytest.fail if os.environ.get(FARM) else pytest.skip)(f"all other parts pass; {NO_DISK}")


def test_a_run_that_takes_too_long_ends_with_all_that_it_has_started():
    start_s = time.monotonic()
    ended = _chaos("--limit-s", "3")
    assert ended.returncode == 1
    assert "not finished after 3 s" in ended.stderr
    assert time.monotonic() - start_s < 60
