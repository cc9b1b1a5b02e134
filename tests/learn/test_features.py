"""Features come from loose and packed images alike, once for each content, and survive a stop."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from PIL import Image

from blendgen.dataset.dataset import open_dataset
from blendgen.errors import SetupError
from blendgen.files.photos import read_photo
from blendgen.learn import features
from blendgen.learn.feature_cache import FeatureCache
from blendgen.learn.features import computed_features
from blendgen.learn.photo_sets import labelled_photos, unlabelled_photos
from blendgen.learn.pictures import Picture
from blendgen.learn.pixels import fitted
from blendgen.learn.train import dataset_features
from blendgen.system.progress import Counter
from tests.containers.packed_sets import packed
from tests.learn.networks import tiny_backbone


@pytest.fixture
def backbone(tmp_path, monkeypatch):
    monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(tmp_path / "cache"))
    return tiny_backbone(tmp_path)


@pytest.fixture
def progress():
    return Counter(lambda finished, total: None)


def test_packed_images_have_the_features_of_loose_ones(backbone, progress, tmp_path, monkeypatch):
    sets = []
    for container in ("files", "webdataset", "parquet"):
        monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(tmp_path / "cache" / container))
        data = open_dataset(packed(tmp_path / container, container))
        sets.append(dataset_features(data, ("train",), backbone, progress))
    loose, *others = sets
    assert len(loose) > 3 and loose.features.std() > 0
    for own in others:
        assert np.array_equal(own.features, loose.features)
        assert own.labels.tolist() == loose.labels.tolist() and own.groups == loose.groups


def picture(number: int, read) -> Picture:
    return Picture(f"key{number}", 0, f"{number}.png", f"{number}", read)


def test_what_was_computed_before_a_stop_is_kept(backbone, progress, monkeypatch):
    monkeypatch.setattr(features, "_BATCH", 2)
    image = np.full((9, 12, 3), 90, np.uint8)

    def stopped():
        raise KeyboardInterrupt

    readable = [picture(number, lambda: image) for number in range(5)]
    with pytest.raises(KeyboardInterrupt):
        computed_features([*readable[:3], picture(3, stopped)], ("a",), backbone, progress, [])
    counts = []
    computed_features(readable, ("a",), backbone, Counter(lambda done, total: counts.append(total)), [])
    assert counts[0] == 3  # the first batch of two was there


def test_photos_that_cannot_be_read_are_left_out_and_named(backbone, progress, tmp_path):
    (tmp_path / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    good = picture(1, lambda: np.zeros((5, 5, 3), np.uint8))
    left_out: list[str] = []
    bad = picture(2, partial(read_photo, tmp_path / "cut.jpg", 64))
    result = computed_features([bad, good], ("a",), backbone, progress, left_out)
    assert [one.name for one in result.pictures] == ["1.png"] and len(left_out) == 1
    assert left_out[0].startswith("2.png: cannot be read")


def test_a_damaged_cache_is_an_error_that_says_what_to_do(tmp_path):
    (tmp_path / "f.sqlite").write_bytes(b"not a database, but long enough to look at" * 9)
    with pytest.raises(SetupError, match="delete this file, which is only a cache"):
        FeatureCache(tmp_path / "f.sqlite").get(["a"])


def test_a_picture_is_fitted_whole_and_filled_with_its_edges():
    image = np.zeros((10, 20, 3), np.uint8)
    image[:, 10:] = 200
    square = fitted(image, 40)
    assert square.shape == (40, 40, 3)
    assert (square[0] == square[15]).all() and square[0, 0, 0] == 0 and square[39, 39, 0] == 200


def test_photos_are_upright_in_one_folder_or_many(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    for name in ("a", "sub/b"):
        path = tmp_path / "flat" / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (30, 20), (len(name) * 20, 9, 9)).save(path, exif=exif)
    (tmp_path / "flat" / "copy.jpg").write_bytes((tmp_path / "flat" / "a.jpg").read_bytes())
    left_out: list[str] = []
    photos = unlabelled_photos(tmp_path / "flat", left_out)
    assert [photo.name for photo in photos] == ["a.jpg", "sub/b.jpg"] and "same photo" in left_out[0]
    assert photos[0].read().shape == (30, 20, 3) and photos[0].label_id == -1


def test_split_folders_are_chosen_in_the_order_that_is_wanted(tmp_path):
    for number, split in enumerate(("train", "validation", "test")):
        folder = tmp_path / split / "mug"
        folder.mkdir(parents=True)
        Image.new("RGB", (8, 8), (number * 50, 0, 0)).save(folder / "p.png")
    left_out: list[str] = []
    for wanted, name in ((("train",), "train"), (("test", "val"), "test"), (("val", "test"), "validation")):
        (photo,) = labelled_photos(tmp_path, ("cup", "mug"), wanted, left_out)
        assert photo.name == f"{name}/mug/p.png" and photo.label_id == 1
    assert "only the split train is used, not test, val" in left_out[0]
