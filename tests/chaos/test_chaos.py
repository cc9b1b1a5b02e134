"""A short run of `make chaos`: two shards that are killed six times, and a disk that gets full once."""

import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the program reads /proc")
def test_shards_that_are_killed_and_damaged_have_the_bytes_of_an_undisturbed_run():
    command = [sys.executable, "-m", "tests.chaos", "--short"]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stdout + ended.stderr
