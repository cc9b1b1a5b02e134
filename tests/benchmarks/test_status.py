"""The benchmark of `blendgen status`, small."""

import pytest

from benchmarks.status import command
from blendgen.cli import run
from tests.farm.test_status import finished


@pytest.mark.slow
def test_each_way_to_count_gives_the_number_of_rows(tmp_path, capsys):
    finished(tmp_path / "out", 1)
    assert run([str(tmp_path / "out"), "-n", "2500", "--shards", "3"], command) == 0
    images = [int(line.split(" images")[0].split()[-1]) for line in capsys.readouterr().out.splitlines()]
    assert images == [2500, 2500, 2500, 3]
