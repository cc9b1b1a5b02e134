"""Full folders: no folder of an export has more files than fit, and every file is read with its class."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from blendgen.exporters import bop
from blendgen.exporters.formats import built_in
from blendgen.exporters.full_folders import FullFolders
from blendgen.exporters.mix import Mixture, mix
from blendgen.exporters.real_photos import read_photos
from blendgen.scene import folder_names
from tests.exporters.exported import pixels, run
from tests.exporters.fake import FakeImage, make_fake

FULL = 3
CLASSES = ("0001", "mug", "test_tube")
BOXES = [(0, (1, 1, 9, 9)), (1, (20, 1, 9, 9)), (2, (40, 1, 9, 9)), (1, (1, 20, 9, 9))]
# voc has one folder for all images; these two have no loose files; scenes of bop have a test of their own
OTHERS = {"voc", "parquet", "webdataset", "bop"}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    images = [FakeImage("train", number % 3, BOXES) for number in range(15)]
    images += [FakeImage("val", number % 3, BOXES) for number in range(3)]
    return make_fake(tmp_path_factory.mktemp("full") / "set", CLASSES, images)


@pytest.fixture
def full_soon(monkeypatch):
    monkeypatch.setattr(folder_names, "FULL", FULL)
    monkeypatch.setattr(folder_names, "_THOUSAND", 2)
    monkeypatch.setattr(bop, "FULL", 3 * len(BOXES))
    monkeypatch.setattr(bop, "SCENE_IMAGES", 5)


def folders_of(dest):
    """Number of image files of each folder."""
    return Counter(path.parent for path in dest.rglob("*") if path.suffix in (".png", ".jpg"))


def lists_of(dest):
    """Split -> file -> class."""
    lines = {path.parent.name: path.read_text("utf-8").splitlines() for path in dest.glob("*/metadata.jsonl")}
    rows = {split: map(json.loads, own) for split, own in lines.items()}
    return {split: {one["file_name"]: one["label"] for one in own} for split, own in rows.items()}


def test_files_are_counted_in_each_folder():
    full = FullFolders()
    assert {full.next("a") for _ in range(10_000)} == {""}
    assert [full.next("a"), full.next("b")] == ["0010/", ""]


@pytest.mark.parametrize("name", sorted(set(built_in()) - OTHERS))
def test_no_folder_has_more_files_than_fit(source, tmp_path, full_soon, name):
    run(source, name, tmp_path / "out")
    assert max(folders_of(tmp_path / "out").values()) == FULL


def test_classes_of_an_image_folder_are_in_lists(source, tmp_path, full_soon):
    run(source, "imagefolder", tmp_path / "out", crops=0.0)
    lists = lists_of(tmp_path / "out")
    for split, files in lists.items():
        assert {path.relative_to(tmp_path / "out" / split).as_posix() for path in
                (tmp_path / "out" / split).rglob("*.png")} == set(files)  # fmt: skip
        for name, label in files.items():
            assert name.split("/")[0] == folder_names.folder_name(label)
    assert any(len(Path(name).parts) == 3 for name in lists["train"])
    card = yaml.safe_load((tmp_path / "out/README.md").read_text("utf-8").split("---\n")[1])
    (config,) = card["configs"]
    names = config["features"][1]["dtype"]["class_label"]["names"]
    assert list(names.values()) == list(CLASSES) and config["drop_labels"] is True


def test_an_image_folder_without_full_folders_has_no_lists(source, tmp_path):
    run(source, "imagefolder", tmp_path / "out")
    assert lists_of(tmp_path / "out") == {}
    assert "drop_labels: false" in (tmp_path / "out/README.md").read_text("utf-8")
    assert {len(path.relative_to(tmp_path).parts) for path in folders_of(tmp_path / "out")} == {3}


def test_an_export_goes_on_in_the_same_folders(source, tmp_path, full_soon):
    run(source, "imagefolder", tmp_path / "out")
    before = folders_of(tmp_path / "out")
    (tmp_path / "out/train/metadata.jsonl").unlink()
    next((tmp_path / "out/train").rglob("*.png")).unlink()
    run(source, "imagefolder", tmp_path / "out")
    assert folders_of(tmp_path / "out") == before and set(lists_of(tmp_path / "out")) == {"train", "val"}


def test_other_files_of_an_image_are_in_sub_folders_like_it(source, tmp_path, full_soon):
    run(source, "hf", tmp_path / "out", extras=("mask",))
    rows = [json.loads(line) for line in (tmp_path / "out/train/metadata.jsonl").read_text().splitlines()]
    assert len(rows) == 15
    for row in rows:
        assert row["mask_file_name"] == f"mask/{row['file_name']}"
        assert (tmp_path / "out/train" / row["mask_file_name"]).is_file()


def test_scenes_end_before_their_folder_of_masks_is_full(source, tmp_path, full_soon):
    run(source, "bop", tmp_path / "out")
    images = [len([*scene.glob("rgb/*")]) for scene in sorted((tmp_path / "out/train").iterdir())]
    assert images == [3] * 5
    assert max(folders_of(tmp_path / "out").values()) == 3 * len(BOXES)


def test_a_mixture_has_lists_and_its_manifest_names_all_files(source, tmp_path, full_soon):
    for number in range(9):
        path = (
            tmp_path / f"photos/{('train', 'train', 'test')[number % 3]}/{CLASSES[number // 3]}/{number}.png"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.Generator(np.random.Philox(number)).integers(0, 255, (20, 30, 3), np.uint8)
        Image.fromarray(noise).save(path)
    mix(source.root, tmp_path / "photos", tmp_path / "out", Mixture(4.0, {"train": 1.0}))
    rows = [json.loads(line) for line in (tmp_path / "out/manifest.jsonl").read_text("utf-8").splitlines()]
    files = {row["file_name"]: row["label"] for row in rows}
    assert max(folders_of(tmp_path / "out").values()) == FULL
    lists = lists_of(tmp_path / "out")
    assert {f"{split}/{name}": label for split, own in lists.items() for name, label in own.items()} == files
    assert all((tmp_path / "out" / name).is_file() for name in files)


def test_photos_in_folders_of_thousands_are_of_their_class(source, tmp_path, full_soon):
    run(source, "imagefolder", tmp_path / "photos")
    photos, left_out = read_photos(tmp_path / "photos", {"train": 1.0}, source.classes)
    assert len(photos) == source.images and left_out == []
    labels = {pixels(source.path(row)): folder_names.folder_name(row.label) for row in source.rows()}
    assert all(photo.path.parts[len(tmp_path.parts) + 2] == labels[pixels(photo.path)] for photo in photos)
    assert {photo.label for photo in photos} >= {"0001", "mug"}
