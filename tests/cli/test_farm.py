"""blendgen farm: where its files go; the commands have the options and the defaults of the library."""

import inspect
import json

import pytest
import yaml

from blendgen import api
from blendgen.cli import group, run
from blendgen.farm.job import FarmOptions, farm_job
from tests.farm.conftest import SPEC


@pytest.fixture(autouse=True)
def scene(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scene.yaml").write_text(SPEC)


SLURM = ["farm", "slurm", "scene.yaml", "-o", "out", "--shards", "2"]
KUBERNETES = ["farm", "kubernetes", "scene.yaml", "-o", "out", "--shards", "2", "--image", "x",
              "--claim", "c", "--volume", "."]  # fmt: skip


def test_the_script_for_slurm_goes_to_stdout_or_to_a_file(tmp_path, capsys):
    assert run(SLURM) == 0
    text = capsys.readouterr().out
    assert text == api.slurm_script("scene.yaml", "out", 2)
    for _ in range(2):  # an earlier script is replaced
        assert run([*SLURM, "--script", "job.sh"]) == 0
    assert (tmp_path / "job.sh").read_text() == text and capsys.readouterr().out == ""


def test_a_file_of_somebody_else_stays(tmp_path, capsys):
    (tmp_path / "job.sh").write_text("mine")
    assert run([*SLURM, "--script", "job.sh"]) == 5
    assert (tmp_path / "job.sh").read_text() == "mine" and "job.sh: exists" in capsys.readouterr().err
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle/asset_references.yaml").write_text("mine")
    assert run(["farm", "openjd", "scene.yaml", "-o", "bundle", "--shards", "2"]) == 5
    assert [path.name for path in (tmp_path / "bundle").iterdir()] == ["asset_references.yaml"]


def test_submitting_without_slurm_says_so(monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    assert run([*SLURM, "--submit"]) == 4
    assert capsys.readouterr().err.startswith("blendgen: sbatch cannot be run: ")


def test_the_bundle_has_three_files_and_a_data_set_in_it(tmp_path, capsys):
    for _ in range(2):
        assert run(["farm", "openjd", "scene.yaml", "-o", "bundle", "--shards", "2", "-n", "4"]) == 0
    names = {path.name for path in (tmp_path / "bundle").iterdir()}
    assert names == {"template.yaml", "parameter_values.yaml", "asset_references.yaml"}
    values = yaml.safe_load((tmp_path / "bundle/parameter_values.yaml").read_text())["parameterValues"]
    assert values[1] == {"name": "DataSet", "value": str(tmp_path / "bundle/dataset")}
    assert "-n 4" in (tmp_path / "bundle/template.yaml").read_text()


def test_the_manifest_goes_to_stdout(capsys):
    assert run([*KUBERNETES, "--set", "camera.roll_deg=3"]) == 0
    shards, _ = yaml.safe_load_all(capsys.readouterr().out)
    assert "camera.roll_deg=3" in json.dumps(shards)
    assert run([*KUBERNETES, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["schema_version"] == 1 and len([*yaml.safe_load_all(answer["text"])]) == 2


def test_a_wrong_spec_is_an_error_before_anything_is_submitted(tmp_path, capsys):
    (tmp_path / "scene.yaml").write_text(SPEC + "colour: red\n")
    for words in (SLURM, KUBERNETES):
        assert run(words) == 3
        assert "scene.yaml:7:1: colour: unknown key" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name, function",
    [("slurm", api.slurm_script), ("openjd", api.openjd_bundle), ("kubernetes", api.kubernetes_manifest)],
)
def test_the_library_has_the_defaults_of_the_command(name, function):
    command = group.get_command(None, "farm").commands[name]
    given = {param.name: param.default for param in command.params}  # click marks the absence of a default
    options = {key: value if isinstance(value, str | int) else None for key, value in given.items()}
    library = {**inspect.signature(farm_job).parameters, **inspect.signature(function).parameters}
    for key in (*FarmOptions.__annotations__, *inspect.signature(function).parameters):
        if key in options and library[key].default is not inspect.Parameter.empty:
            assert (options[key] or None) == (library[key].default or None), key
