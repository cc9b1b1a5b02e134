"""open_dataset: rows and arrays by position, parts of a data set, and what PyTorch needs of it."""

from __future__ import annotations

import json
import multiprocessing
import pickle
import shutil
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from blendgen.dataset.dataset import Dataset, open_dataset
from blendgen.dataset.label_registry import MASK
from blendgen.dataset.manifest import read_rows
from blendgen.dataset.rows import json_line, row_line, row_values
from blendgen.errors import DatasetError, UsageError
from tests.conftest import make_product
from tests.exporters.conftest import Catalog, make_dataset


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    catalog = Catalog(
        (make_product("box", "box", (0.1, 0.06, 0.03)), make_product("ball", "sphere", (0.06, 0.06, 0.06)))
    )
    return make_dataset(
        tmp_path_factory.mktemp("opened") / "set", catalog, 12, splits={"train": 0.5, "val": 0.5}
    ).root


@pytest.fixture(scope="module")
def dataset(folder):
    return open_dataset(folder)


@pytest.fixture(scope="module")
def rows(folder):
    return list(read_rows(folder / "manifest.jsonl"))


def test_rows_are_those_of_the_manifest_in_any_order(dataset, rows):
    assert len(dataset) == len(rows) == 12
    assert list(dataset.rows()) == rows
    assert [dataset.row(position) for position in (11, 0, -1, np.int64(5))] == [
        rows[position] for position in (11, 0, 11, 5)
    ]
    assert dataset.classes == ("ball", "box") and set(dataset.splits) == {row.split for row in rows}


def test_an_item_holds_the_pixels_of_the_files(dataset, rows, folder):
    item = dataset[3]
    assert item["image"].dtype == np.uint8 and item["image"].shape == (48, 64, 3)
    assert item["mask"].dtype == np.int32 and item["mask"].shape == (48, 64)
    with (
        Image.open(folder / rows[3].image.name) as image,
        Image.open(folder / rows[3].files["mask"].name) as mask,
    ):
        assert np.array_equal(item["image"], np.asarray(image.convert("RGB")))
        assert np.array_equal(item["mask"], np.asarray(mask))
    assert (item["label_id"], item["index"]) == (rows[3].label_id, rows[3].index)
    assert np.array_equal(dataset.image(3), item["image"])
    assert np.array_equal(dataset.mask(3), item["mask"]) and dataset.mask(3).dtype == np.uint16
    item["image"][:] = 0  # and can be written into


def test_slices_and_filters_are_data_sets(dataset, rows):
    assert [item["index"] for item in dataset[2:9:3]] == [2, 5, 8]
    train = dataset.filter(split="train")
    assert train.column("index") == [row.index for row in rows if row.split == "train"]
    assert 0 < len(train) < len(dataset) and isinstance(train, Dataset)
    assert len(dataset.filter(label=["box", "ball"])) == 12
    boxes = train.filter(lambda row: row.label == "box", split=("train",))
    assert set(boxes.column("label")) == {"box"} and set(boxes.column("split")) == {"train"}
    assert boxes[-1]["index"] == boxes.row(len(boxes) - 1).index
    for unknown in ({"split": "tran"}, {"split": None}, {"label": ["box", "bal"]}):
        with pytest.raises(UsageError, match="has no"):
            dataset.filter(**unknown)


def test_rows_are_not_read_to_choose_a_split(dataset, rows, monkeypatch):
    chosen = dataset.filter(split=["val"])[1:].filter(split={"val", "train"})
    expected = [row for row in rows if row.split == "val"][1:]
    assert list(chosen.rows()) == expected and len(expected) > 1
    monkeypatch.setattr("blendgen.dataset.source.read_row", None)
    assert len(dataset.filter(split="train")) + len(dataset.filter(split="val")) == len(rows)


def test_a_position_past_the_end_is_an_index_error_and_an_unknown_column_is_named(dataset):
    for position in (12, -13):
        with pytest.raises(IndexError, match=f"there is no image {position}: the data set has 12"):
            dataset[position]
    with pytest.raises(UsageError, match="rows have no column 'splt'; did you mean split"):
        dataset.filter(splt="train")
    with pytest.raises(TypeError):
        dataset["train"]


def indices_read(part: Dataset) -> list[int]:
    return [item["index"] for item in part]


@pytest.mark.slow
def test_worker_processes_read_a_pickled_data_set(dataset):
    copy = pickle.loads(pickle.dumps(dataset))
    assert copy == dataset and copy.row(4) == dataset.row(4)
    assert len(pickle.dumps(dataset)) < 5000
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        parts = pool.map(indices_read, [dataset[:5], dataset[5:]])
    assert parts == [list(range(5)), list(range(5, 12))]


def largest_box(item, row):
    return item["image"].mean(), max(width * height for _, _, width, height in row.objects.bbox)


def test_a_transform_replaces_items_and_survives_slices_and_pickling(dataset):
    part = pickle.loads(pickle.dumps(dataset.with_transform(largest_box)))[4:]
    assert part[0] == largest_box(dataset[4], dataset.row(4))
    assert list(part)[1] == largest_box(dataset[5], dataset.row(5))
    assert part.with_transform(None)[0]["index"] == 4


def test_opening_a_data_set_loads_neither_torch_nor_blender(folder):
    code = (
        "import sys, blendgen\n"
        f"assert len(list(blendgen.open_dataset({str(folder)!r}))) == 12\n"
        "assert not {'torch', 'bpy', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=240)


def test_a_file_that_is_missing_or_damaged_is_named(folder, tmp_path, rows):
    copy = shutil.copytree(folder, tmp_path / "set")
    (copy / rows[1].image.name).unlink()
    (copy / rows[2].files["mask"].name).write_bytes(b"no picture")
    dataset = open_dataset(copy)
    with pytest.raises(
        DatasetError, match=f"{rows[1].image.name}: cannot be read: No such file or directory; "
    ):
        dataset[1]
    with pytest.raises(DatasetError, match=f"{rows[2].files['mask'].name}: cannot be read"):
        dataset.mask(2)
    assert dataset.row(1) == rows[1] and dataset.image(2).shape == (48, 64, 3)
    with pytest.raises(DatasetError, match=r"manifest\.jsonl: does not contain a data set of blendgen"):
        open_dataset(copy / "manifest.jsonl")


def test_a_line_that_is_not_a_row_is_named_when_it_is_read(folder, tmp_path, rows):
    copy = shutil.copytree(folder, tmp_path / "set")
    values = [row_values(row) | ({"width": "wide"} if row.index == 7 else {}) for row in rows]
    (copy / "manifest.jsonl").write_text("".join(map(json_line, values)))
    dataset = open_dataset(copy)
    assert dataset.row(6) == rows[6] and dataset.row(8) == rows[8]
    with pytest.raises(DatasetError, match=r"manifest\.jsonl:8: not a row"):
        dataset[7]


def test_a_folder_without_a_data_set_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="does not contain a data set"):
        open_dataset(tmp_path)


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ([0, 1, 1, 2], r"manifest\.jsonl:3: the row of image 1 follows that of image 1 in line 2"),
        ([0, 3, 2], r"manifest\.jsonl:3: the row of image 2 follows that of image 3 in line 2"),
    ],
)
def test_rows_out_of_order_are_refused_by_their_lines(folder, tmp_path, rows, order, message):
    chosen = [rows[position] for position in order]
    counts = Counter(row.split for row in chosen)
    record = json.loads((folder / "dataset.json").read_text("utf-8")) | {"images_per_split": counts}
    (tmp_path / "dataset.json").write_text(json.dumps(record))
    lines = [row_line(row) for row in chosen]
    for written in (lines, [json.dumps(json.loads(line), sort_keys=True) + "\n" for line in lines]):
        (tmp_path / "manifest.jsonl").write_text("".join(written))
        with pytest.raises(DatasetError, match=message):
            open_dataset(tmp_path)


def test_channels_of_a_label_file_are_those_that_were_written(folder, tmp_path, rows):
    copy = shutil.copytree(folder, tmp_path / "set")
    source, name = open_dataset(copy).source, rows[2].files["mask"].name
    assert np.array_equal(source.channels(rows[2], MASK)[""], source.instance_mask(rows[2]))
    (copy / name).write_bytes((copy / name).read_bytes()[:60])
    with pytest.raises(DatasetError, match=f"{name}: cannot be read"):
        source.channels(rows[2], MASK)
    Image.new("L", (9, 9)).save(copy / name)
    with pytest.raises(DatasetError, match="is 9 x 9 pixels, but its row says 64 x 48"):
        source.channels(rows[2], MASK)
