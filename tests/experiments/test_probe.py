"""Probe, whole: a planted shortcut is found and named, and where there is none, none is."""

from __future__ import annotations

import json

import pytest

import blendgen
from blendgen.cli import run as run_command
from blendgen.errors import DatasetError, ExitCode, UsageError

VARIED = ("exposure.camera_ev", "camera.elevation_deg")
PLANTED = "(label == 'box') == (exposure.camera_ev > 0)"


def trained(folder, place, where=None):
    """A run at a place; where: of the images that it learns from"""
    if where is not None:
        blendgen.subset(folder, place / "planted", where=where)
        folder = place / "planted"
    return blendgen.train(folder, place / "run", head_only=True).folder


@pytest.mark.slow
def test_a_planted_shortcut_is_found_and_named(out, spec_path, tmp_path):
    run = trained(out, tmp_path, PLANTED)
    result = blendgen.probe(run, spec_path, parameters=VARIED, images=128, size=48, workers=1)
    assert result.shortcuts == ("exposure.camera_ev",)
    assert result.facts["class_in_dataset"]["exposure.camera_ev"] > 0.9
    assert "tell" in result.facts["advice"][0] and result.facts["design"]["images"] == 128
    page = result.page.read_text("utf-8")
    assert "exposure.camera_ev decides in place of the product" in page and "taken for" in page
    assert json.loads(result.numbers.read_text("utf-8"))["parameters"][0]["verdict"] == "shortcut"


@pytest.mark.slow
def test_the_command_prints_it_and_writes_the_spec(out, spec_path, tmp_path, capsys):
    run, changed = trained(out, tmp_path), tmp_path / "changed.yaml"
    line = ["probe", str(run), str(spec_path), "-n", "64", "--size", "48", "--workers", "1"]
    assert run_command([*line, "--parameter", "camera.elevation", "--json"]) == ExitCode.USAGE
    assert "did you mean camera.elevation_deg" in capsys.readouterr().err
    wanted = [word for name in VARIED for word in ("--parameter", name)]
    assert run_command([*line, *wanted, "--write-spec", str(changed), "--json"]) == ExitCode.OK
    facts = json.loads(capsys.readouterr().out)
    assert {one["parameter"] for one in facts["parameters"]} == {*VARIED}
    assert any("4 shots of 2 classes show only large effects" in note for note in facts["notes"])
    assert changed.exists() == bool(facts["changes"])


def test_what_cannot_be_probed_is_refused(out, spec_path, tmp_path):
    run = trained(out, tmp_path)
    with pytest.raises(UsageError, match="are needed at least"):
        blendgen.probe(run, spec_path, images=20)
    with pytest.raises(UsageError, match=r"ends with \.html"):
        blendgen.probe(run, spec_path, dest=tmp_path / "page.txt")
    (tmp_path / "mine.html").write_text("mine")
    with pytest.raises(DatasetError, match="was not written by blendgen"):
        blendgen.probe(run, spec_path, dest=tmp_path / "mine.html")
    with pytest.raises(UsageError, match="is not replaced"):
        blendgen.probe(run, spec_path, write_spec=spec_path)
    record = json.loads((run / "run.json").read_text("utf-8"))
    record["classes"][0] = "boxx"
    (run / "run.json").write_text(json.dumps(record))
    with pytest.raises(DatasetError, match=r"was not trained on the class 'box'.*did you mean boxx"):
        blendgen.probe(run, spec_path)


PHONES = """blendgen: 1
name: phones
seed: 3
images: 64
resolution: [64, 64]
products:
  - catalog: phones
    models: [iphone_12, iphone_13]   # which look alike
surface:
  kind: {choice: [paper, belt_rubber]}
camera:
  frame_fill: {uniform: [0.6, 0.9]}
sensor: machine_vision
render: smoke
"""


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_a_surface_that_tells_the_class_is_found_in_renders(tmp_path):
    """Each model on a surface of its own; and the same images without that."""
    spec = tmp_path / "phones.yaml"
    spec.write_text(PHONES, "utf-8")
    blendgen.generate(spec, tmp_path / "out", workers=1)
    run = trained(tmp_path / "out", tmp_path, "(label == 'iphone_12') == (shot.surface.kind == 'paper')")
    options = {"parameters": ["surface.kind", "camera.elevation_deg"], "size": 64, "workers": 1}
    assert blendgen.probe(run, spec, images=128, **options).shortcuts == ("surface.kind",)
    fair = trained(tmp_path / "out", tmp_path / "fair")
    assert blendgen.probe(fair, spec, images=96, **options).shortcuts == ()
