"""Keypoints: the same points in every format, read by the tools of each format."""

import contextlib
import io
import json
from dataclasses import replace

import numpy as np
import pytest
import yaml

from blendgen.errors import DatasetError
from blendgen.models.product import Keypoint
from tests.exporters.conftest import AWKWARD, make_dataset
from tests.exporters.exported import run
from tests.exporters.fake import FakeImage, as_json, make_fake, rewrite_rows

ENDS = {"names": ["left", "right", "top"], "mirrored": {"left": "right", "right": "left"}}
BOX = (8, 8, 40, 30)


def pointed(folder, keypoints):
    """Two images of each class, and one without visible products."""
    images = [FakeImage("train", number % 4, [(number % 4, BOX)]) for number in range(8)]
    return make_fake(folder, AWKWARD, [*images, FakeImage("train", 0)], keypoints=keypoints)


@pytest.fixture(scope="module")
def alike(tmp_path_factory):
    """The same three points in each class."""
    return pointed(tmp_path_factory.mktemp("alike") / "set", dict.fromkeys(AWKWARD, ENDS))


@pytest.fixture(scope="module")
def unlike(tmp_path_factory):
    """Classes with their own points, with shared ones, and without any."""
    keypoints = {AWKWARD[0]: ENDS, AWKWARD[1]: {"names": ["lid", "top"], "mirrored": {}}}
    return pointed(tmp_path_factory.mktemp("unlike") / "set", keypoints)


# a warning of pycocotools 2.0.11 about its own arrays under NumPy 2
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_coco_keypoints_are_perfect_in_their_own_evaluation(alike, tmp_path):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    run(alike, "coco", tmp_path)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(tmp_path / "annotations/instances_train.json")
        keys = ("image_id", "category_id", "keypoints")
        answers = [{**{key: one[key] for key in keys}, "score": 1.0} for one in truth.anns.values()]
        evaluation = COCOeval(truth, truth.loadRes(answers), "keypoints")
        evaluation.params.kpt_oks_sigmas = np.full(3, 0.05)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1.0)
    assert all(one["keypoints"] == ENDS["names"] and one["skeleton"] == [] for one in truth.cats.values())
    rows = {row.index + 1: row.objects.keypoints for row in alike.rows()}
    for one in truth.anns.values():
        assert np.array_equal(np.reshape(one["keypoints"], (-1, 3)), rows[one["image_id"]][0])
        assert one["num_keypoints"] == 2  # visible, hidden, and one that is not labelled


def test_coco_lists_the_points_of_each_class(unlike, tmp_path):
    import hotcoco

    run(unlike, "coco", tmp_path)
    coco = json.loads((tmp_path / "annotations/instances_train.json").read_text("utf-8"))
    assert [one["keypoints"] for one in coco["categories"]] == [ENDS["names"], ["lid", "top"], [], []]
    lengths = {one["category_id"]: len(one["keypoints"]) for one in coco["annotations"]}
    assert lengths == {1: 9, 2: 6, 3: 0, 4: 0}
    coco = hotcoco.COCO(str(tmp_path / "annotations/instances_train.json"))
    assert coco.healthcheck()["errors"] == []


def test_coco_without_keypoints_has_no_keys_for_them(awkward, tmp_path):
    run(awkward, "coco", tmp_path)
    for path in (tmp_path / "annotations").iterdir():
        assert "keypoints" not in path.read_text("utf-8")


def test_yolo_has_the_points_of_all_classes_in_each_line(unlike, tmp_path):
    run(unlike, "yolo", tmp_path, task="pose")
    data = yaml.safe_load((tmp_path / "data.yaml").read_text("utf-8"))
    union = ["left", "right", "top", "lid"]
    assert data["kpt_shape"] == [4, 3] and data["flip_idx"] == [1, 0, 2, 3]
    assert data["kpt_names"] == dict.fromkeys(range(4), union)
    for row in unlike.rows():
        lines = (tmp_path / f"labels/train/{row.index:06d}.txt").read_text().splitlines()
        assert len(lines) == len(row.objects.bbox)
        for line, category_id, points in zip(
            lines, row.objects.category_id, row.objects.keypoints, strict=True
        ):
            numbers = np.array(line.split(), float)
            assert numbers[0] == category_id and len(numbers) == 5 + 4 * 3
            assert numbers[1:5] == pytest.approx([28 / 64, 23 / 48, 40 / 64, 30 / 48], abs=1e-6)
            read = dict(zip(union, (numbers[5:].reshape(4, 3) * [64, 48, 1]).tolist(), strict=True))
            names = unlike.keypoint_names(row.objects.category[0])
            for name, point in zip(names, points, strict=True):
                assert read.pop(name) == pytest.approx(point, abs=1e-4)
            assert all(point == [0, 0, 0] for point in read.values())


def test_flip_idx_mirrors_the_points(alike, tmp_path):
    """Applying it twice is the identity, and it follows the names."""
    run(alike, "yolo", tmp_path, task="pose")
    data = yaml.safe_load((tmp_path / "data.yaml").read_text("utf-8"))
    flips, names = data["flip_idx"], data["kpt_names"][0]
    assert [flips[flip] for flip in flips] == list(range(3))
    assert {names[i]: names[flip] for i, flip in enumerate(flips) if i != flip} == ENDS["mirrored"]


def test_pose_without_keypoints_is_rejected_with_the_fix(awkward, tmp_path):
    with pytest.raises(
        DatasetError, match=r"has no keypoints; name some .* set output.keypoints .* or choose another task"
    ):
        run(awkward, "yolo", tmp_path / "out", task="pose")


def test_classes_that_mirror_a_name_differently_are_rejected(tmp_path):
    other = {"names": ["left", "rim"], "mirrored": {"left": "rim", "rim": "left"}}
    source = pointed(tmp_path / "set", {AWKWARD[0]: ENDS, AWKWARD[1]: other})
    with pytest.raises(DatasetError, match="left is the mirror image of right, and of rim in blue box"):
        run(source, "yolo", tmp_path / "out", task="pose")


@pytest.mark.parametrize("name", ["coco", "yolo", "croissant", "hf", "parquet", "webdataset"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda objects: objects.pop("keypoints"), "does not have objects.keypoints"),
        (lambda objects: objects["keypoints"][0].pop(), r"has 2 keypoints, dataset\.json names 3"),
    ],
)
def test_a_row_without_the_keypoints_of_its_class_is_named(tmp_path, name, change, message):
    source = pointed(tmp_path / "set", dict.fromkeys(AWKWARD, ENDS))
    source = rewrite_rows(source, lambda row: row["index"] == 2 and change(row["objects"]))
    options = {"task": "pose"} if name == "yolo" else {}
    with pytest.raises(DatasetError, match=rf"image 2 \(images/.*{message}.*generate again"):
        run(source, name, tmp_path / "out", **options)
    with pytest.raises(DatasetError, match=message):
        source.row(2)


@pytest.mark.parametrize("name", ["hf", "parquet"])
def test_datasets_reads_keypoints(unlike, tmp_path, monkeypatch, name):
    import datasets

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    run(unlike, name, tmp_path / name)
    kind = "imagefolder" if name == "hf" else "parquet"
    loaded = datasets.load_dataset(kind, data_dir=str(tmp_path / name), cache_dir=str(tmp_path / "cache"))
    columns = {
        one["index"] if name == "parquet" else i: one["objects"] for i, one in enumerate(loaded["train"])
    }
    assert len(columns) == 9
    for row in unlike.rows():
        read, points = columns[row.index]["keypoints"], row.objects.keypoints
        assert len(read) == len(points)
        assert [np.shape(one) for one in read] == [np.shape(one) for one in points]
        assert all(np.allclose(a, b, atol=1e-4) for a, b in zip(read, points, strict=True))
    assert "left, right, top" in (tmp_path / name / "README.md").read_text("utf-8")


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")  # a warning of rdflib
def test_mlcroissant_reads_keypoints(unlike, tmp_path):
    import mlcroissant

    run(unlike, "croissant", tmp_path)
    dataset = mlcroissant.Dataset(str(tmp_path / "croissant.json"))
    rows = [row.objects.keypoints for row in unlike.rows()]
    assert [one["labels/keypoints"] for one in dataset.records("labels")] == as_json(rows)
    names = [unlike.keypoint_names(label) for label in unlike.classes]
    assert [one["classes/keypoints"] for one in dataset.records("classes")] == names


def test_annotated_keypoints_are_in_coco_and_yolo(tmp_path, stock):
    """With the columns of a generated data set, not of one written for a test."""
    first, *others = stock.products
    points = tuple(Keypoint(f"corner {i}", tuple(corner)) for i, corner in enumerate(first.hull_m))
    catalog = replace(stock, products=(replace(first, keypoints=points), *others))
    source = make_dataset(tmp_path / "set", catalog, 6, output={"keypoints": True}, splits={"train": 1.0})
    run(source, "coco", tmp_path / "coco")
    run(source, "yolo", tmp_path / "yolo", task="pose")
    coco = json.loads((tmp_path / "coco/annotations/instances_train.json").read_text("utf-8"))
    labelled = [one for one in coco["annotations"] if one["num_keypoints"]]
    mine = [
        points
        for row in source.rows()
        for label, points in zip(row.objects.category, row.objects.keypoints, strict=True)
        if label == first.name
    ]
    assert [np.ravel(points).tolist() for points in mine] == [one["keypoints"] for one in labelled]
    assert {point[2] for points in mine for point in points} >= {1, 2}
    assert yaml.safe_load((tmp_path / "yolo/data.yaml").read_text("utf-8"))["kpt_shape"] == [8, 3]
