"""blendgen report, and the report that generate writes at its end; what makes the images is replaced."""

import json
import os
import shutil
import signal

import pytest

from blendgen import api
from blendgen.cli import final_report, generate
from blendgen.system.progress import Counter
from blendgen.workers.run import GenerateReport
from blendgen.workers.stop_signal import StopSignal
from tests.cli.in_process import blendgen
from tests.farm.made import SPEC, make


@pytest.fixture(scope="module")
def data_set(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli") / "set"
    make(folder, spec=SPEC.model_copy(update={"images": 4}))
    return folder


@pytest.fixture
def out(data_set, tmp_path, monkeypatch):
    """A folder of which `generate` says that it has made the images there."""
    monkeypatch.delenv("BLENDGEN_NO_REPORT")
    folder = shutil.copytree(data_set, tmp_path / "out")
    monkeypatch.setattr(api, "generate", lambda spec, folder, **options: result_of(folder, made=4))
    return folder


def result_of(folder, made):
    images = json.loads((folder / "dataset.json").read_text())["images"] if folder.exists() else 4
    return GenerateReport(
        folder, images, made, 4 - made, 0, {}, {"train": images}, ("box", "sphere"), 2, None
    )


def test_generate_writes_a_report_and_prints_its_path_last(out):
    result = blendgen("generate", "scene.yaml", "-o", out)
    assert (
        result.returncode == 0 and result.stdout.splitlines()[-1] == f"report:        {out / 'report.html'}"
    )
    run = json.loads((out / "report.json").read_text())["run"]
    assert run["made"] == 4 and run["seconds"] > 0 and run["command"].startswith("blendgen ")


def test_the_time_of_a_long_run_is_stated(out, monkeypatch):
    """A process of some minutes does not know its age any more."""
    ages_s = [300.0]
    monkeypatch.setattr(generate, "process_age_s", lambda: ages_s[0])

    def generated(spec, folder, **options):
        ages_s[0] = 0.0
        return result_of(folder, made=4)

    monkeypatch.setattr(api, "generate", generated)
    blendgen("generate", "scene.yaml", "-o", out)
    assert json.loads((out / "report.json").read_text())["run"]["seconds"] >= 300


def test_a_run_on_many_machines_writes_a_report_too(out, monkeypatch):
    """Its folder is absolute, whatever was given."""
    monkeypatch.chdir(out.parent)
    monkeypatch.setattr(api, "generate_on", lambda spec, folder, **options: result_of(out.absolute(), made=4))
    result = blendgen("generate", "scene.yaml", "-o", out.name, "--executor", "ray", "--json")
    assert json.loads(result.stdout)["report"] == str(out / "report.html")


def test_its_path_is_in_the_json_of_generate(out):
    answer = json.loads(blendgen("generate", "scene.yaml", "-o", out, "--json").stdout)
    assert answer["report"] == str(out / "report.html")


@pytest.mark.parametrize("options", [["--no-report"], ["--index", "0-3"]])
def test_generate_writes_none_for_a_part_or_if_it_shall_not(out, options):
    result = blendgen("generate", "scene.yaml", "-o", out, *options)
    assert result.returncode == 0 and "report" not in result.stdout and not (out / "report.html").exists()


def test_a_variable_of_the_environment_leaves_reports_out(out, monkeypatch):
    monkeypatch.setenv("BLENDGEN_NO_REPORT", "1")
    assert json.loads(blendgen("generate", "scene.yaml", "-o", out, "--json").stdout)["report"] is None


def test_a_shard_has_no_report(out, monkeypatch):
    monkeypatch.setattr(
        api, "generate", lambda spec, folder, **options: result_of(folder / "shards/0", made=4)
    )
    assert json.loads(blendgen("generate", "scene.yaml", "-o", out, "--json").stdout)["report"] is None


def test_a_run_that_made_nothing_leaves_the_report(out, monkeypatch):
    blendgen("generate", "scene.yaml", "-o", out)
    before = (out / "report.json").read_bytes()
    monkeypatch.setattr(api, "generate", lambda spec, folder, **options: result_of(folder, made=0))
    assert "report.html" in blendgen("generate", "scene.yaml", "-o", out).stdout
    assert (out / "report.json").read_bytes() == before


@pytest.mark.parametrize("states", [{}, {"data_sets": [{"images": 1}]}])
def test_a_page_about_other_images_is_written_again(out, monkeypatch, states):
    blendgen("generate", "scene.yaml", "-o", out)
    (out / "report.json").write_text(json.dumps({"report": "report of blendgen", **states}))
    monkeypatch.setattr(api, "generate", lambda spec, folder, **options: result_of(folder, made=0))
    assert blendgen("generate", "scene.yaml", "-o", out).returncode == 0
    assert "digest" in json.loads((out / "report.json").read_text())["data_sets"][0]


def test_a_page_of_somebody_else_is_not_the_report(out, monkeypatch):
    (out / "report.html").write_text("mine")
    monkeypatch.setattr(api, "generate", lambda spec, folder, **options: result_of(folder, made=0))
    answer = blendgen("generate", "scene.yaml", "-o", out, "--json")
    assert json.loads(answer.stdout)["report"] is None and "not part of a report" in answer.stderr


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_stops_the_report_alone(out, monkeypatch, signum):
    monkeypatch.setattr(final_report, "estimated_s", lambda images: os.kill(os.getpid(), signum) or 0)
    result = blendgen("generate", "scene.yaml", "-o", out, "--json")
    assert result.returncode == 0 and json.loads(result.stdout)["report"] is None
    assert f"stopped by a signal; for one, run: blendgen report {out}" in result.stderr


@pytest.mark.parametrize("error", [MemoryError(), ValueError("what"), RecursionError()])
def test_no_error_of_the_report_fails_the_run(out, monkeypatch, error):
    def fail(*_, **options):
        raise error

    monkeypatch.setattr(api, "report", fail)
    result = blendgen("generate", "scene.yaml", "-o", out)
    assert result.returncode == 0 and "data set: " in result.stdout
    assert f"note: no report was written: {str(error) or type(error).__name__}; " in result.stderr


@pytest.mark.parametrize(("stop", "end_s"), [(StopSignal(count=1), None), (StopSignal(), 0.0)])
def test_a_report_ends_at_its_next_row(stop, end_s):
    rows = []
    inner = Counter(lambda finished, total: rows.append(finished))
    watched = final_report.WatchedProgress(inner, stop, end_s)
    with pytest.raises(Exception, match=r"stopped by a signal|too little time"):
        watched.advance(1)
    assert rows == []


def test_the_report_keeps_the_time_limit(out):
    result = blendgen("generate", "scene.yaml", "-o", out, "--time-limit", "1s")
    assert result.returncode == 0 and "--time-limit leaves too little time" in result.stderr
    assert "report:" not in result.stdout
    assert "report:" in blendgen("generate", "scene.yaml", "-o", out, "--time-limit", "1h").stdout


def test_a_command_need_not_be_text(out):
    assert "report:" in blendgen("generate", "caf\udce9.yaml", "-o", out).stdout
    command = json.loads((out / "report.json").read_text())["run"]["command"]
    assert command == f"blendgen generate 'caf?.yaml' -o {out}"


def test_a_report_that_cannot_be_written_is_a_note(out):
    (out / "report.html").write_text("mine")
    result = blendgen("generate", "scene.yaml", "-o", out)
    assert result.returncode == 0 and "note: no report was written" in result.stderr
    assert (out / "report.html").read_text() == "mine"


def test_the_command_prints_the_path(out, tmp_path):
    page = tmp_path / "page.html"
    assert blendgen("report", out, "-o", page).stdout == f"report: {page}\n"
    answer = json.loads(blendgen("report", out, "--compare", out, "-o", page, "--json").stdout)
    assert answer == {"schema_version": 1, "report": str(page), "json": str(tmp_path / "page.json")}


def test_a_folder_without_a_data_set_is_an_error(tmp_path):
    result = blendgen("report", tmp_path)
    assert result.returncode == 5 and "does not contain a data set" in result.stderr
