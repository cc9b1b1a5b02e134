"""Mix: the ratio, separate splits, and rejected input."""

import hashlib
import json
import shutil
import subprocess
import sys
import unicodedata
from collections import Counter

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from blendgen.dataset.source import open_source
from blendgen.errors import DatasetError
from blendgen.exporters.mix import Mixture, mix
from blendgen.verification.dataset import verify
from tests.exporters.conftest import NAMES, make_dataset
from tests.files.test_photos import swapped_profile

SHARES = {"train": 0.6, "val": 0.2, "test": 0.2}


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory, stock):
    return make_dataset(tmp_path_factory.mktemp("many") / "set", stock, 120, products_per_image=1)


def photo(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.Generator(np.random.Philox(seed)).integers(0, 255, (20, 30, 3), np.uint8)
    Image.fromarray(noise).save(path)
    return path


@pytest.fixture
def photos(tmp_path):
    """Three photos per class for training, two for test."""
    for number, label in enumerate(NAMES):
        for seed in range(5):
            split = "train" if seed < 3 else "test"
            photo(tmp_path / "photos" / split / label / f"{seed}.jpg", 10 * number + seed)
    return tmp_path / "photos"


def mixed(synthetic, photos, dest, ratio=5.0, **options):
    result = mix(synthetic.root, photos, dest, Mixture(ratio, SHARES, **options))
    return result, read_rows_of(dest)


def read_rows_of(dest):
    return [json.loads(line) for line in (dest / "manifest.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("ratio", [5.0, 2.0, 0.5])
def test_each_class_of_train_has_the_ratio(synthetic, photos, tmp_path, ratio):
    result, rows = mixed(synthetic, photos, tmp_path / "out", ratio)
    counts = Counter((row["label"], row["source"]) for row in rows if row["split"] == "train")
    for label in NAMES:
        assert counts[label, "real"] == 3
        assert counts[label, "synthetic"] == round(3 * ratio)
    assert result["notes"] == []


def test_photos_of_the_test_split_stay_out_of_training(synthetic, photos, tmp_path):
    _, rows = mixed(synthetic, photos, tmp_path / "out")
    sources = {
        split: {row["source"] for row in rows if row["split"] == split}
        for split in {r["split"] for r in rows}
    }
    assert sources == {"train": {"synthetic", "real"}, "test": {"real"}}
    assert {path.name for path in (tmp_path / "out").iterdir() if path.is_dir()} == {"train", "test"}
    synthetic_rows = {row.image.sha256: row for row in synthetic.rows()}
    for row in rows:
        path = tmp_path / "out" / row["file_name"]
        assert path.is_file() and path.parent.name == row["label"] and path.parent.parent.name == row["split"]
        if row["source"] == "synthetic":
            origin = synthetic_rows[row["sha256"]]
            assert origin.label == row["label"] and row["split"] == origin.split == "train"


def test_the_training_set_is_read_with_its_classes(synthetic, photos, tmp_path, monkeypatch):
    import datasets

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    mixed(synthetic, photos, tmp_path / "out")
    folder = str(tmp_path / "out/train")
    train = datasets.load_dataset(
        "imagefolder", data_dir=folder, split="train", cache_dir=str(tmp_path / "c")
    )
    assert train.features["label"].names == sorted(NAMES) and len(train) == 3 * 3 * 6


def test_photos_without_splits_get_them_by_content(synthetic, photos, tmp_path):
    for path in sorted(photos.glob("*/*/*")):
        target = tmp_path / "flat" / path.parent.name / f"{path.parent.parent.name}{path.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    shares = {"train": 0.5, "val": 0.5}
    mix(synthetic.root, tmp_path / "flat", tmp_path / "a", Mixture(5.0, shares))
    before = {row["sha256"]: row["split"] for row in read_rows_of(tmp_path / "a") if row["source"] == "real"}
    photo(tmp_path / "flat" / NAMES[0] / "0_new.jpg", 999)
    mix(synthetic.root, tmp_path / "flat", tmp_path / "b", Mixture(5.0, shares))
    after = {row["sha256"]: row["split"] for row in read_rows_of(tmp_path / "b") if row["source"] == "real"}
    assert len(after) == 16 and before.items() <= after.items() and set(after.values()) == {"train", "val"}


def test_a_photo_that_moves_is_removed_from_its_old_place(synthetic, photos, tmp_path):
    mixed(synthetic, photos, tmp_path / "out")
    (photos / "train" / NAMES[0] / "0.jpg").rename(photos / "train" / NAMES[1] / "moved.jpg")
    (photos / "train" / NAMES[0] / "1.jpg").rename(photos / "test" / NAMES[0] / "moved.jpg")
    with pytest.raises(DatasetError, match="contains another export"):
        mixed(synthetic, photos, tmp_path / "out")
    mix(synthetic.root, photos, tmp_path / "out", Mixture(5.0, SHARES), force=True)
    files = {path.relative_to(tmp_path / "out").as_posix(): path for path in (tmp_path / "out").glob("*/*/*")}
    rows = read_rows_of(tmp_path / "out")
    assert set(files) == {row["file_name"] for row in rows}
    for row in rows:
        assert hashlib.sha256(files[row["file_name"]].read_bytes()).hexdigest() == row["sha256"]


def test_too_few_synthetic_images_and_missing_photos_are_reported(synthetic, photos, tmp_path):
    for path in (photos / "train" / NAMES[0]).iterdir():
        path.unlink()
    result, _ = mixed(synthetic, photos, tmp_path / "out", 100.0)
    assert any(f"{NAMES[0]}: no real photos in train" in note for note in result["notes"])
    assert any(f"{NAMES[1]}: only" in note for note in result["notes"])


def test_hidden_folders_are_not_classes(synthetic, photos, tmp_path):
    shutil.copytree(photos / "train" / NAMES[0], photos / "train" / ".ipynb_checkpoints")
    _, rows = mixed(synthetic, photos, tmp_path / "out")
    assert {row["label"] for row in rows} == set(NAMES)


def test_leaks_typos_and_broken_files_are_rejected_or_reported(synthetic, photos, tmp_path):
    broken = photos / "train" / NAMES[0] / "broken.jpg"
    broken.write_bytes(b"no picture")
    result, _ = mixed(synthetic, photos, tmp_path / "out")
    assert len(result["notes"]) == 1 and "broken.jpg: cannot be read" in result["notes"][0]
    photo(photos / "train" / "blue bax" / "1.png", 77)
    with pytest.raises(DatasetError, match="did you mean blue box"):
        mixed(synthetic, photos, tmp_path / "b")
    result, rows = mixed(synthetic, photos, tmp_path / "c", extra_classes=True)
    assert {row["label"] for row in rows} == {*NAMES, "blue bax"}
    (photos / "test" / "blue box" / "copy.jpg").write_bytes(
        (photos / "train" / "blue box" / "0.jpg").read_bytes()
    )
    with pytest.raises(DatasetError, match="but in another split"):
        mixed(synthetic, photos, tmp_path / "d", extra_classes=True)
    with pytest.raises(DatasetError, match="does not contain photos"):
        mixed(synthetic, synthetic.root / "masks" / "train" / NAMES[0], tmp_path / "e")


@pytest.mark.slow
def test_the_command(synthetic, photos, tmp_path):
    command = [
        sys.executable,
        "-m",
        "blendgen",
        "mix",
        str(synthetic.root),
        str(photos),
        "-o",
        str(tmp_path / "out"),
    ]
    done = subprocess.run([*command, "--ratio", "4:2", "--json"], capture_output=True, text=True)
    assert done.returncode == 0 and json.loads(done.stdout)["images"]["train"] == {"real": 9, "synthetic": 18}
    for ratio in ("five", f"1{400 * '0'}:1", f"1:1{400 * '0'}", "0:1"):
        wrong = subprocess.run([*command, "--ratio", ratio], capture_output=True, text=True)
        assert wrong.returncode == 2 and "expected a ratio such as 5:1" in wrong.stderr


def oriented(path, seed):
    """A photo of 20 x 30 pixels that is stored on its side, and how it is meant."""
    photo(path, seed)
    with Image.open(path) as image:
        exif = Image.Exif()
        exif[0x0112] = 6  # turned by 90 degrees
        image.save(path, exif=exif, quality=95)
    with Image.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image))


def test_photos_are_written_as_they_are_meant(synthetic, photos, tmp_path):
    folder = photos / "train" / NAMES[0]
    expected = {"a": oriented(folder / "a.jpg", 501)}
    with Image.open(photo(folder / "tmp.png", 502)) as image:
        expected["b"] = np.asarray(image.convert("L").convert("RGB"))
        Image.fromarray(np.asarray(image.convert("L"), np.uint16) * 257).save(folder / "b.png")
        expected["c"] = np.asarray(image)
        image.convert("CMYK").save(folder / "c.tif")
        image.convert("P", palette=Image.Palette.ADAPTIVE).save(folder / "d.png")
        with Image.open(folder / "d.png") as palette:
            expected["d"] = np.asarray(palette.convert("RGB"))
        expected["g"] = np.asarray(image)[..., ::-1]
        image.save(folder / "g.png", icc_profile=swapped_profile())
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        image.transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(folder / "h.jpg", icc_profile=srgb)
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "i.avif")
        with Image.open(folder / "i.avif") as avif:
            expected["i"] = np.asarray(avif)
        frames = [image, image.rotate(180)]
        frames[0].save(folder / "moving.webp", save_all=True, append_images=frames[1:], lossless=True)
    (folder / "tmp.png").unlink()
    (folder / "e.heic").write_bytes(b"heic")
    (folder / "f.gif").write_bytes(b"GIF89a")
    result, rows = mixed(synthetic, photos, tmp_path / "out", 2.0)
    assert [note.rpartition("/")[2] for note in result["notes"]] == [
        "e.heic: cannot be read: not an image",
        "f.gif: is not one of .jpg, .jpeg, .png, .webp, .tif, .tiff, .bmp, .avif, .heic, .heif, .hif",
        "moving.webp: is animated or has several pages; save one of them",
    ]
    real = [row for row in rows if row["source"] == "real" and row["label"] == NAMES[0]]
    assert len(real) == 5 + 7
    assert {row["sha256"] for row in real} >= {
        hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("0.jpg", "h.jpg")
    }
    written = []
    for row in real:
        path = tmp_path / "out" / row["file_name"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"]
        with Image.open(path) as image:
            assert image.size == (row["width"], row["height"]) and image.mode == "RGB"
            written.append(np.asarray(image))
    for name, pixels in expected.items():
        assert min(
            np.abs(pixels - one.astype(int)).max() for one in written if one.shape == pixels.shape
        ) <= (4 if name in "cg" else 0), name


def test_a_photo_that_is_there_twice_counts_once(synthetic, photos, tmp_path):
    folder = photos / "train" / NAMES[0]
    shutil.copy(folder / "0.jpg", folder / "again.jpg")
    result, rows = mixed(synthetic, photos, tmp_path / "out")
    counts = Counter((row["label"], row["source"]) for row in rows if row["split"] == "train")
    assert (counts[NAMES[0], "real"], counts[NAMES[0], "synthetic"]) == (3, 15)
    assert result["notes"] == [f"{folder}/again.jpg: is the same photo as {folder}/0.jpg; it counts once"]


def test_photos_that_look_alike_in_two_splits_are_reported(synthetic, photos, tmp_path):
    path = photos / "test" / NAMES[0] / "9.jpg"
    with Image.open(photos / "train" / NAMES[0] / "0.jpg") as image:
        image.save(path, quality=60)
    result, _ = mixed(synthetic, photos, tmp_path / "out")
    (note,) = result["notes"]
    assert note == f"{photos}/train/{NAMES[0]}/0.jpg (train) looks like {path} (test)"


def test_names_of_folders_in_decomposed_letters_are_those_of_the_classes(synthetic, photos, tmp_path):
    for split in ("train", "test"):
        folder = photos / split / NAMES[0]
        folder.rename(folder.with_name(unicodedata.normalize("NFD", NAMES[0])))
    _, rows = mixed(synthetic, photos, tmp_path / "out")
    assert {row["label"] for row in rows} == set(NAMES)


def test_images_of_the_data_set_are_not_real_photos(synthetic, tmp_path):
    with pytest.raises(DatasetError, match=r"000\d\d\d.png: is an image of .* and not a real photo"):
        mixed(synthetic, synthetic.root / "images", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_mixture_is_not_taken_for_a_data_set(synthetic, photos, tmp_path):
    mixed(synthetic, photos, tmp_path / "out")
    with pytest.raises(DatasetError, match="out: is a mixture for training, not a data set; give"):
        open_source(tmp_path / "out")
    faults = [str(fault) for fault in verify(tmp_path / "out")]
    assert len(faults) == 1 and faults[0].startswith("dataset.json: is a mixture for training")
