"""What a smoke run says: differences in words, annotations, summary, JUnit; and what it refuses."""

import json
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

from blendgen.cli import smoke as command
from blendgen.errors import (
    CatalogError,
    DatasetError,
    DiskUnavailable,
    Interrupted,
    Problem,
    SetupError,
    SpecError,
    UsageError,
)
from blendgen.golden import ci, github
from blendgen.golden import files as golden_files
from blendgen.golden import run as golden_run
from blendgen.golden.bounds import bounds_of
from blendgen.golden.compare import compared
from blendgen.golden.coverage import class_check
from blendgen.golden.failure import failure_of
from blendgen.golden.files import has_golden, read_golden, refuse_others_folder, rows_text, write_golden
from blendgen.golden.findings import NO_GOLDEN, Check, Finding, SmokeReport, Status
from blendgen.golden.junit import failure_xml, junit_xml
from blendgen.golden.machine import Tier, tier_of
from blendgen.golden.pictures import refuse_others_output, remove_pictures
from blendgen.golden.pixels import Deviation, deviation
from blendgen.golden.places import Places
from blendgen.golden.values import changes
from blendgen.verification.rays import cast
from tests.cli.in_process import blendgen

CPU = {"engine": "cycles", "version": "5.2.3", "device": "cpu", "kernel": "AVX2"}
HOSTILE = "a%b\n::error::x, </testsuite> \x1b[31m ‮ | **bold** <img src=x>"


def report(*findings, **changes):
    checks = (Check("labels", findings), Check("ray check", (Finding("left out"),), skipped=True))
    values = {
        "name": "things", "spec": "scene.yaml", "images": {0: "mug"}, "checks": checks, "left_out": (),
        "golden": Path("smoke/scene"), "has_golden": True, "updated": False, "tier": Tier.CPU,
        "tier_reason": "", "seconds": {"rendering": 1.5}, "places": {("camera",): ("scene.yaml", 6)},
    }  # fmt: skip
    return SmokeReport(**values | changes)


@pytest.mark.parametrize(
    ("a", "b", "text"),
    [
        ({"visible_fraction": 0.62, "x": 1}, {"visible_fraction": 0.48, "x": 1}, "0.62 -> 0.48"),
        ({"d": {"uniform": [1, 2]}, "x": 1}, {"d": {"uniform": [1, 3]}, "x": 1},
         "{uniform: [1, 2]} -> {uniform: [1, 3]}"),
        ({"m": np.eye(4).tolist(), "x": 1}, {"m": np.diag([1.0, -1, -1, 1]).tolist(), "x": 1},
         "moved by 0 m, turned by 180 deg"),
        ({"x": 0.1, "y": 1}, {"y": 1, "x": 0.1}, None),
        ({"x": 1.00000001, "y": 1}, {"x": 1.00000002, "y": 1}, "1.00000001 -> 1.00000002"),
        ({"objects": {"1": {"a": 5, "x": 0}}, "y": 1},
         {"objects": {"1": {"a": 6, "x": 0}}, "y": 1}, "5 -> 6"),
    ],
)  # fmt: skip
def test_a_change_is_written_as_people_read_it(a, b, text):
    assert [change.text for change in changes(a, b)] == ([text] if text else [])


def test_numbers_within_the_tolerance_are_the_same_but_whole_ones_never():
    assert not [*changes({"x": 1.0, "y": 2}, {"x": 1.000001, "y": 2}, 1e-5)]
    assert [change.path for change in changes({"x": 1.0, "y": 2}, {"x": 1.0, "y": 3}, 10.0)] == [("y",)]


@pytest.mark.parametrize(
    ("golden", "now", "tier"),
    [
        ({}, {}, "a"),
        ({}, {"kernel": "SSE42"}, "b"),
        ({}, {"version": "4.5.15"}, "b"),
        ({}, {"device": "cuda"}, "c"),
        ({"device": "cuda"}, {"device": "cuda"}, "c"),
        ({"engine": "eevee"}, {}, "c"),
    ],
)
def test_the_machine_decides_the_tier(golden, now, tier):
    assert tier_of(CPU | golden, CPU | now) == tier


def label_texts(before, now):
    """What the comparison of labels says of one image."""
    facts = {"pixels_version": 1, "spec": {}, "classes": {}, "models": {}, "machine": CPU}
    golden = SimpleNamespace(
        record=SimpleNamespace(blendgen_version="", **facts), rows={0: before},
        images={0: SimpleNamespace(label="mug")},
    )  # fmt: skip
    made = SimpleNamespace(rows={0: None}, plan=SimpleNamespace(images={0: "mug"}))
    checks = compared(golden, made, SimpleNamespace(rows={0: now}, **facts), Tier.LABELS)
    return [finding.text for check in checks if check.name == "labels" for finding in check.findings]


@pytest.mark.parametrize(
    ("before", "now", "text"),
    [
        ({"key": [1.0, 1.0, 1.0]}, {"key": [0.5, 0.5, 0.5]}, "light of key: brightness -50 %"),
        ({"key": [0.0, 0.0, 0.0]}, {"key": [0.5, 0.5, 0.5]}, "[0, 0, 0] -> [0.5, 0.5, 0.5]"),
        ({}, {"key": [0.5, 0.5, 0.5]}, "(none) -> [0.5, 0.5, 0.5]"),
        ({"key": [0.5, 0.5, 0.5]}, {}, "[0.5, 0.5, 0.5] -> (none)"),
        ({"key": "bright"}, {"key": [0.5, 0.5, 0.5]}, "bright -> [0.5, 0.5, 0.5]"),
    ],
)
def test_a_lamp_may_be_new_gone_or_off(before, now, text):
    rows = ({"exposure": {"group_gain": gain, "x": 0}, "index": 0} for gain in (before, now))
    assert [text in line for line in label_texts(*rows)] == [True]


@pytest.mark.parametrize("value", [json.loads("[" * 900 + "]" * 900), [[10**400, 0, 0, 0]] * 4])
def test_values_of_a_stranger_are_shortened(value):
    assert len(label_texts({"index": value, "x": 0}, {"index": np.eye(4).tolist(), "x": 0})) == 1


def test_an_empty_row_differs_in_all_its_fields():
    assert len(label_texts({}, {"index": 0, "split": "train"})) == 2


def test_brightness_and_the_place_of_a_difference():
    before = np.full((20, 20, 3), 100, np.uint8)
    after = before.copy()
    after[8:16, 16:] = 120
    away = deviation(before, after)
    assert away.block == 20 and away.block_px == (20, 12) and 0 < away.brightness < 0.05


def test_bounds_are_twice_the_deviation_and_never_below_that_of_the_other_images():
    noise = {n: (Deviation(b, 3.0, (0, 0)),) for n, b in enumerate((0.0, -0.02, 0.01))}
    assert [bound.brightness for bound in bounds_of(noise).values()] == [0.02, 0.04, 0.02]
    assert bounds_of({0: (Deviation(0.0, 0.0, (0, 0)),)})[0].block == 2.0


def test_an_annotation_is_on_the_line_of_the_spec_and_cannot_end_its_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line, _ = github.report_annotations(report(Finding(HOSTILE, ("camera", "roll_deg"))), tmp_path)
    start = "::error file=scene.yaml,line=6,title=blendgen smoke%3A labels::a%25b%0A::error::x, "
    assert line.startswith(start) and "\n" not in line and "\x1b" not in line
    failure = failure_of(SpecError([Problem("a,b.yaml", 3, 1, "x", "wrong")]), "a,b.yaml")
    (line,) = github.failure_annotations(failure, tmp_path)
    assert line == "::error file=a%2Cb.yaml,line=3,title=blendgen smoke%3A x::wrong"


def test_github_shows_ten_annotations_so_the_rest_is_counted(tmp_path):
    lines = [*github.report_annotations(report(*map(Finding, map(str, range(12)))), tmp_path)]
    assert sum(line.startswith("::error ") for line in lines) == 10 and "and 2 more" in lines[10]


def test_what_is_left_out_is_a_warning_and_missing_golden_files_are_an_error(tmp_path):
    lines = [*github.report_annotations(report(left_out=("2 more classes",)), tmp_path)]
    assert [line.partition(" ")[0] for line in lines] == ["::warning"] * 2
    checks = (Check(NO_GOLDEN, (Finding("none; make them with --update"),), skipped=True),)
    (line,) = github.report_annotations(report(checks=checks, has_golden=False, tier=None), tmp_path)
    assert line.startswith("::error ") and "--update" in line


def test_the_summary_is_a_table_and_names_are_text():
    text = github.summary(report(Finding(HOSTILE)))
    assert "| labels | ❌ failed |" in text and "| ray check | ⏭️ left out |" in text
    assert r"\*\*bold\*\* \<img src=x\>" in text and "\n::error" not in text


def test_the_summary_begins_with_what_differs_and_where_the_spec_says_it():
    text = github.summary(report(Finding("camera.distance_m 0.62 -> 0.71", ("camera",))))
    head, change, way_out = [part for part in text.split("\n") if part and not part.startswith("|")][:3]
    assert head == "### blendgen smoke: things: ❌ 1 of 2 checks failed"
    assert change == r"- **labels**: camera.distance\_m 0.62 -\> 0.71 \(scene.yaml\:6\)"
    assert way_out.startswith("If this is what you want, run blendgen smoke scene.yaml --update, look at")
    assert "want" not in github.summary(report())


def test_junit_fits_the_schema_of_jenkins():
    etree = pytest.importorskip("lxml.etree")
    schema = etree.XMLSchema(etree.parse(Path(__file__).parent / "junit-10.xsd"))
    for one in (report(), report(Finding(HOSTILE)), report(left_out=(HOSTILE,), name="x\ufffe")):
        schema.assertValid(etree.fromstring(junit_xml(one)))
    schema.assertValid(etree.fromstring(failure_xml(failure_of(ValueError(HOSTILE), HOSTILE))))


def test_junit_counts_the_checks():
    suite = ElementTree.fromstring(junit_xml(report(Finding("camera.distance_m 0.62 -> 0.71"))))[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("2", "1", "1")
    assert suite.find("testcase/failure").get("message") == "camera.distance_m 0.62 -> 0.71"


def test_rows_have_a_line_for_each_field():
    rows = {
        3: {"label": "mug", "objects": {"1": {"bbox": [1, 2, 3, 4]}}, "lamps": [{"kind": "ring"}], "e": {}}
    }
    text = rows_text(rows)
    assert '   "1": {\n    "bbox": [1, 2, 3, 4]\n   }\n' in text.replace("     ", "    ")
    assert json.loads(text) == {"3": rows[3]}


@pytest.mark.parametrize("name", ["CI", "GITHUB_ACTIONS", "GITLAB_CI"])
def test_update_is_refused_in_ci(name, tmp_path, monkeypatch):
    for one in ("CI", "GITHUB_ACTIONS", "GITLAB_CI"):
        monkeypatch.delenv(one, raising=False)
    assert ci.in_ci({"CI": "false"}) == ""
    monkeypatch.setenv(name, "true")
    result = blendgen("smoke", tmp_path / "scene.yaml", "--update")
    assert result.returncode == 2 and f"not in CI ({name} is set)" in result.stderr


@pytest.mark.parametrize("name", ["clean/1.png", "clean/000001.png", "rows.json", ".partial/notes.txt"])
def test_files_without_a_golden_json_are_those_of_others(name, tmp_path):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).touch()
    with pytest.raises(DatasetError, match="choose another"):
        refuse_others_folder(tmp_path)


def test_a_first_update_that_was_killed_is_damaged_and_may_be_written_again(tmp_path, monkeypatch):
    monkeypatch.setattr(golden_files, "rows_text", lambda rows: 1 / 0)
    picture = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(ZeroDivisionError):
        write_golden(tmp_path, None, {}, {1: picture})
    (tmp_path / ".partial").mkdir(exist_ok=True)
    (tmp_path / ".partial" / "12-3").touch()
    assert (tmp_path / "clean" / "000001.png").is_file()
    refuse_others_folder(tmp_path)
    with pytest.raises(DatasetError, match="--update"):
        read_golden(tmp_path)


@pytest.mark.parametrize("refuse", [refuse_others_folder, refuse_others_output])
def test_files_of_others_are_not_mixed_in(refuse, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(DatasetError, match=r"thesis\.txt"):
        refuse(tmp_path)


@pytest.mark.parametrize(
    "text",
    ["[]", "{", '{"schema_version": 1}', "[" * 100_000, '{"schema_version": "\\ud800"}', "\x00"],
)
def test_golden_files_of_a_stranger_end_in_one_line(text, tmp_path):
    (tmp_path / "golden.json").write_text(text)
    with pytest.raises(DatasetError, match="--update") as error:
        read_golden(tmp_path)
    assert "\n" not in str(error.value)


def test_a_golden_folder_that_cannot_be_looked_into_is_not_one_without_files(tmp_path):
    with pytest.raises(DatasetError, match="choose another folder"):
        has_golden(tmp_path / ("a" * 300))
    (tmp_path / "golden.json").touch()
    with pytest.raises(DatasetError, match="is a file; give the folder"):
        has_golden(tmp_path / "golden.json")
    assert not has_golden(tmp_path / "missing")


def test_a_link_out_of_the_golden_folder_is_not_followed(tmp_path):
    (tmp_path / "golden").mkdir()
    (tmp_path / "secret").write_text("{}")
    (tmp_path / "golden" / "golden.json").symlink_to(tmp_path / "secret")
    with pytest.raises(DatasetError, match="leads out"):
        read_golden(tmp_path / "golden")


@pytest.mark.parametrize(
    ("change", "code"),
    [({}, 0), ({"has_golden": False, "tier": None}, 9), ({"checks": (Check("x", (Finding("y"),)),)}, 1)],
)
def test_the_exit_code_says_what_is_wrong(change, code, monkeypatch):
    monkeypatch.setattr(command.api, "smoke", lambda *_, **__: report(**change))
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    result = blendgen("smoke", "scene.yaml")
    assert result.returncode == code
    assert ("--update" in result.stderr) == (code == 1)


def test_in_github_the_summary_is_appended(monkeypatch, tmp_path):
    monkeypatch.setattr(command.api, "smoke", lambda *_, **__: report(Finding("moved")))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    (tmp_path / "summary.md").write_text("before\n")
    result = blendgen("smoke", "scene.yaml", "--json", "--quiet")  # annotations are results
    assert json.loads(result.stdout)["passed"] is False and "::error " in result.stderr
    assert (tmp_path / "summary.md").read_text().startswith("before\n### blendgen smoke: things: ❌ 1 of 2")


ERRORS = {
    "spec": (SpecError([Problem("scene.yaml", 4, 2, "camera.rol_deg", "unknown key")]), 3, "camera.rol_deg"),
    "model": (CatalogError("mug.obj: cannot be read"), 3, "mug.obj: cannot be read"),
    "disk": (DiskUnavailable("no space left on device"), 75, "no space left"),
    "signal": (Interrupted(15, "stopped; nothing was compared"), 143, "nothing was compared"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_ci_shows_why_a_run_did_not_end(name, monkeypatch, tmp_path):
    error, code, text = ERRORS[name]

    @contextmanager
    def no_worker():
        raise error
        yield

    monkeypatch.setattr("blendgen.workers.early_worker.start_early_worker", no_worker)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    result = blendgen("smoke", "scene.yaml", "--junit", tmp_path / "smoke.xml", "--quiet")
    assert result.returncode == code
    line = next(line for line in result.stderr.splitlines() if line.startswith("::error file=scene.yaml,"))
    assert f"line={4 if name == 'spec' else 1}," in line and text in line
    assert "did not run to its end" in (tmp_path / "summary.md").read_text()
    suite = ElementTree.parse(tmp_path / "smoke.xml").getroot()[0]
    assert suite.get("failures") == "1" and text in suite.find("testcase/failure").get("message")


def test_a_summary_that_cannot_be_written_changes_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(command.api, "smoke", lambda *_, **__: report())
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    (tmp_path / "file").touch()
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "file" / "summary.md"))
    result = blendgen("smoke", "scene.yaml")
    assert result.returncode == 0 and "note: the summary of the job was not written" in result.stderr


@pytest.mark.parametrize("output", ["golden", "golden/out", ".", "linked"])
def test_pictures_and_golden_files_do_not_mix(output, tmp_path):
    (tmp_path / "golden").mkdir()
    (tmp_path / "linked").symlink_to(tmp_path / "golden")
    with pytest.raises(UsageError, match=r"overlaps.*choose a folder outside"):
        Places(tmp_path / "golden", tmp_path / output).check(is_updated=False)
    with pytest.raises(UsageError, match="write it elsewhere"):
        Places(tmp_path / "golden", junit=tmp_path / "linked" / "x.xml").check(is_updated=False)


def test_the_junit_file_may_be_in_the_folder_of_the_pictures(tmp_path):
    places = Places(tmp_path / "golden", tmp_path / "out", tmp_path / "out" / "smoke.xml")
    (tmp_path / "out" / "actual").mkdir(parents=True)
    (tmp_path / "out" / "actual" / "000001.png").touch()
    places.junit.write_bytes(junit_xml(report()))
    places.check(is_updated=False)
    remove_pictures(places.output, places.junit)
    assert [path.name for path in places.output.iterdir()] == ["smoke.xml"]


def made_within_a_budget(finished: int, late: int):
    """What a run knows of its classes after so many images of an image a class."""
    labels = {index: f"c{index}" for index in range(finished + late)}
    rows = {n: SimpleNamespace(objects=SimpleNamespace(category=[labels[n]])) for n in range(finished)}
    spec = SimpleNamespace(spec=SimpleNamespace(images=60))
    plan = SimpleNamespace(images=labels, not_planned=2, absent=(), spec_file=spec)
    return SimpleNamespace(plan=plan, rows=rows, failures={}, late=tuple(labels)[finished:])


def test_classes_that_the_budget_leaves_out_fail_with_a_budget_that_is_enough():
    assert class_check(made_within_a_budget(3, 0), 60, 1, 5).status == Status.PASSED
    check = class_check(made_within_a_budget(1, 11), 60, 40, 10)
    assert check.status == Status.FAILED and check.note == "1 of 14 classes have an image"
    assert check.findings[0].text == (
        "11 of 12 images were not begun within the budget of 60 s (c1, c2, c3, c4, c5 and 6 more); at this "
        "pace, --budget 210s is enough"
    )


def test_a_ray_check_that_is_required_and_cannot_run_is_refused_before_anything_is_rendered(monkeypatch):
    monkeypatch.setattr(cast, "find_spec", lambda name: None)
    options = golden_run.SmokeOptions(Places(Path("nowhere")), require_ray_check=True)
    with pytest.raises(SetupError, match=r"blendgen\[audit\]"):
        golden_run.run_smoke(None, options, False, None)


@pytest.mark.parametrize("is_required", [True, False])
def test_a_ray_check_that_is_required_fails_where_the_budget_leaves_it_out(monkeypatch, is_required):
    monkeypatch.setattr(golden_run, "find_spec", lambda name: True)
    late = SimpleNamespace(
        options=SimpleNamespace(require_ray_check=is_required, budget_s=60.0),
        time_limit=SimpleNamespace(is_over=lambda: True),
    )
    check = golden_run._ray_check(late, None)
    assert check.status == (Status.FAILED if is_required else Status.SKIPPED)
    assert "raise --budget" in check.findings[0].text
