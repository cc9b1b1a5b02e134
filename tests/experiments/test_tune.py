"""Tune: ranges move and keep a spread, a stopped search goes on, and chance is not called help."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from PIL import Image

import blendgen
from blendgen import api
from blendgen.cli import run as run_command
from blendgen.errors import DatasetError, ExitCode, SetupError, UsageError
from blendgen.experiments.search import Search
from blendgen.experiments.tune_ranges import Range, ranges
from blendgen.experiments.tune_target import Score, chance
from blendgen.learn.measures import Share
from blendgen.spec.distributions import Choice, LogUniform, Normal, TruncatedNormal, Uniform
from tests.conftest import make_spec

BEST_EV = 0.8


@pytest.fixture
def photos(made, tmp_path):
    """48 photos in class folders: images of the data set."""
    data = blendgen.open_dataset(made)
    for number, item in enumerate(data):
        if number < 48:
            folder = tmp_path / "photos" / data.classes[item["label_id"]]
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(item["image"]).save(folder / f"{number}.png")
    return tmp_path / "photos"


@pytest.fixture
def simple(spec_path):
    text = spec_path.read_text("utf-8").replace(
        "{choice: [-4, 1]}   # dark and bright", "{uniform: [-1, 1]}   # mine"
    )
    spec_path.write_text(text, "utf-8")
    return spec_path


@pytest.fixture
def scored(monkeypatch):
    """Specs are as good as their camera_ev is near BEST_EV; the calls that were made."""
    calls = []

    def score(self, values, indices, photos) -> Score:
        low, high = self._moved(values).spec.exposure.camera_ev.support()
        gap = abs((low + high) / 2 - BEST_EV)
        calls.append((low, high, indices, len(photos)))
        right = np.arange(len(photos)) >= gap * len(photos)
        return Score(gap, Share(int(right.sum()), len(right)), right)

    monkeypatch.setattr(Search, "_score", score)
    return calls


@pytest.mark.slow
def test_a_gain_is_written_with_its_evidence(simple, photos, tmp_path, scored):
    new = tmp_path / "tuned.yaml"
    line = ["tune", str(simple), "--photos", str(photos), "--parameter", "exposure.camera_ev", "-o", str(new)]
    assert run_command([*line, "--trials", "5"]) == ExitCode.OK
    first = json.loads((tmp_path / "tuned.tune.json").read_text("utf-8"))
    assert scored[0][:2] == (-1, 1)  # the spec as it is
    assert run_command([*line, "--trials", "12", "--force"]) == ExitCode.OK
    facts = json.loads((tmp_path / "tuned.tune.json").read_text("utf-8"))
    assert len(first["trials"]) == 5 and len(facts["trials"]) == 12
    assert facts["trials"][:5] == first["trials"]  # it went on
    assert facts["helped"] and facts["after"]["share"]["value"] > facts["before"]["share"]["value"]
    low, high = api.load_spec(new).spec.exposure.camera_ev.support()
    assert (low + high) / 2 > 0.2 and high - low >= 1
    text = new.read_text("utf-8")
    assert "# mine" in text and "# tune: chosen by 12 trials with 24 photos" in text
    assert "-  camera_ev: {uniform: [-1, 1]}" in facts["diff"]
    searched = [one for one in scored if one[2] == range(120)]
    compared = [one for one in scored if one[2] == range(120, 360)]
    assert len(searched) == 12 and len(compared) == 4  # other images, and the other half of the photos


def test_what_does_not_help_is_not_written(simple, photos, tmp_path, monkeypatch, capsys):
    right = np.arange(24) % 2 == 0
    monkeypatch.setattr(Search, "_score", lambda *_: Score(0.5, Share(12, 24), right))
    new = tmp_path / "tuned.yaml"
    line = ["tune", str(simple), "--photos", str(photos), "-o", str(new), "--trials", "3"]
    assert run_command(line) == ExitCode.OK
    assert capsys.readouterr().out.startswith("nothing helped: 50.0 %") and not new.exists()
    facts = json.loads((tmp_path / "tuned.tune.json").read_text("utf-8"))
    assert not facts["helped"] and facts["changes"] == [] and facts["diff"] == ""


def test_what_cannot_be_tuned_is_refused(simple, photos, tmp_path, monkeypatch):
    new = tmp_path / "tuned.yaml"
    with pytest.raises(UsageError, match="none of these is a range"):
        blendgen.tune(simple, new, photos=photos, parameters=["lighting.environment.image"])
    with pytest.raises(UsageError, match="give either photos"):
        blendgen.tune(simple, new)
    with pytest.raises(UsageError, match="is not replaced"):
        blendgen.tune(simple, simple, photos=photos)
    (tmp_path / "mine.tune.log").write_text("my notes")
    with pytest.raises(UsageError, match="is not the file of a search"):
        blendgen.tune(simple, tmp_path / "mine.yaml", photos=photos)
    few = tmp_path / "few"
    few.mkdir()
    Image.new("RGB", (20, 20)).save(few / "a.png")
    with pytest.raises(DatasetError, match="at least 20 are needed"):
        blendgen.tune(simple, new, unlabelled=few)
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(SetupError, match=r"blendgen\[tune\]"):
        blendgen.tune(simple, new, photos=photos)


@pytest.mark.parametrize(
    ("one", "shift", "spread", "expected"),
    [
        (Uniform(0, 10), 0.0, 1.0, {"uniform": [0, 10]}),
        (Uniform(0, 10), 0.5, 0.5, {"uniform": [7.5, 12.5]}),
        (Uniform(0, 10), 0.5, 1.5, {"uniform": [2.5, 17.5]}),
        (Uniform(0, 18), 0.5, 1.5, {"uniform": [0, 20]}),  # the bounds
        (Uniform(10, 20), 0.5, 1.0, {"uniform": [10, 20]}),
        (LogUniform(1, 4), 0.5, 1.0, {"log_uniform": [2, 8]}),
        (Normal(5, 2), -0.5, 0.5, {"normal": [3, 1]}),
        (TruncatedNormal(4, 1, 2, 6), 0.25, 2.0, {"truncated_normal": [5, 2, 1, 9]}),
    ],
)
def test_ranges_move_and_keep_a_spread(one, shift, spread, expected):
    assert Range("x", one, (0, 20)).moved(shift, spread) == expected


def test_ranges_have_the_bounds_of_their_fields():
    parameters = {
        "surface.dust": Uniform(0, 0.5),
        "camera.azimuth_deg": Uniform(0, 360),
        "exposure.camera_ev": Normal(0, 1),
        "surface.kind": Choice.even(("paper", "cardboard")),
    }
    chosen = {one.name: one for one in ranges(make_spec(), parameters, [])}
    assert {*chosen} == {"surface.dust", "exposure.camera_ev"}
    assert chosen["surface.dust"].bounds == (0, 1)


def test_a_paired_test_counts_only_photos_that_change():
    def scored(*right):
        return Score(0, Share(0, 1), np.array(right, bool))

    base = [0] * 10 + [1] * 90
    gained = [1] * 6 + [0] * 4 + [1] * 90
    assert chance(scored(*base), scored(*gained), True) == pytest.approx(1 / 64)
    assert chance(scored(*base), scored(*base), True) == 1
    assert chance(scored(*gained), scored(*base), True) > 0.9


def test_without_labels_photos_that_look_less_like_photos_are_a_gain():
    random = np.random.Generator(np.random.PCG64(1))
    before = Score(0, Share(0, 1), random.normal(0.8, 0.1, 30))
    after = Score(0, Share(0, 1), before.each - 0.05 - random.uniform(0, 0.1, 30))
    assert chance(before, after, False) < 0.001 < 0.9 < chance(after, before, False)
    assert chance(before, before, False) == 1


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_dark_images_become_as_bright_as_the_photos(out, simple, photos, tmp_path):
    """The photos are bright, many images of the spec dark."""
    text = simple.read_text("utf-8").replace("{uniform: [-1, 1]}", "{uniform: [-3, 1]}")
    simple.write_text(text, "utf-8")
    bright = tmp_path / "bright"
    bright.mkdir()
    for path in photos.rglob("*.png"):
        if np.asarray(Image.open(path)).mean() > 100:
            path.rename(bright / path.name)
    result = blendgen.tune(
        simple, tmp_path / "tuned.yaml", unlabelled=bright, parameters=["exposure.camera_ev"], trials=6,
        images=20, size=48, workers=1,
    )  # fmt: skip
    trials = result.facts["trials"]
    best = min(trials, key=lambda one: one["value"])
    assert best["value"] < trials[0]["value"] and best["values"]["exposure.camera_ev"][0] > 0
