"""Loaders of other projects read the images and labels of the manifest.

Each is held against awkward names, numbers as names, class 0, one class alone, three hundred classes,
an image of forty products, and images in which none is in view.
"""

import gc
import hashlib
import io
import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.exporters.exported import pixels, rows_of, run
from tests.exporters.fake import as_json


def by_pixels(source, split):
    """Rows by the pixels of their image, since some loaders forget names and order."""
    return {pixels(source.path(row)): row for row in rows_of(source, split)}


def corners_of(row):
    return [[x, y, x + w, y + h] for x, y, w, h in row.objects.bbox]


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """load_dataset without network, with a separate cache."""
    import datasets

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    cache = str(tmp_path / "hf-cache")
    return lambda kind, folder, **how: datasets.load_dataset(
        kind, data_dir=str(folder), cache_dir=cache, **how
    )


def test_datasets_reads_an_image_folder(case, tmp_path, hub):
    run(case, "imagefolder", tmp_path / "folder")
    # by default it treats a folder with one class as one without labels
    loaded = hub("imagefolder", tmp_path / "folder", drop_labels=False)
    for split in case.splits:
        part, rows = loaded[{"val": "validation"}.get(split, split)], by_pixels(case, split)
        assert part.features["label"].names == list(case.classes)
        assert len(part) == len(rows)
        for one in part:
            assert one["label"] == rows[one["image"].convert("RGB").tobytes()].label_id


def test_datasets_reads_parquet(case, tmp_path, hub):
    run(case, "parquet", tmp_path / "parquet", shard_bytes=200_000, extras=("mask",))
    loaded = hub("parquet", tmp_path / "parquet")
    assert set(loaded) == set(case.splits)
    for split in case.splits:
        part, rows = loaded[split], rows_of(case, split)
        assert part.features["label"].names == list(case.classes)
        assert len(part) == len(rows)
        for one, row in zip(part, rows, strict=True):
            assert one["image"].tobytes() == pixels(case.path(row)) and one["label"] == row.label_id
            assert np.array_equal(np.array(one["mask"]), case.instance_mask(row))
            assert one["objects"]["bbox"] == as_json(row.objects.bbox)
            assert one["objects"]["category"] == as_json(row.objects.category_id)


def test_datasets_reads_metadata_and_masks(case, tmp_path, hub):
    run(case, "hf", tmp_path / "hf", extras=("mask", "depth"))
    loaded = hub("imagefolder", tmp_path / "hf")
    for split in case.splits:
        part, rows = loaded[{"val": "validation"}.get(split, split)], by_pixels(case, split)
        assert len(part) == len(rows)
        for one in part:
            row = rows[one["image"].convert("RGB").tobytes()]
            assert one["label"] == row.label and one["label_id"] == row.label_id
            assert one["objects"]["bbox"] == as_json(row.objects.bbox)
            assert one["objects"]["category"] == as_json(row.objects.category_id)
            assert np.array_equal(np.array(one["mask"]), case.instance_mask(row))
            assert np.array(one["depth"]).max() == 9000


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the loader does not close its files
def test_webdataset_reads_its_shards(case, tmp_path):
    import webdataset

    result = run(case, "webdataset", tmp_path / "shards", shard_bytes=20_000, extras=("mask",))
    assert set(result["shards"]) == set(case.splits) and max(result["shards"].values()) > 1
    for split, count in result["shards"].items():
        urls = [str(path) for path in sorted((tmp_path / "shards").glob(f"{split}-*.tar"))]
        assert len(urls) == count
        # its own decoders convert everything to 8-bit RGB, which destroys ids
        masks = webdataset.handle_extension("mask.png", lambda data: np.array(Image.open(io.BytesIO(data))))
        loader = webdataset.WebDataset(urls, shardshuffle=False).decode(masks, "pil")
        read, rows = list(loader.to_tuple("png", "mask.png", "cls", "json")), rows_of(case, split)
        assert len(read) == len(rows)
        for (image, mask, label_id, columns), row in zip(read, rows, strict=True):
            assert image.tobytes() == pixels(case.path(row)) and label_id == row.label_id
            assert columns["objects"] == as_json(row.objects.columns()) and columns["label"] == row.label
            assert np.array_equal(mask, case.instance_mask(row))
    gc.collect()


def test_hotcoco_accepts_coco_and_reads_the_same_from_yolo(case, tmp_path):
    import hotcoco

    run(case, "coco", tmp_path / "coco")
    run(case, "yolo", tmp_path / "yolo")
    for split in case.splits:
        coco = hotcoco.COCO(str(tmp_path / f"coco/annotations/instances_{split}.json"))
        report = coco.healthcheck()
        assert report["errors"] == [] and {one["layer"] for one in report["warnings"]} <= {"Distribution"}
        labels = tmp_path / f"yolo/labels/{split}"
        shutil.copy(tmp_path / "yolo/data.yaml", labels)
        yolo = hotcoco.COCO.from_yolo(str(labels), images_dir=str(tmp_path / f"yolo/images/{split}"))
        assert [one["name"] for one in yolo.load_cats(yolo.get_cat_ids())] == list(case.classes)
        stems = {image["file_name"]: image["id"] for image in yolo.imgs.values()}
        for row in rows_of(case, split):
            one = yolo.load_anns(yolo.get_ann_ids(img_ids=[stems[f"{row.index:06d}"]]))
            boxes = {(box["category_id"] - 1, *np.round(box["bbox"]).astype(int).tolist()) for box in one}
            objects = row.objects
            assert boxes == {(c, *box) for c, box in zip(objects.category_id, objects.bbox, strict=True)}


@pytest.mark.filterwarnings("ignore:OpenCV:UserWarning")  # a warning at import, where it is missing
@pytest.mark.parametrize("name", ["coco", "yolo", "voc"])
def test_supervision_reads_boxes_and_classes(case, tmp_path, name):
    import supervision

    run(case, name, tmp_path)
    load, read = supervision.DetectionDataset, {}
    for split in case.splits:
        images = str(tmp_path / f"images/{split}")
        if name == "coco":
            truth = str(tmp_path / f"annotations/instances_{split}.json")
            read[split] = load.from_coco(images, truth, force_masks=True)
        elif name == "yolo":
            labels, data = str(tmp_path / f"labels/{split}"), str(tmp_path / "data.yaml")
            read[split] = load.from_yolo(images, labels, data)
        else:
            read[split] = load.from_pascal_voc(str(tmp_path / "JPEGImages"), str(tmp_path / "Annotations"))
    for split, labels in read.items():
        rows = {row.index: row for row in (case.rows() if name == "voc" else rows_of(case, split))}
        assert len(labels) == len(rows) and (name == "voc" or labels.classes == list(case.classes))
        for path, _, detections in labels:
            row = rows[int(Path(path).stem)]
            assert detections.xyxy.reshape(-1, 4) == pytest.approx(
                np.reshape(corners_of(row), (-1, 4)), abs=1e-3
            )
            assert [labels.classes[i] for i in detections.class_id] == as_json(row.objects.category)
            if name == "coco" and row.objects.bbox:
                own = [case.instance_mask(row) == i for i in row.objects.instance_id]
                assert np.array_equal(detections.mask, own)


def test_torchvision_reads_an_image_folder_and_coco(awkward, single, many, tmp_path, torchvision):
    for number, source in enumerate((awkward, single, many)):
        run(source, "coco", tmp_path / f"coco{number}", outlines="polygon")
        for split in source.splits:
            rows = by_pixels(source, split)
            folder = torchvision.ImageFolder(source.root / "images" / split)
            assert folder.classes == list(source.classes) and len(folder) == len(rows)
            assert all(rows[image.tobytes()].label_id == label_id for image, label_id in folder)
            truth = tmp_path / f"coco{number}/annotations/instances_{split}.json"
            coco = torchvision.CocoDetection(tmp_path / f"coco{number}/images/{split}", truth)
            for image, annotations in coco:
                objects = rows[image.tobytes()].objects
                assert [one["bbox"] for one in annotations] == as_json(objects.bbox)
                assert [one["category_id"] - 1 for one in annotations] == as_json(objects.category_id)


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")  # a warning of rdflib
def test_mlcroissant_reads_images_and_labels_and_checks_hashes(case, tmp_path):
    import mlcroissant

    run(case, "croissant", tmp_path)
    dataset = mlcroissant.Dataset(str(tmp_path / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    rows = {f"{row.index:06d}": row for row in case.rows()}
    classes = [(one["classes/id"], one["classes/name"]) for one in dataset.records("classes")]
    assert classes == list(enumerate(case.classes))
    for name in ("records", "images", "labels"):
        read = [{key.split("/")[1]: value for key, value in one.items()} for one in dataset.records(name)]
        assert len(read) == len(rows)
        for one in read:
            path = tmp_path / one["file_name"].decode()
            row = rows[path.stem]
            assert (one["split"].decode(), one["label"].decode()) == (row.split, row.label)
            if "image" in one:
                assert one["image"].tobytes() == pixels(case.path(row))
            if "bbox" in one:
                assert one["bbox"] == as_json(row.objects.bbox) and one["label_id"] == row.label_id
                assert [label.decode() for label in one["category"]] == as_json(row.objects.category)
                assert one["sha256"].decode() == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")  # a warning of rdflib
def test_mlcroissant_rejects_changed_labels(single, tmp_path):
    import mlcroissant

    run(single, "croissant", tmp_path)
    table = tmp_path / "labels.jsonl"
    table.write_text(table.read_text("utf-8").replace('"area": [16]', '"area": [17]', 1), "utf-8")
    dataset = mlcroissant.Dataset(str(tmp_path / "croissant.json"))
    with pytest.raises(mlcroissant.GenerationError) as caught:
        list(dataset.records("labels"))
    assert "is not identical with the reference" in str(caught.value.__cause__)


def test_the_length_of_a_croissant_does_not_depend_on_the_images(many, single, tmp_path):
    for name, source in (("many", many), ("single", single)):
        run(source, "croissant", tmp_path / name)
    pages = [
        json.loads((tmp_path / name / "croissant.json").read_text("utf-8")) for name in ("many", "single")
    ]
    for page in pages:
        page["recordSet"] = [one for one in page["recordSet"] if one["@id"] != "classes"]
    assert abs(len(json.dumps(pages[0])) - len(json.dumps(pages[1]))) < 10


def test_the_data_sets_have_the_properties_of_their_names(awkward, single, many):
    assert any(not row.objects.bbox for row in awkward.rows())
    assert "007" in awkward.classes and {row.label_id for row in awkward.rows()} == set(range(4))
    assert len(single.classes) == 1 and len(many.classes) == 300
    assert max(Counter(len(row.objects.bbox) for row in many.rows())) == 40
