"""A whole smoke run: what is changed is named, and another machine is not a change."""

import json
import shutil

import pytest

from blendgen import api
from blendgen.errors import DatasetError, TimeLimitReached
from blendgen.golden import machine, run
from blendgen.golden.findings import Status
from tests.cli.in_process import blendgen
from tests.engine.model_files import obj

pytest.importorskip("bpy")
pytestmark = pytest.mark.slow
SPEC = """\
blendgen: 1
name: things
products: [{directory: models}]
images: 2
resolution: [48, 32]
camera:
  distance_m: {uniform: [0.3, 0.4]}
lighting: {lamps: {count: 1, kind: area}}
exposure: {metering: manual, lamp_ev: 1.0, camera_ev: 0, environment_ev: -4}
render: smoke
"""
DISTANCE = "distance_m: {uniform: [0.3, 0.4]}"


def box(x, y, z):
    return obj([(a * x, b * y, c * z) for a in (0, 1) for b in (0, 1) for c in (0, 1)])


@pytest.fixture(scope="module")
def golden_project(tmp_path_factory):
    """A folder with a spec, two models and golden files."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "models").mkdir()
    (folder / "models" / "mug.obj").write_text(box(0.05, 0.06, 0.08))
    (folder / "models" / "plate.obj").write_text(box(0.1, 0.02, 0.1))
    (folder / "scene.yaml").write_text(SPEC)
    with pytest.MonkeyPatch.context() as patch:
        not_in_ci(patch)
        patch.setattr(run, "find_spec", lambda name: None)
        assert api.smoke(folder / "scene.yaml", update=True).updated
    return folder


@pytest.fixture
def project(golden_project, tmp_path, monkeypatch):
    not_in_ci(monkeypatch)
    monkeypatch.setattr(run, "find_spec", lambda name: None)  # the ray check starts Blender again
    return shutil.copytree(golden_project, tmp_path / "project")


def not_in_ci(patch):
    for name in ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"):
        patch.delenv(name, raising=False)


def replace(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def camera_range(project):
    replace(project / "scene.yaml", DISTANCE, "distance_m: {uniform: [0.37, 0.47]}")


def model_content(project):
    (project / "models" / "mug.obj").write_text(box(0.05, 0.06, 0.1))


def label(project):
    (project / "models" / "mug.obj").rename(project / "models" / "cup.obj")


def lamp(project):
    replace(project / "scene.yaml", "lamp_ev: 1.0", "lamp_ev: 0.68")


CHANGES = {
    camera_range: [("camera.distance_m", "{uniform: [0.3, 0.4]} -> {uniform: [0.37, 0.47]}", 7)],
    model_content: [("model mug", "the content of mug.obj has changed", 3)],
    label: [("label mug -> cup", "", 3), ("model mug", "mug.obj is now cup.obj", 3)],
    lamp: [("exposure.lamp_ev", "1 -> 0.68", 9), ("brightness", "-1", 8)],
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_is_named_with_the_line_of_the_spec(project, change):
    change(project)
    report = api.smoke(project / "scene.yaml", output=project / "out")
    lines = [(finding.text, report.place(finding)[1]) for _, finding in report.failed()]
    assert not report.passed
    for start, text, line in CHANGES[change]:
        assert any(start in one and text in one and line == at for one, at in lines), lines
    assert (project / "out" / "montage.png").is_file()
    assert {folder.name for folder in (project / "out").iterdir() if folder.is_dir()} >= {"actual"}


def test_another_machine_is_not_a_change(project, monkeypatch):
    """Another kernel of Cycles, as on a CPU without AVX2: pixels differ, in tier b they may."""
    monkeypatch.setenv("CYCLES_CPU_NO_AVX2", "1")
    monkeypatch.setattr(machine, "_instruction_sets", lambda: "sse4_2")
    report = api.smoke(project / "scene.yaml", output=project / "out")
    assert report.passed and report.tier == "b" and "instruction sets" in report.tier_reason
    statuses = {check.name: check.status for check in report.checks}
    assert statuses == dict.fromkeys(statuses, Status.PASSED) | {"ray check": Status.SKIPPED}


def test_the_same_machine_makes_the_same_pixels_and_the_command_says_so(project):
    result = blendgen("smoke", project / "scene.yaml", "--junit", project / "j.xml", "--json")
    answer = json.loads(result.stdout)
    assert result.returncode == 0 and answer["passed"] and answer["tier"] == "a"
    assert answer["images"] == {"0": answer["images"]["0"], "1": answer["images"]["1"]}
    assert b"<testsuites" in (project / "j.xml").read_bytes()
    left = {path.name for path in project.iterdir()}
    assert left == {"models", "scene.yaml", "smoke", "j.xml"}


def test_nothing_within_the_budget_is_an_error_that_says_what_to_do(project):
    with pytest.raises(TimeLimitReached, match="--budget"):
        api.smoke(project / "scene.yaml", budget_s=1)


def test_golden_files_are_small_and_readable(golden_project):
    golden = golden_project / "smoke" / "scene"
    assert sum(path.stat().st_size for path in golden.rglob("*") if path.is_file()) < 50_000
    lines = (golden / "rows.json").read_text().splitlines()
    assert any(line.strip().startswith('"visible_fraction": ') for line in lines)


def test_a_damaged_golden_file_is_named(project):
    (project / "smoke" / "scene" / "golden.json").write_text('{"about": "blendgen smoke"')
    with pytest.raises(DatasetError, match=r"golden\.json: is not JSON.*--update"):
        api.smoke(project / "scene.yaml")
