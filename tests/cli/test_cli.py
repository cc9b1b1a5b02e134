"""The command line without Blender; how it starts and ends, in a process of its own."""

import json
import os
import subprocess
import sys

import pytest

from blendgen import api
from blendgen.cli import _COMMANDS, run
from blendgen.errors import ExitCode
from blendgen.workers.run import GenerateReport
from tests.cli import in_process

SPEC = """\
blendgen: 1
name: test
products: [{catalog: shapes}]
resolution: [64, 64]
render: smoke
"""


def blendgen(*arguments, cwd=None, timeout_s=240, **environment):
    return subprocess.run(
        [sys.executable, "-m", "blendgen", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **environment},
        timeout=timeout_s,
    )


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "scene.yaml"
    path.write_text(SPEC)
    return path


def test_help_names_every_command():
    result = blendgen("--help")
    assert result.returncode == 0
    for name in _COMMANDS:
        assert name in result.stdout
        assert run([name, "--help"]) == 0


def test_a_mistyped_command_gets_a_suggestion():
    result = blendgen("genrate")
    assert result.returncode == 2
    assert "did you mean generate?" in result.stderr


def test_the_schema_is_json_on_stdout():
    assert json.loads(blendgen("schema").stdout)["title"] == "blendgen scene spec"


def test_an_invalid_spec_is_reported_with_its_line_and_exits_3(spec):
    spec.write_text(SPEC + "seeed: 3\ncamera: {distance_m: {uniform: [2, 1]}}\n")
    result = in_process.blendgen("check", spec)
    assert result.returncode == 3
    assert f"{spec}:6:1: seeed: unknown key; did you mean seed?" in result.stderr
    assert f"{spec}:7:10: camera.distance_m: uniform needs low < high, got [2, 1]" in result.stderr
    assert "Traceback" not in result.stderr and result.stdout == ""


def test_a_missing_spec_exits_2(tmp_path):
    result = in_process.blendgen("check", tmp_path / "absent.yaml")
    assert result.returncode == 2
    assert "No such file" in result.stderr


def test_an_invalid_override_is_reported_with_its_text(spec):
    result = in_process.blendgen("check", spec, "--set", "camera.roll_deg=abc")
    assert result.returncode == 3
    assert "--set camera.roll_deg=abc: must be a number" in result.stderr


def test_a_missing_model_folder_exits_3_with_the_expected_path(spec):
    spec.write_text(SPEC.replace("catalog: shapes", "directory: nowhere"))
    result = in_process.blendgen("check", spec)
    assert result.returncode == 3
    assert "nowhere" in result.stderr and ".glb" in result.stderr


def test_unknown_models_and_colourways_are_reported_with_their_line(spec):
    spec.write_text(SPEC.replace("{catalog: shapes}", "{catalog: shapes, models: [box, sphre]}"))
    result = in_process.blendgen("check", spec)
    assert result.returncode == 3
    assert "scene.yaml:3:" in result.stderr and "did you mean sphere?" in result.stderr


def test_a_cache_that_cannot_be_written_exits_4(spec, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(tmp_path / "file" / "x"))
    result = in_process.blendgen("check", spec)
    assert result.returncode == 4
    assert "BLENDGEN_CACHE_DIR" in result.stderr


def test_verbose_shows_the_traceback(tmp_path):
    assert "Traceback" in blendgen("-v", "check", tmp_path / "absent.yaml").stderr


def test_the_command_line_imports_quickly():
    code = "import sys, blendgen.cli; print(len([m for m in sys.modules if m.split('.')[0] in "
    code += "('numpy', 'scipy', 'PIL', 'pydantic', 'yaml')]))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "0"


def test_all_faults_of_a_folder_are_reported_with_their_place(tmp_path):
    path = tmp_path / "scene.yaml"
    path.write_text("blendgen: 1\nname: x\nproducts:\n  - directory: a\n  - directory: b\n")
    result = in_process.blendgen("check", path)
    assert result.returncode == 3
    for place in ("scene.yaml:4:5: products[0].directory: a: the folder does not exist", "scene.yaml:5:5"):
        assert place in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (("preview", "-o", "sheet.xyz"), 2, "ends in .png"),
        (("generate", "-o", "out", "-n", "9999999999"), 2, "100000000"),
        (("generate", "-o", "out", "--index", ""), 2, "expected ranges such as"),
        (("check", "--set", "camera.roll_deg={uniform: [0"), 2, "--set camera.roll_deg"),
        (("check", "--render", "smok"), 3, "--render smok: 'smok' is not a preset"),
    ],
)
def test_a_wrong_call_is_reported_before_any_work(spec, monkeypatch, arguments, code, expected):
    command, *options = arguments
    monkeypatch.chdir(spec.parent)
    result = in_process.blendgen(command, spec, *options)
    assert result.returncode == code
    assert expected in result.stderr and "Traceback" not in result.stderr


def test_closed_standard_streams_are_harmless(spec):
    result = subprocess.run(
        f"{sys.executable} -m blendgen schema >&- 2>&- <&-", shell=True, check=False, timeout=240
    )
    assert result.returncode == 0


@pytest.mark.parametrize(("failed", "code"), [(0, 0), (2, ExitCode.INCOMPLETE)])
def test_a_run_that_sets_images_aside_has_an_exit_code_of_its_own(tmp_path, monkeypatch, failed, code):
    options = {}

    def generate(*_, **given):
        options.update(given)
        reasons = {"pile_unsettled": failed}
        return GenerateReport(tmp_path, 3, 3, 0, failed, reasons, {"train": 3}, ("box",), 1, None)

    monkeypatch.setattr(api, "generate", generate)
    assert run(["generate", "scene.yaml", "-o", str(tmp_path), "--retry-failed"]) == code
    assert options["retry_failed"] is True
    assert run(["generate", "scene.yaml", "-o", str(tmp_path), "--allow-failed"]) == 0
