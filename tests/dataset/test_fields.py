"""Fields of a Dataset: label files and columns of the objects as arrays of the stated shape and type."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import get_type_hints

import numpy as np
import pytest

from blendgen.dataset.dataset import open_dataset
from blendgen.dataset.fields import FIELDS
from blendgen.dataset.item import Item
from blendgen.dataset.label_registry import LABEL_FILES
from blendgen.errors import DatasetError, UsageError
from blendgen.geometry.projection import box_of_mask
from blendgen.models.product import Catalog, Keypoint
from blendgen.scene.row import Objects
from tests.conftest import make_product
from tests.exporters.conftest import make_dataset

FILES = {name: True for name in LABEL_FILES if name not in ("image", "mask")}
COLUMNS = dict.fromkeys(("keypoints", "truncation", "obb", "bbox_3d"), True)
NAMES = {"category", "product", "colorway", "case"}


def make(folder, **output):
    box, ball = make_product("box", "box", (0.1, 0.06, 0.03)), make_product("ball", "sphere", (0.06,) * 3)
    box = replace(box, keypoints=(Keypoint("front", (0.05, 0.0, 0.01)), Keypoint("back", (-0.05, 0.0, 0.01))))
    return make_dataset(folder, Catalog((box, ball)), 6, output=output, products_per_image=3).root


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make(tmp_path_factory.mktemp("fields") / "set", **FILES, **COLUMNS)


@pytest.fixture(scope="module")
def dataset(folder):
    return open_dataset(folder)


def test_every_label_file_and_every_column_of_numbers_is_a_field_of_an_item():
    assert set(FIELDS) == {*LABEL_FILES, *Objects.model_fields} - NAMES
    assert set(get_type_hints(Item)) == {*FIELDS, "label_id", "index"}


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_has_the_stated_shape_and_type(dataset, name):
    shape, dtype = FIELDS[name]
    row = dataset.row(2)
    array = dataset.array(2, name)
    assert array.dtype == dtype and array.ndim == len(shape)
    assert all(side in (None, actual) for side, actual in zip(shape, array.shape, strict=True))
    if name in LABEL_FILES:
        assert (row.height, row.width) in (array.shape[:2], array.shape[1:])
    else:
        assert len(array) == len(row.objects)
    assert np.array_equal(dataset.with_fields(name)[2][name], array, equal_nan=array.dtype.kind == "f")


def test_planes_are_in_the_order_of_the_objects_and_agree_with_the_mask(dataset):
    for position, row in enumerate(dataset.rows()):
        mask = dataset.mask(position)
        amodal, soft = (dataset.array(position, name) for name in ("amodal_masks", "soft_masks"))
        assert [box_of_mask(plane) for plane in amodal] == list(row.objects.bbox_amodal)
        for number, instance_id in enumerate(row.objects.instance_id):
            own = mask == instance_id
            assert amodal[number][own].all() and (soft[number][own] > 0).all()
            semantic = set(dataset.array(position, "semantic")[own])
            assert semantic == {row.objects.category_id[number] + 1}
    assert max(len(row.objects) for row in dataset.rows()) > 1


def test_vectors_and_colours_are_those_of_their_channels(dataset):
    products = dataset.mask(0) > 0
    assert np.allclose(np.linalg.norm(dataset.array(0, "normals")[products], axis=1), 1, atol=2e-3)
    assert not dataset.array(0, "nocs")[~products].any() and dataset.array(0, "nocs")[products].any()
    assert np.array_equal(dataset.array(0, "parts") > 0, products)
    channels = dataset.source.channels(dataset.row(0), LABEL_FILES["albedo"])
    assert np.array_equal(dataset.array(0, "albedo")[..., 1], channels["G"])


def test_depth_is_in_metres_whatever_its_file(dataset, tmp_path):
    exact = open_dataset(make(tmp_path / "set", depth="exr")).array(0, "depth")
    stepped = dataset.array(0, "depth")
    near = exact < 6.5
    assert near.any() and np.allclose(stepped[near], exact[near], atol=6e-5)
    assert np.isinf(stepped[~near]).all() and stepped.dtype == exact.dtype == np.float32


def test_objects_are_the_columns_of_the_row(dataset):
    objects = dataset.row(1).objects
    assert np.array_equal(dataset.array(1, "bbox"), objects.bbox)
    assert np.allclose(dataset.array(1, "object_to_camera"), objects.object_to_camera)
    assert dataset.array(1, "category_id").tolist() == list(objects.category_id)
    assert np.allclose(dataset.array(1, "bbox_3d_px"), objects.bbox_3d_px)


def test_keypoints_are_padded_with_points_that_are_not_labelled(dataset):
    for position, row in enumerate(dataset.rows()):
        points = dataset.array(position, "keypoints")
        assert points.shape == (len(row.objects), 2, 3)
        for label, own, listed in zip(row.objects.category, points, row.objects.keypoints, strict=True):
            assert np.allclose(own, listed) if label == "box" else not own.any()


def changed(folder, copy, change):
    """A copy of a data set; `change` gets the columns of its first row."""
    shutil.copytree(folder, copy)
    first, *lines = (copy / "manifest.jsonl").read_text("utf-8").splitlines(keepends=True)
    values = json.loads(first)
    change(values)
    (copy / "manifest.jsonl").write_text(json.dumps(values) + "\n" + "".join(lines), "utf-8")
    return open_dataset(copy)


def test_an_image_without_objects_and_a_corner_behind_the_camera_are_arrays_too(folder, tmp_path):
    hidden = changed(
        folder, tmp_path / "a", lambda row: row["objects"]["bbox_3d_px"][0].__setitem__(3, None)
    ).array(0, "bbox_3d_px")
    assert np.isnan(hidden[0, 3]).all() and np.isnan(hidden).sum() == 2

    def clear(row):
        row["objects"] = {name: [] for name in row["objects"]}

    empty = changed(folder, tmp_path / "b", clear)
    for name, (shape, _) in FIELDS.items():
        if name not in LABEL_FILES:
            assert empty.array(0, name).shape == (0, *(side or 2 for side in shape[1:])), name
    assert empty.array(0, "amodal_masks").shape == (0, 48, 64)


def test_items_have_the_chosen_fields_and_no_others(dataset):
    assert list(dataset[0]) == ["image", "mask", "label_id", "index"]
    chosen = dataset.with_fields("depth", "bbox")[2:]
    assert list(chosen[0]) == ["depth", "bbox", "label_id", "index"] and chosen[0]["index"] == 2
    assert chosen.with_transform(lambda item, row: sorted(item))[0] == ["bbox", "depth", "index", "label_id"]
    number = ((), "int64")
    expected = {"depth": ((None, None), "float32"), "bbox": ((None, 4), "float32")}
    assert chosen.signature() == expected | {"label_id": number, "index": number}
    assert list(dataset.signature()) == list(dataset[0])
    assert list(dataset[:0].signature()) == ["label_id", "index"]


def test_unknown_and_missing_fields_are_named(dataset, folder, tmp_path):
    with pytest.raises(UsageError, match="images have no field 'dept'; did you mean depth"):
        dataset.with_fields("image", "dept")
    with pytest.raises(UsageError, match="images have no field 'split'"):
        dataset.array(0, "split")
    with pytest.raises(UsageError, match="label_id is in every item and not a field; leave it out"):
        dataset.with_fields("image", "label_id")

    def reduce(row):
        row["objects"] |= {"obb": [points[:3] for points in row["objects"]["obb"]]}
        del row["objects"]["truncation"], row["depth_file_name"], row["mask_file_name"]
        row["nocs_file_name"] = row["soft_masks_file_name"].replace("soft_masks", "nocs")

    reduced = changed(folder, tmp_path / "set", reduce)
    for name in ("truncation", "depth", "mask"):
        with pytest.raises(DatasetError, match=f"image 0 .*: has no {name}; .*ask for it in `output`"):
            reduced.array(0, name)
    with pytest.raises(DatasetError, match=r"objects\.obb does not have 4 x 2 numbers for each object"):
        reduced.array(0, "obb")
    shutil.copy(*(reduced.source.path(reduced.row(1), LABEL_FILES[name]) for name in ("soft_masks", "nocs")))
    with pytest.raises(DatasetError, match=r"nocs/.*: does not have the channel 'R'; run `blendgen verify`"):
        reduced.array(1, "nocs")
