"""The benchmark of `blendgen preview --watch`, small."""

import pytest

from benchmarks.watch import command
from blendgen.cli import run

pytest.importorskip("bpy")


@pytest.mark.slow
def test_each_kind_of_change_makes_a_sheet(capsys):
    assert run(["--resolution", "16", "-n", "1", "--rounds", "1"], command) == 0
    lines = capsys.readouterr().out.splitlines()
    kinds = [line.partition(" changes: ")[0] for line in lines]
    assert kinds == [
        "every shot",
        "the sensor",
        next(k for k in kinds if k.startswith("peak")),
        "a model file",
    ]
