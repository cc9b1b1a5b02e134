"""Training on a small data set and photos of it, and evaluating, with a backbone of random weights."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image

import blendgen
from blendgen.cli import run as run_command
from blendgen.errors import DatasetError, ExitCode, SetupError, UsageError
from blendgen.learn import evaluate, train
from blendgen.learn.features import inference_session
from blendgen.learn.pixels import network_input
from blendgen.learn.run_folder import read_run
from blendgen.models.product import Catalog
from tests.conftest import make_product
from tests.exporters.conftest import make_dataset
from tests.learn.conftest import ODD

pytestmark = pytest.mark.usefixtures("backbone")


def test_a_run_states_what_it_is_made_of(mixed, out, photos, backbone):
    record = json.loads((mixed.folder / "run.json").read_text("utf-8"))
    assert record["schema_version"] == 1 and tuple(record["classes"]) == blendgen.open_dataset(out).classes
    assert record["backbone"] == json.loads(json.dumps(backbone.facts()))
    assert record["dataset"]["digest"] == "0123456789abcdef" and record["dataset"]["renders"] > 30
    assert record["photos"]["count"] == 24 == sum(record["photos"]["per_class"].values())
    assert record["preprocessing"]["side_px"] == 48
    assert any("broken.jpg: cannot be read" in note for note in record["notes"])
    measured = record["metrics"]["cross_validation"]
    assert measured["on"] == "photos" and {*measured} == {"on", "chosen", "photos_alone", "with_renders"}
    best = min(measured[one]["log_loss"] for one in ("photos_alone", "with_renders"))
    assert measured["chosen"]["log_loss"] <= best + 0.005
    assert sorted(path.name for path in mixed.folder.iterdir()) == [
        "head.npz", "model.onnx", "run.html", "run.json",
    ]  # fmt: skip


def test_the_model_computes_what_head_and_backbone_compute(mixed, out, backbone):
    image = blendgen.open_dataset(out).image(5)
    pixels = network_input(image, backbone.preprocessing)[None]
    features = inference_session(backbone.path.read_bytes()).run(None, {"image": pixels})[0]
    expected = read_run(mixed.folder).head.probabilities(features)
    result = inference_session(mixed.model.read_bytes()).run(["probabilities"], {"image": pixels})[0]
    assert np.allclose(result, expected, atol=1e-5) and np.allclose(result.sum(), 1)


def test_the_same_call_gives_the_same_run_and_reads_no_image_again(mixed, out, photos, monkeypatch):
    before = (mixed.folder / "head.npz").read_bytes()
    evaluated = blendgen.evaluate(mixed.folder, photos)
    assert evaluated.page.exists()
    monkeypatch.setattr("blendgen.learn.features.network_input", None)  # computes nothing
    again = blendgen.train(out, mixed.folder, head_only=True, real=photos, seed=3)
    assert np.array_equal(again.head.weight, mixed.head.weight)
    assert not evaluated.page.exists() and not evaluated.numbers.exists()  # of the earlier head
    assert (mixed.folder / "head.npz").read_bytes() == before


def test_photos_alone_are_used_where_renders_mislead(place, out, photos):
    """With classes in another order, renders say the wrong thing."""
    wrong = place / "wrong"
    classes = blendgen.open_dataset(out).classes
    for number, label in enumerate(classes):
        shutil.copytree(photos / "train" / label, wrong / classes[(number + 1) % len(classes)])
    run = blendgen.train(out, place / "misled", head_only=True, real=wrong)
    assert run.record["recipe"]["photo_share"] == 1
    assert any("renders do not help here and were left out" in note for note in run.record["notes"])
    fixed = blendgen.train(out, place / "misled", head_only=True, real=wrong, ratio=20.0)
    assert fixed.record["recipe"]["photo_share"] == pytest.approx(1 / 21)
    assert any("worse than real photos alone" in note for note in fixed.record["notes"])


def test_unlabelled_photos_change_the_renders(place, out, photos):
    run = blendgen.train(out, place / "aligned", head_only=True, unlabelled=photos / "test")
    alone = blendgen.train(out, place / "alone", head_only=True)
    assert run.record["recipe"]["is_aligned"] and not alone.record["recipe"]["is_aligned"]
    assert run.record["unlabelled"]["count"] == 12
    assert not np.allclose(run.head.weight, alone.head.weight)


def test_an_evaluation_counts_and_shows_mistakes(mixed, photos, place):
    result = blendgen.evaluate(mixed.folder, photos, dest=place / "page.html", arms=True, seeds=2)
    facts = json.loads(result.numbers.read_text("utf-8"))
    table, share = np.array(facts["confusion"]), facts["accuracy"]
    assert table.sum() == share["count"] == facts["photos"]["count"] == 12
    assert np.trace(table) == share["right"] and share["low"] < share["value"] <= share["high"]
    assert share["right"] >= 8
    assert [one["recall"]["count"] for one in facts["per_class"]] == table.sum(axis=1).tolist()
    assert len(facts["mistakes"]) == 12 - share["right"]
    assert all(len(one["nearest_renders"]) == 3 for one in facts["mistakes"])
    arms = {one["arm"]: one for one in facts["arms"]["table"]}
    assert {"renders only", "1 photo a class only", "2 photos a class and renders"} <= {*arms}
    assert all(len(one["per_seed"]) == 2 for one in arms.values())
    assert arms["2 photos a class only"]["photos"] == 6
    assert facts["arms"]["worth"]["sentence"].startswith("This data set is worth")
    gain = arms["2 photos a class and renders"]["gain"]
    assert gain["over"] == "2 photos a class only" and gain["low"] <= gain["mean"] <= gain["high"]
    means = [np.mean(arms[f"2 photos a class {name}"]["per_seed"]) for name in ("and renders", "only")]
    assert gain["mean"] == pytest.approx(means[0] - means[1])
    assert arms["2 photos a class only"]["gain"] is None


def test_a_baseline_is_an_arm_of_its_own(mixed, out, photos, place):
    page = place / "baseline.html"
    facts = blendgen.evaluate(mixed.folder, photos, dest=page, arms=True, seeds=1, baseline=out).facts
    by_name = {one["arm"]: one for one in facts["arms"]["table"]}
    alone = by_name["renders only"]
    assert by_name["renders of the baseline only"]["accuracy"] == alone["accuracy"]  # the same data set
    assert alone["gain"] == {"over": "renders of the baseline only", "mean": 0, "low": 0, "high": 0}
    with pytest.raises(UsageError, match="needs arms"):
        blendgen.evaluate(mixed.folder, photos, dest=page, baseline=out)
    catalog = Catalog((make_product("other", "box", (0.1, 0.1, 0.1)),))
    other = make_dataset(place / "of other classes", catalog, 2).root
    with pytest.raises(UsageError, match="of other classes: has other classes than the run: other"):
        blendgen.evaluate(mixed.folder, photos, dest=page, arms=True, baseline=other)


def test_two_runs_are_compared_on_photos_that_neither_has_seen(mixed, out, photos, place, capsys):
    alone = blendgen.train(out, place / "renders alone", head_only=True, seed=3)
    both = (alone.folder, mixed.folder)
    facts = blendgen.evaluate(mixed.folder, photos, dest=place / "against.html", against=both).facts
    other, same = facts["against"]
    assert other["photos"] == 12 and other["accuracy"] == facts["accuracy"]
    assert other["gain"]["mean"] == pytest.approx(
        other["accuracy"]["value"] - other["accuracy_of_other"]["value"]
    )
    assert (other["only_this_right"] - other["only_other_right"]) / 12 == pytest.approx(other["gain"]["mean"])
    assert same["gain"] == {"mean": 0, "low": 0, "high": 0} and same["chance"] == 1
    assert "Compared with other runs" in (place / "against.html").read_text("utf-8")
    train = photos / "train"  # the photos of mixed
    part = blendgen.evaluate(alone.folder, train, dest=place / "part.html").facts
    with pytest.raises(DatasetError, match="run: was trained on all of these photos"):
        blendgen.evaluate(alone.folder, train, dest=place / "part.html", against=[mixed.folder])
    assert part["against"] == []
    arguments = ["evaluate", str(mixed.folder), str(photos), "-o", str(place / "against.html")]
    assert run_command([*arguments, "--against", str(alone.folder)]) == ExitCode.OK
    assert f"against {alone.folder}: " in capsys.readouterr().out
    record = json.loads((alone.folder / "run.json").read_text())
    record["classes"][0] = "other"
    (alone.folder / "run.json").write_text(json.dumps(record))
    assert run_command([*arguments, "--against", str(alone.folder)]) == ExitCode.USAGE
    assert "was trained for other classes" in capsys.readouterr().err


def test_names_are_escaped_on_pages(mixed, photos, place):
    wrong = read_run(mixed.folder)
    wrong.head.bias[:] = -wrong.head.bias
    wrong.head.weight[:] = -wrong.head.weight  # the worst class wins
    result = evaluate.evaluate(wrong, photos, place / "escaped.html", None, None, NO_PROGRESS)
    page = result.page.read_text("utf-8")
    assert "&lt;b&gt;&amp;name.png" in page and ODD not in page
    assert "http" not in page.replace("http-equiv", "")


class _NoProgress:
    def begin(self, total, unit="image"): ...

    def advance(self, count): ...

    def note(self, text): ...


NO_PROGRESS = _NoProgress()


def test_photos_of_the_training_are_not_tested(mixed, photos, place):
    same = place / "same"
    shutil.copytree(photos / "train", same, ignore=shutil.ignore_patterns("broken.jpg"))
    with pytest.raises(DatasetError, match="trained on all of these photos"):
        blendgen.evaluate(mixed.folder, same)
    label = next((photos / "test").iterdir()).name
    for path in (photos / "test" / label).iterdir():
        shutil.copy(path, same / label / f"new-{path.name}")
    facts = blendgen.evaluate(mixed.folder, same, dest=place / "same.html").facts
    assert any("24 photos were left out: the run was trained on them" in note for note in facts["notes"])


def test_folders_that_are_not_classes_are_errors_with_a_suggestion(place, out):
    folder = place / "misspelt" / "blue bxo"
    folder.mkdir(parents=True)
    Image.new("RGB", (20, 20)).save(folder / "a.png")
    with pytest.raises(DatasetError, match="blue bxo; did you mean blue box"):
        blendgen.train(out, place / "x", head_only=True, real=folder.parent)
    with pytest.raises(DatasetError, match="photos without classes are for --unlabelled"):
        blendgen.train(out, place / "x", head_only=True, real=folder)
    with pytest.raises(UsageError, match="expected a folder"):
        blendgen.train(out, place / "x", head_only=True, real=place / "nowhere")


def test_folders_of_others_are_not_touched(mixed, out, photos, place):
    other = place / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("mine")
    with pytest.raises(DatasetError, match="does not hold a run"):
        blendgen.train(out, other, head_only=True)
    (other / "evaluation.html").write_text("mine")
    with pytest.raises(DatasetError, match="was not written by blendgen"):
        blendgen.evaluate(mixed.folder, photos, dest=other / "evaluation.html")
    with pytest.raises(DatasetError, match=r"has no run\.json"):
        blendgen.evaluate(other, photos)


def test_a_run_without_its_data_set_is_still_evaluated(mixed, photos, place, out):
    moved = out.rename(place / "moved")
    try:
        facts = blendgen.evaluate(mixed.folder, photos, dest=place / "page.html").facts
        assert any("without its nearest renders" in note for note in facts["notes"])
        with pytest.raises(DatasetError, match="name it with --dataset"):
            blendgen.evaluate(mixed.folder, photos, dest=place / "page.html", arms=True)
        result = blendgen.evaluate(mixed.folder, photos, dest=place / "page.html", dataset=moved).facts
        assert result["accuracy"] == facts["accuracy"]
    finally:
        moved.rename(out)


def test_the_commands_print_results_and_exit_codes(out, photos, place, capsys, monkeypatch):
    run = place / "by command"
    with monkeypatch.context() as without_torch:
        without_torch.setattr("importlib.util.find_spec", lambda _: None)
        assert run_command(["train", str(out), "-o", str(run)]) == ExitCode.SETUP
    assert "blendgen[learn]" in (shown := capsys.readouterr().err) and "--head-only" in shown
    for wrong in (["--head-only", "--naive"], ["--naive", "--ratio", "5:1", "--real", str(photos)]):
        assert run_command(["train", str(out), "-o", str(run), *wrong]) == ExitCode.USAGE
    ratio = ["--ratio", "5:1"]
    assert run_command(["train", str(out), "--head-only", "-o", str(run), *ratio]) == ExitCode.USAGE
    assert "name their folder with real (--real)" in capsys.readouterr().err
    line = ["train", str(out), "--head-only", "-o", str(run), "--real", str(photos), *ratio, "--json"]
    assert run_command(line) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["recipe"]["photo_share"] == pytest.approx(1 / 6)
    assert run_command(["evaluate", str(run), str(photos), "--json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["accuracy"]["count"] == 12
    assert run_command(["evaluate", str(run), str(photos), "-q"]) == ExitCode.OK
    assert capsys.readouterr().out.startswith("accuracy: ")

    def missing(*_):
        raise SetupError("this needs onnxruntime: pip install 'blendgen[features]'")

    monkeypatch.setattr(train, "load_backbone", missing)
    assert run_command(["train", str(out), "--head-only", "-o", str(run)]) == ExitCode.SETUP
    assert "blendgen[features]" in capsys.readouterr().err
