"""The benchmark of very many rows, small."""

import pytest

from benchmarks.rows import command
from blendgen.cli import run
from tests.conftest import make_spec
from tests.farm.made import make

COMMANDS = [
    "resume", "open_rows", "status", "count_rows",
    "verify", "export_csv", "export_coco", "export_imagefolder",
]  # fmt: skip


@pytest.mark.slow
def test_each_command_goes_through_all_rows(tmp_path, capsys):
    make(tmp_path / "out", spec=make_spec(images=1, resolution=[24, 16]))
    assert run([str(tmp_path / "out"), "-n", "300", "--short"], command) == 0
    _, *lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [[name, "300"] for name in COMMANDS]
