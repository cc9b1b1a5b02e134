"""A refiner is trained on crops of renders and photos, goes on after a kill, and refines any size."""

from __future__ import annotations

import importlib.util
import json

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

import blendgen
from blendgen.errors import SetupError, UsageError
from blendgen.refining import crops
from tests.exporters.conftest import stock as stock

OPTIONS = {"steps": 6, "size": 32, "regularization": 0.5}


class Killed(Exception):
    pass


class Killer:
    """A Progress that ends a training after some steps; 0: never. Counts steps."""

    def __init__(self, steps=0):
        self.limit, self.steps, self.unit, self.notes = steps, 0, "", []

    def begin(self, total, unit="image"):
        self.unit = unit

    def advance(self, count):
        self.steps += count if self.unit == "step" else 0
        if self.limit and self.steps >= self.limit:
            raise Killed

    def note(self, text):
        self.notes.append(text)


@pytest.fixture
def photos(out, tmp_path):
    """Softer and noisier copies of images, one too small, one broken."""
    rng = np.random.default_rng(2)
    (tmp_path / "photos" / "below").mkdir(parents=True)
    for row in out.rows():
        image = ndimage.gaussian_filter(out.image(row).astype(float), (1, 1, 0)) + rng.normal(
            0, 9, (48, 64, 3)
        )
        place = tmp_path / "photos" / ("below" if row.index % 2 else ".") / f"{row.index}.png"
        Image.fromarray(np.clip(image, 0, 255).astype(np.uint8)).save(place)
    Image.new("RGB", (20, 20)).save(tmp_path / "photos" / "small.png")
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    return tmp_path / "photos"


@pytest.fixture
def quick():
    torch = pytest.importorskip("torch")
    from blendgen.refining import adversarial, networks

    with pytest.MonkeyPatch.context() as patch:
        for module, name, value in (
            (crops, "COUNT", 24), (adversarial, "_ALONE", 1), (adversarial, "_SAVED_EVERY", 2),
            (adversarial, "BATCH", 4), (adversarial, "_NOTED_EVERY", 3), (networks, "WIDTH", 4),
            (adversarial, "_HISTORY", 8),
        ):  # fmt: skip
            patch.setattr(module, name, value)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        yield
        torch.set_num_threads(threads)


def weights(folder):
    with np.load(folder / "refiner.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}


def test_a_refiner_is_trained_and_used(out, photos, tmp_path, quick):
    progress = Killer()
    made = blendgen.refine(out.root, tmp_path / "refined", photos=photos, progress=progress, **OPTIONS)
    facts = made.origin["refiner"]
    assert (facts["kind"], facts["steps"], facts["photos"], facts["renders"]) == ("network", 6, 8, 8)
    assert [line["step"] for line in facts["history"]] == [3, 6] and progress.steps == 6
    assert "step 6 of 6: photos and refined renders are distinguished in" in progress.notes[-1]
    notes = " ".join(made.notes)
    assert "broken.jpg" in notes and "small.png: is 20 x 20 pixels next to renders of 64" in notes
    assert made.origin["refined"] + sum(made.origin["left"].values()) == 8
    assert blendgen.verify(tmp_path / "refined") == []
    assert json.loads((tmp_path / "refined" / "dataset.json").read_text())["refined_from"] == made.origin
    assert any(
        np.abs(values).max() > 0 for name, values in weights(made.folder).items() if name[:4] == "last"
    )


def test_the_same_seed_gives_the_same_refiner_also_after_a_kill(out, photos, tmp_path, cache, quick):
    whole = blendgen.refine(out.root, tmp_path / "whole", photos=photos, **OPTIONS)
    with pytest.raises(Killed):
        blendgen.refine(out.root, tmp_path / "killed", photos=photos, progress=Killer(5), **OPTIONS)
    assert [*cache.rglob("training.pt")] and not (tmp_path / "killed" / "dataset.json").exists()
    rest = Killer()
    again = blendgen.refine(out.root, tmp_path / "killed", photos=photos, progress=rest, **OPTIONS)
    assert len(rest.notes) == 1  # steps 4 to 6; the first three were not done again
    for name in ("refiner.npz", "manifest.jsonl", "refined.jsonl", "dataset.json"):
        assert (again.folder / name).read_bytes() == (whole.folder / name).read_bytes()
    assert not [*(cache / "refining").iterdir()]
    other = blendgen.refine(out.root, tmp_path / "other", photos=photos, seed=1, **OPTIONS)
    assert (other.folder / "refiner.npz").read_bytes() != (whole.folder / "refiner.npz").read_bytes()


def test_a_deleted_record_needs_no_second_training(out, photos, tmp_path, quick):
    made = blendgen.refine(out.root, tmp_path / "refined", photos=photos, **OPTIONS)
    before = (made.folder / "dataset.json").read_bytes()
    (made.folder / "dataset.json").unlink()
    progress = Killer()
    again = blendgen.refine(out.root, made.folder, photos=photos, progress=progress, **OPTIONS)
    assert progress.steps == 0 and (made.folder / "dataset.json").read_bytes() == before
    assert again.notes == made.notes


def test_a_training_ends_with_its_time(out, photos, tmp_path, quick):
    made = blendgen.refine(out.root, tmp_path / "refined", photos=photos, minutes=1e-6, **OPTIONS)
    assert made.origin["refiner"]["steps"] == 1


def test_an_image_refined_in_tiles_is_that_refined_as_a_whole(quick, monkeypatch):
    torch = pytest.importorskip("torch")
    from blendgen.refining import networks

    refiner, _ = networks.new_networks(3)
    torch.nn.init.normal_(refiner.last.weight, std=0.2, generator=torch.Generator().manual_seed(1))
    image = np.random.default_rng(0).integers(0, 255, (70, 95, 3), np.uint8)
    whole = networks.refined(refiner, image, torch.device("cpu")).astype(int)
    monkeypatch.setattr(networks, "_TILE_PX", 31)
    tiles = networks.refined(refiner, image, torch.device("cpu")).astype(int)
    assert np.abs(whole - image).mean() > 1 and np.abs(tiles - whole).max() <= 1
    before, _ = networks.new_networks(3)
    assert np.array_equal(networks.refined(before, image, torch.device("cpu")), image)


def test_damaged_weights_are_not_used(quick):
    from blendgen.refining.learned import learned_from

    assert learned_from(b"") is None and learned_from(b"PK\x03\x04 what is this") is None


def test_wrong_numbers_and_photos_are_refused(out, tmp_path, photos, quick):
    for options, message in (
        ({"steps": 0}, r"steps \(--steps\)"), ({"minutes": 0}, r"minutes \(--minutes\)"),
        ({"size": 8}, r"size \(--size\)"), ({"regularization": -1}, r"regularization \(--reg"),
        ({"regularization": float("nan")}, "expected 0 or more, got nan"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=message):
            blendgen.refine(out.root, tmp_path / "refined", photos=photos, **options)
    with pytest.raises(UsageError, match="does not exist"):
        blendgen.refine(out.root, tmp_path / "refined", photos=tmp_path / "nowhere")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.png").write_text("not a photo")
    with pytest.raises(UsageError, match="no photo can be used"):
        blendgen.refine(out.root, tmp_path / "refined", photos=tmp_path / "bad", **OPTIONS)
    assert not (tmp_path / "refined").exists()


def test_without_torch_the_extra_is_named(out, photos, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SetupError, match=r"blendgen\[learn\]'; or use a program of your own: --command"):
        blendgen.refine(out.root, tmp_path / "refined", photos=photos)
    assert not (tmp_path / "refined").exists()


def test_crops_are_of_all_pictures_and_follow_from_the_seed(out):
    from blendgen.system.progress import Counter

    progress = Counter(lambda finished, total: None)
    first, same, other = (crops.render_crops(out, 40, seed, progress) for seed in (1, 1, 2))
    assert first.images.shape == (crops.COUNT, 3, 40, 40) and first.pictures == 8
    assert first.digest == same.digest != other.digest


@pytest.mark.slow
def test_rendered_images_are_refined(photos, tmp_path):
    pytest.importorskip("torch")
    spec = {
        "blendgen": 1, "name": "shapes", "products": [{"catalog": "shapes"}], "images": 4,
        "resolution": [64, 64], "render": "smoke",
    }  # fmt: skip
    blendgen.generate(spec, tmp_path / "out", workers=1)
    made = blendgen.refine(
        tmp_path / "out", tmp_path / "refined", photos=photos, steps=60, size=32, regularization=2
    )
    assert blendgen.verify(tmp_path / "refined") == [] and made.origin["refined"] > 0
