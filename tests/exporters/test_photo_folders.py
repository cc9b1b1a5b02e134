"""Photo folders: every folder is a class, a split, reported or refused."""

import unicodedata

import numpy as np
import pytest
from PIL import Image

from blendgen.errors import DatasetError
from blendgen.exporters.real_photos import read_photos

CLASSES = ("box", "größe", "Test_ a", "train")
SHARES = {"train": 1.0}


def make(folder, *names):
    """Photos that all differ, below a folder."""
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.Generator(np.random.Philox(number)).integers(0, 255, (8, 9), np.uint8)
        Image.fromarray(noise).save(path)
    return folder


def read(folder):
    """The class and split of each photo, by path below the folder; and what is left out."""
    photos, left_out = read_photos(folder, SHARES, CLASSES)
    return {str(photo.path.relative_to(folder)): (photo.split, photo.label) for photo in photos}, [
        message.replace(f"{folder}/", "") for message in left_out
    ]


@pytest.mark.parametrize(
    ("name", "split"),
    [("training", "train"), ("Train", "train"), ("valid", "val"), ("VALIDATION", "val"), ("dev", "val"),
     ("testing", "test"), ("eval", "test")],
)  # fmt: skip
def test_splits_have_the_names_that_loaders_use(tmp_path, name, split):
    photos, left_out = read(make(tmp_path, "train/box/0.png", f"{name}/box/1.png"))
    assert photos == {"train/box/0.png": ("train", "box"), f"{name}/box/1.png": (split, "box")}
    assert left_out == []


@pytest.mark.parametrize(
    ("name", "label"),
    [(unicodedata.normalize("NFD", "größe"), "größe"), ("Test: a", "Test_ a"), ("train", "train")],
)
def test_folders_have_the_names_of_classes_as_systems_write_them(tmp_path, name, label):
    assert read(make(tmp_path, f"{name}/0.png"))[0] == {f"{name}/0.png": ("train", label)}
    names = f"train/{name}/0.png", f"val/{name}/1.png"
    in_splits = read(make(tmp_path / "splits", *names))[0]
    assert in_splits == {names[0]: ("train", label), names[1]: ("val", label)}


def test_folders_that_systems_create_are_not_read(tmp_path):
    """They hold small copies of photos, which would get splits of their own."""
    make(tmp_path, "box/0.png", "box/more/1.png", "box/.thumbnails/2.png", "box/@eaDir/0.png/3.png")
    make(tmp_path, "__MACOSX/box/0.png", ".cache/box/1.png")
    assert read(tmp_path) == (dict.fromkeys(("box/0.png", "box/more/1.png"), ("train", "box")), [])


def test_stray_folders_and_photos_next_to_splits_are_reported(tmp_path):
    make(
        tmp_path, "train/box/0.png", "val/box/1.png", "unsorted/2.png", "raw/2024/3.png", "4.jpg", "val/5.png"
    )
    (tmp_path / "readme.txt").touch()
    photos, left_out = read(tmp_path)
    assert set(photos) == {"train/box/0.png", "val/box/1.png"}
    assert sorted(left_out) == [
        f"{tmp_path}: in no class folder: 4.jpg",
        "raw: is not a split, but next to splits; the files in it are left out",
        "unsorted: is not a split, but next to splits; the files in it are left out",
        "val: in no class folder: 5.png",
    ]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ("train/box/0.png", "box/1.png"),
            "box: is a class next to splits .train.; move it into one of them",
        ),
        (
            ("train/box/0.png", "holdout/box/1.png"),
            "holdout: contains classes .box., but is not called train, val or test; rename or move it",
        ),
        (
            ("train_set/box/0.png", "val_set/box/1.png"),
            "train_set: contains classes .box., but is not called",
        ),
        (
            ("box/train/0.png", "box/val/1.png"),
            "box: is a class that contains splits .train, val.; put classes",
        ),
        (("val/0.png", "test/1.png"), "does not contain photos in class folders"),
    ],
)
def test_folders_that_are_not_clear_are_refused(tmp_path, names, message):
    with pytest.raises(DatasetError, match=message):
        read(make(tmp_path, *names))


def test_where_no_photo_can_be_read_the_error_says_why(tmp_path):
    (tmp_path / "box").mkdir()
    (tmp_path / "box/clip.mp4").touch()
    with pytest.raises(DatasetError, match=r"class folders .*\n  .*/box/clip.mp4: is not one of .jpg"):
        read(tmp_path)


def test_a_photo_that_is_too_large_to_be_converted_is_left_out(tmp_path):
    make(tmp_path, "box/0.png")
    for mode in "PL":
        Image.new(mode, (16_385, 1)).save(tmp_path / f"box/{mode}.png")
    photos, left_out = read(tmp_path)
    assert set(photos) == {"box/0.png", "box/L.png"}
    assert left_out == ["box/P.png: 16,385 x 1 pixels are too many; at most 16,384 per side can be used"]
