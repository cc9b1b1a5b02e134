"""blendgen merge as a command, and shards and their merge with real Blender."""

import json

import pytest
import yaml

import blendgen
from blendgen.cli import run
from blendgen.errors import ExitCode
from tests.farm.made import content, make_shards
from tests.test_api_generate import SPEC


def test_the_command_merges_and_prints_counts(tmp_path, capsys):
    make_shards(tmp_path / "out", 2)
    folder = str(tmp_path / "out")
    assert run(["merge", "-o", folder, "--json"]) == ExitCode.OK
    result = json.loads(capsys.readouterr().out)
    assert result["folder"] == folder and result["shards"] == 2 and result["images_failed"] == 4
    assert run(["merge", "-o", folder, "--remove-shards"]) == ExitCode.OK
    printed = capsys.readouterr()
    assert (
        printed.out == f"{folder}\n" and "11 images (" in printed.err and "; 4 cannot be made" in printed.err
    )
    assert not (tmp_path / "out/shards").exists()


def test_shards_that_cannot_be_merged_are_an_error_of_the_data_set(tmp_path, capsys):
    assert run(["merge", "-o", str(tmp_path)]) == ExitCode.DATASET
    assert run(["merge", str(tmp_path), "-o", str(tmp_path)]) == ExitCode.USAGE
    assert capsys.readouterr().err.count("\n") == 2


@pytest.mark.slow
def test_shards_of_blender_are_the_bytes_of_one_run(tmp_path, monkeypatch):
    pytest.importorskip("bpy")
    path = tmp_path / "scene.yaml"
    path.write_text(yaml.safe_dump(SPEC | {"images": 5}))
    blendgen.generate(path, tmp_path / "whole", workers=1)
    out = tmp_path / "out"
    blendgen.generate(path, out, shard="1/2", workers=1)
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "0")
    monkeypatch.setenv("BLENDGEN_SHARD_COUNT", "2")
    rows = list(blendgen.generate_rows(path, out, shard="auto", workers=1))
    assert [row.index for row in rows] == [0, 1]
    assert len(blendgen.open_dataset(out / "shards/00001-of-00002")) == 3
    with pytest.raises(blendgen.DatasetError, match="contains shards that are not merged"):
        blendgen.open_dataset(out)
    with pytest.raises(blendgen.DatasetError, match="contains shards that are not merged"):
        blendgen.generate(path, out)
    with pytest.raises(blendgen.UsageError, match="exclude each other"):
        blendgen.generate(path, out, shard="0/2", indices=[1])
    assert blendgen.merge(out)["images"] == 5
    assert content(out) == content(tmp_path / "whole")
    assert blendgen.generate(path, out, workers=1).made == 0
