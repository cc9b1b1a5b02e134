"""Select: what a classifier is unsure of, or what is like photos, is chosen, as many of each class."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from PIL import Image

import blendgen
from blendgen.cli import run as run_command
from blendgen.cli.generate import indices_of
from blendgen.errors import ExitCode, UsageError
from blendgen.experiments.select import Candidate, chosen_shots, entropy, nearness, ranges


@pytest.fixture
def run(out, tmp_path):
    return blendgen.train(out, tmp_path / "run", head_only=True).folder


@pytest.mark.slow
def test_the_unsure_images_of_each_class_are_chosen(run, spec_path, tmp_path, capsys):
    file = tmp_path / "chosen.txt"
    line = ["select", str(run), str(spec_path), "-n", "8", "--candidates", "24", "-o", str(file)]
    assert run_command([*line, "--size", "48", "--workers", "1", "--json"]) == ExitCode.OK
    facts = json.loads(capsys.readouterr().out)
    chosen = [one for one in facts["candidates"] if one["chosen"]]
    assert Counter(one["label"] for one in chosen) == {"box": 4, "sphere": 4}
    for label in ("box", "sphere"):
        own = [one for one in facts["candidates"] if one["label"] == label]
        worst = min(one["score"] for one in own if one["chosen"])
        assert worst >= max(one["score"] for one in own if not one["chosen"])
    assert (
        sorted(indices_of(f"@{file}"))
        == facts["images"]
        == sorted(i for one in chosen for i in one["images"])
    )


@pytest.mark.slow
def test_drafts_like_the_photos_are_chosen(run, spec_path, tmp_path):
    """Photos are all dark, as one of the two exposures of the spec."""
    (tmp_path / "photos").mkdir()
    for number in range(4):
        Image.new("RGB", (48, 48), (number, 2, 3)).save(tmp_path / "photos" / f"{number}.png")
    result = blendgen.select(
        run, spec_path, tmp_path / "chosen.txt", images=6, candidates=24, size=48, workers=1,
        photos=tmp_path / "photos",
    )  # fmt: skip
    assert len(result.indices) == 6 and result.facts["by"] == "photos"


@pytest.mark.slow
def test_too_few_candidates_for_training_are_said(run, spec_path, tmp_path):
    spec_path.write_text(spec_path.read_text() + "splits: {train: 0.5, test: 0.5}\n")
    result = blendgen.select(
        run, spec_path, tmp_path / "chosen.txt", images=20, candidates=24, size=48, workers=1
    )
    assert 0 < len(result.indices) < 20
    assert f"only {len(result.indices)} images are chosen" in result.facts["notes"][0]


def test_shots_stay_together_and_classes_balanced():
    shots = [Candidate((2 * n, 2 * n + 1), "ab"[n % 2], float(n % 5)) for n in range(20)]
    chosen = chosen_shots(shots, 6)
    assert Counter(shot.label for shot in chosen) == {"a": 3, "b": 3}
    assert {shot.score for shot in chosen} == {4.0, 3.0}
    assert ranges((0, 1, 2, 5, 8, 9)) == ["0-2", "5", "8-9"]


def test_entropy_is_largest_where_nothing_is_known():
    values = entropy(np.array([[1.0, 0, 0], [0.5, 0.5, 0], [1 / 3] * 3]))
    assert values == pytest.approx([0, np.log(2), np.log(3)], abs=1e-9)


def test_what_all_drafts_have_in_common_does_not_matter():
    random = np.random.Generator(np.random.PCG64(1))
    photos = random.normal(size=(30, 5))
    drafts = np.concatenate([photos[:10], random.normal(size=(10, 5)) * 4])
    near = nearness(drafts, photos)
    assert nearness(3 * drafts + 7, photos) == pytest.approx(near)
    assert near[:10].mean() > near[10:].mean()


def test_what_cannot_be_chosen_is_refused(run, spec_path, tmp_path):
    with pytest.raises(UsageError, match="more than the 8 images"):
        blendgen.select(run, spec_path, tmp_path / "c.txt", images=8, candidates=8)
    with pytest.raises(UsageError, match=r"name it \.txt"):
        blendgen.select(run, spec_path, tmp_path / "c.json", images=8)
    (tmp_path / "list.txt").write_text("# chosen\n0-2, 7  # and one\n\n9\n")
    assert indices_of(f"@{tmp_path / 'list.txt'}") == [0, 1, 2, 7, 9]
    (tmp_path / "empty.txt").write_text("# nothing\n")
    with pytest.raises(UsageError, match="has no ranges"):
        indices_of(f"@{tmp_path / 'empty.txt'}")
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        indices_of(f"@{tmp_path / 'absent.txt'}")
