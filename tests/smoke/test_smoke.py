"""A whole smoke run: what is changed is named, and another machine is not a change."""

import json
import re
import shutil
import signal
import tempfile
from contextlib import nullcontext
from functools import partial

import pytest
from PIL import Image

from blendgen import api
from blendgen.errors import DatasetError, Interrupted, TimeLimitReached
from blendgen.golden import machine, noise, run
from blendgen.golden.files import read_golden
from blendgen.golden.findings import Status
from blendgen.golden.made import make
from blendgen.golden.pixels import Deviation
from blendgen.workers import early_worker
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
MADE = []  # by the golden files of this module
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
        patch.setattr(noise, "_RENDERS", 2)  # instead of 8
        patch.setattr(run, "make", partial(make_in, folder / "made", MADE))
        assert api.smoke(folder / "scene.yaml", update=True).updated
    return folder


def make_in(folder, made, plan, inventory, _scratch, *others):
    """As make, but the images stay."""
    made.append(make(plan, inventory, folder / "set", *others))
    return made[-1]


@pytest.fixture
def made(project, monkeypatch):
    """The images of the golden files, which are not rendered again."""
    monkeypatch.setattr(run, "make", lambda *_: MADE[-1])
    monkeypatch.setattr(early_worker, "start_early_worker", lambda: nullcontext(early_worker.EarlyWorker()))
    return MADE[-1]


@pytest.fixture
def project(golden_project, tmp_path, monkeypatch):
    not_in_ci(monkeypatch)
    monkeypatch.setattr(run, "find_spec", lambda name: None)  # the ray check starts Blender again
    return shutil.copytree(golden_project, tmp_path / "project", ignore=shutil.ignore_patterns("made"))


def not_in_ci(patch):
    for name in ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"):
        patch.delenv(name, raising=False)


def replace(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def scene(project):
    """Another range of the camera, another label, another model."""
    replace(project / "scene.yaml", DISTANCE, "distance_m: {uniform: [0.37, 0.47]}")
    (project / "models" / "mug.obj").rename(project / "models" / "cup.obj")
    (project / "models" / "plate.obj").write_text(box(0.1, 0.02, 0.09))


def lamp(project):
    replace(project / "scene.yaml", "lamp_ev: 1.0", "lamp_ev: 0.68")


CHANGES = {
    scene: [
        ("camera.distance_m", "{uniform: [0.3, 0.4]} -> {uniform: [0.37, 0.47]}", 7),
        ("label mug -> cup", "", 3),
        ("model mug", "mug.obj is now cup.obj", 3),
        ("model plate", "the content of plate.obj has changed", 3),
    ],
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


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def signalled(function, signum):
    """The function, during which a signal arrives."""

    def called(*arguments, **options):
        signal.raise_signal(signum)
        return function(*arguments, **options)

    return called


@pytest.mark.parametrize(
    ("step", "arguments"),
    [
        ("measured_inventory", []), ("verify", []), ("ray_faults", []), ("compared", []),
        ("write_pictures", []), ("noise_of", ["--update"]), ("write_golden", ["--update"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_any_step_leaves_whole_golden_files_and_nothing_else(
    project, made, monkeypatch, step, arguments, signum
):
    scratch = project / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.setattr(run, "noise_of", lambda *_: {n: (Deviation(0.0, 0.0, (0, 0)),) for n in made.rows})
    monkeypatch.setattr(run, "find_spec", lambda name: name if step == "ray_faults" else None)
    monkeypatch.setattr(run, step, signalled(getattr(run, step), signum))
    before = contents(project)
    report, pictures = project / "j.xml", project / "pictures"
    done = blendgen("smoke", project / "scene.yaml", "-o", pictures, "--junit", report, *arguments)
    assert done.returncode == 128 + signum and "stopped" in done.stderr
    assert "stopped" in report.read_text() and not [*scratch.iterdir()]
    left = contents(project)
    if step == "write_golden":  # it is short, so it is finished
        assert left.keys() - {"j.xml"} == before.keys() and read_golden(project / "smoke" / "scene")
    else:
        assert {name: left[name] for name in before} == before and left.keys() - before.keys() == {"j.xml"}


def test_a_signal_while_the_last_image_is_rendered_ends_the_run(project):
    class Stopping:
        def begin(self, total, unit="image"):
            self.left = total

        def advance(self, count):
            self.left -= count
            if not self.left:
                signal.raise_signal(signal.SIGTERM)

        def note(self, text):
            pass

    before = contents(project)
    with pytest.raises(Interrupted, match="nothing was compared") as stopped:
        api.smoke(project / "scene.yaml", progress=Stopping())
    assert stopped.value.signum == signal.SIGTERM and contents(project) == before


@pytest.mark.parametrize("change", ["", '"visible_fraction": 0.5'])
def test_against_golden_files_of_a_gpu_labels_alone_are_compared(project, made, change):
    golden = project / "smoke" / "scene"
    replace(golden / "golden.json", '"device": "cpu"', '"device": "cuda"')
    for picture in (golden / "clean").iterdir():
        Image.new("RGB", (48, 32), "red").save(picture)
    rows = golden / "rows.json"
    rows.write_text(re.sub(r'"visible_fraction": [0-9.]+', change or r"\g<0>", rows.read_text()))
    report = api.smoke(project / "scene.yaml")
    statuses = {check.name: check.status for check in report.checks}
    assert report.tier == "c" and statuses["images"] == Status.SKIPPED
    assert statuses["labels"] == (Status.FAILED if change else Status.PASSED)


def test_golden_files_are_small_and_readable(golden_project):
    golden = golden_project / "smoke" / "scene"
    assert sum(path.stat().st_size for path in golden.rglob("*") if path.is_file()) < 50_000
    lines = (golden / "rows.json").read_text().splitlines()
    assert any(line.strip().startswith('"visible_fraction": ') for line in lines)


def test_a_damaged_golden_file_is_named(project):
    (project / "smoke" / "scene" / "golden.json").write_text('{"about": "blendgen smoke"')
    with pytest.raises(DatasetError, match=r"golden\.json: is not JSON.*--update"):
        api.smoke(project / "scene.yaml")
