"""The benchmark with real Blender, as small as possible."""

import json
import os
import subprocess
import sys

import pytest

from benchmarks import __main__ as bench
from blendgen.errors import ExitCode
from tests.benchmarks.fake import fake_report

SPEC = """\
blendgen: 1
name: shapes
products: [{catalog: shapes}]
surface: {kind: paper}
render: {preset: smoke, denoise: true}
sensor: machine_vision
"""


def run(*arguments, **environment):
    command = [sys.executable, "-m", "benchmarks", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=600
    )


@pytest.fixture
def scene(tmp_path):
    path = tmp_path / "scene.yaml"
    path.write_text(SPEC)
    return path


def test_without_matplotlib_the_report_is_written_and_a_message_says_why_there_is_no_plot(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("benchmarks.plot.can_plot", lambda: False)
    bench._write(fake_report(), "{}", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["bench.json"]
    assert "blendgen[report]" in capsys.readouterr().err


@pytest.mark.slow
def test_the_plot_is_written_next_to_the_report(tmp_path):
    pytest.importorskip("matplotlib")
    bench._write(fake_report(), "{}", tmp_path)
    assert (tmp_path / "bench.png").stat().st_size > 10_000


@pytest.mark.slow
def test_a_missing_python_to_compare_with_is_reported_before_the_measurements(scene, tmp_path):
    pytest.importorskip("bpy")
    result = run("--scene", scene, "--quick", "--against", tmp_path)
    assert result.returncode == ExitCode.SETUP
    assert "there is no Python" in result.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_quick_bench_measures_everything(scene, tmp_path):
    pytest.importorskip("bpy")
    page = tmp_path / "page.md"
    options = ("--scene", scene, "--quick", "--check", "-o", tmp_path / "out", "--page", page)
    result = run(*options, BLENDGEN_BLENDERPROC="")
    assert result.returncode == 0, result.stderr
    report = json.loads((tmp_path / "out" / "bench.json").read_text())
    assert "Thresholds" in result.stdout and result.stdout.strip() in page.read_text()
    assert all(rate["images_per_s"]["median"] > 0 for rate in report["rates"])
    assert report["blenderproc"] is None
    assert {one["verdict"] for one in report["verdicts"]} <= {"not judged", "not measured"}


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("BLENDGEN_BLENDERPROC"), reason="BLENDGEN_BLENDERPROC names no Python")
def test_a_quick_bench_compared_with_blenderproc(scene):
    result = run("--scene", scene, "--quick", "--json")
    assert result.returncode == 0, result.stderr
    versus = json.loads(result.stdout)["blenderproc"]
    assert all(rate["median"] > 0 for rate in versus["images_per_s"].values())
