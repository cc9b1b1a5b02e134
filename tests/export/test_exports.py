"""Exports: opened by the loaders of their own worlds, image for image and label for label."""

import contextlib
import csv
import gc
import io
import json
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml
from PIL import Image

from blendgen.export.formats import EXPORTERS, export
from blendgen.export.options import Options
from tests.export.conftest import NAMES, make_dataset


@pytest.fixture(params=["small", "lone", "crowded"])
def source(request):
    return request.getfixturevalue(request.param)


def run(source, name, dest, **options):
    return export(source.root, name, dest, Options(**options))


def rows_of(source, split):
    return [row for row in source.rows() if row["split"] == split]


def pixels(path) -> bytes:
    with Image.open(path) as image:
        return image.convert("RGB").tobytes()


def ground_truth_as_detections(coco, kind):
    found = []
    for annotation in coco.anns.values():
        shape = coco.annToRLE(annotation) if kind == "segmentation" else annotation[kind]
        found.append(
            {kind: shape, "score": 1.0, **{key: annotation[key] for key in ("image_id", "category_id")}}
        )
    return found


# pycocotools 2.0.11 says so of its own arrays under NumPy 2
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("outlines", ["rle", "polygon"])
def test_coco_is_right_by_its_own_evaluation(source, tmp_path, outlines):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    run(source, "coco", tmp_path / "coco", outlines=outlines)
    for split in source.splits:
        rows = rows_of(source, split)
        with contextlib.redirect_stdout(io.StringIO()):
            truth = COCO(tmp_path / f"coco/annotations/instances_{split}.json")
        assert [c["name"] for c in truth.loadCats(truth.getCatIds())] == list(source.classes)
        assert len(truth.imgs) == len(rows)
        for row in rows:
            image = truth.imgs[row["index"] + 1]
            assert pixels(tmp_path / "coco/images" / split / image["file_name"]) == pixels(source.path(row))
            annotations = truth.loadAnns(truth.getAnnIds(imgIds=image["id"]))
            mask = source.instance_mask(row)
            for annotation in annotations:
                label = source.classes[annotation["category_id"] - 1]
                number = row["objects"]["instance_id"].index(annotation["instance_id"])
                assert label == row["objects"]["category"][number]
                own = mask == annotation["instance_id"]
                seen = truth.annToMask(annotation).astype(bool)
                if outlines == "rle":
                    assert np.array_equal(seen, own) and annotation["area"] == own.sum()
                else:
                    assert (seen & own).sum() / (seen | own).sum() > 0.85
        for kind, key in (("bbox", "bbox"), ("segm", "segmentation")):
            with contextlib.redirect_stdout(io.StringIO()):
                found = truth.loadRes(ground_truth_as_detections(truth, key))
                evaluation = COCOeval(truth, found, kind)
                evaluation.params.maxDets = [100, 100, 100]
                evaluation.evaluate()
                evaluation.accumulate()
                evaluation.summarize()
            assert evaluation.stats[0] == pytest.approx(1.0)


@pytest.mark.parametrize("task", ["detect", "segment", "obb"])
def test_yolo_lines_are_the_shapes_of_the_masks(source, tmp_path, task):
    run(source, "yolo", tmp_path / "yolo", task=task)
    data = yaml.safe_load((tmp_path / "yolo/data.yaml").read_text("utf-8"))
    assert list(data["names"].values()) == list(source.classes) and set(data["names"]) == set(
        range(len(source.classes))
    )
    assert {"train", "val"} <= set(data)
    for row in source.rows():
        assert pixels(tmp_path / f"yolo/images/{row['split']}/{row['index']:06d}.png") == pixels(
            source.path(row)
        )
        lines = (tmp_path / f"yolo/labels/{row['split']}/{row['index']:06d}.txt").read_text().splitlines()
        assert [int(line.split()[0]) for line in lines] == row["objects"]["category_id"]
        size = np.array([row["width"], row["height"]])
        mask = source.instance_mask(row)
        for line, (x, y, w, h), instance_id in zip(
            lines, row["objects"]["bbox"], row["objects"]["instance_id"], strict=True
        ):
            numbers = np.array(line.split()[1:], float).reshape(-1, 2) * size
            assert numbers.min() >= 0 and (numbers <= size).all()
            if task == "detect":
                assert numbers.ravel() == pytest.approx([x + w / 2, y + h / 2, w, h], abs=1e-3)
            elif task == "obb":
                assert numbers.shape == (4, 2)
                sides = np.roll(numbers, -1, axis=0) - numbers
                assert abs(sides[0] @ sides[1]) < 0.02 * max(1.0, w * h)
                across = sides[0] / max(np.linalg.norm(sides[0]), 1e-9)
                columns, rows = np.nonzero((mask == instance_id).T)
                along = np.column_stack([columns + 0.5, rows + 0.5]) @ across
                assert along.min() > (numbers @ across).min() and along.max() < (numbers @ across).max()
            else:
                assert (numbers.min(axis=0) >= np.array([x, y]) - 0.01).all()
                assert (numbers.max(axis=0) <= np.array([x + w, y + h]) + 0.01).all()


def test_voc_boxes_count_from_one(source, tmp_path):
    run(source, "voc", tmp_path / "voc")
    for split in source.splits:
        stems = (tmp_path / f"voc/ImageSets/Main/{split}.txt").read_text().split()
        rows = rows_of(source, split)
        assert stems == [f"{row['index']:06d}" for row in rows]
        for row, stem in zip(rows, stems, strict=True):
            root = ElementTree.parse(tmp_path / f"voc/Annotations/{stem}.xml").getroot()
            assert (tmp_path / "voc/JPEGImages" / root.findtext("filename")).is_file()
            found = [
                (
                    one.findtext("name"),
                    *(int(one.findtext(f"bndbox/{key}")) for key in ("xmin", "ymin", "xmax", "ymax")),
                )
                for one in root.findall("object")
            ]
            objects = row["objects"]
            assert found == [
                (label, x + 1, y + 1, x + w, y + h)
                for label, (x, y, w, h) in zip(objects["category"], objects["bbox"], strict=True)
            ]


@pytest.mark.filterwarnings("ignore")  # the loader leaves its files to be closed by chance
def test_webdataset_reads_its_shards(small, tmp_path):
    import webdataset

    shards = run(small, "webdataset", tmp_path / "wds", shard_bytes=20_000)["shards"]
    assert shards["train"] > 1
    for split in small.splits:
        urls = [str(path) for path in sorted((tmp_path / "wds").glob(f"{split}-*.tar"))]
        read = list(
            webdataset.WebDataset(urls, shardshuffle=False).decode("rgb8").to_tuple("png", "cls", "json")
        )
        rows = rows_of(small, split)
        assert len(read) == len(rows)
        for (image, label_id, columns), row in zip(read, rows, strict=True):
            assert image.tobytes() == pixels(small.path(row))
            assert label_id == row["label_id"] and columns["objects"] == row["objects"]
    gc.collect()


@pytest.mark.parametrize("name", ["parquet", "hf", "imagefolder"])
def test_hugging_face_reads_images_and_labels(small, tmp_path, name, monkeypatch):
    import datasets

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    run(small, name, tmp_path / "hf", shard_bytes=30_000)
    kind = {"parquet": "parquet", "hf": "imagefolder", "imagefolder": "imagefolder"}[name]
    where = {"data_dir": str(tmp_path / "hf")}
    loaded = datasets.load_dataset(kind, **where, cache_dir=str(tmp_path / "cache"))
    splits = {"val": "validation"} if name != "parquet" else {}
    for split in small.splits:
        part, rows = loaded[splits.get(split, split)], rows_of(small, split)
        assert len(part) == len(rows)
        read = {one["image"].convert("RGB").tobytes(): one for one in part}
        for row in rows:
            one = read[pixels(small.path(row))]
            if name == "hf":
                assert one["label"] == row["label"] and one["objects"]["bbox"] == row["objects"]["bbox"]
            else:
                assert part.features["label"].names == list(small.classes)
                assert one["label"] == row["label_id"]
            if name == "parquet":
                assert one["objects"]["category"] == row["objects"]["category_id"]


def test_csv_has_a_line_an_object(source, tmp_path):
    run(source, "csv", tmp_path / "csv")
    with (tmp_path / "csv/labels.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    expected = [(row, i) for row in source.rows() for i in range(len(row["objects"]["bbox"]))]
    assert len(lines) == len(expected)
    for line, (row, i) in zip(lines, expected, strict=True):
        assert pixels(tmp_path / "csv" / line["file_name"]) == pixels(source.path(row))
        assert [int(line[key]) for key in "xywh"] == row["objects"]["bbox"][i]
        assert line["category"] == row["objects"]["category"][i]


def test_crops_show_each_product_and_its_class(small, tmp_path):
    run(small, "imagefolder", tmp_path / "crops", crops=0.1)
    files = sorted(path for path in (tmp_path / "crops").rglob("*.png"))
    assert len(files) == sum(len(row["objects"]["bbox"]) for row in small.rows())
    assert {path.parent.name for path in files} == set(NAMES)
    by_name = {row["index"]: row for row in small.rows()}
    for path in files:
        index, instance_id = map(int, path.stem.split("_"))
        objects = by_name[index]["objects"]
        number = objects["instance_id"].index(instance_id)
        assert path.parent.name == objects["category"][number]
        with Image.open(path) as crop:
            _, _, w, h = objects["bbox"][number]
            assert w <= crop.width <= w + 2 * round(w * 0.1) and h <= crop.height <= h + 2 * round(h * 0.1)


def test_an_image_in_which_nothing_is_seen_keeps_its_place(small, tmp_path):
    """Such rows come from other tools, or from hand."""
    source = make_dataset(tmp_path / "set", _catalog_of(small), 2, exposures_per_shot=1, per_image=1)
    manifest = source.root / "manifest.jsonl"
    rows = [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]
    rows[0]["objects"] = {key: [] for key in rows[0]["objects"]}
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    for name in EXPORTERS:
        run(source, name, tmp_path / name)
    coco = [json.loads(p.read_text("utf-8")) for p in (tmp_path / "coco/annotations").iterdir()]
    assert (
        sum(len(part["images"]) for part in coco) == 2 and sum(len(part["annotations"]) for part in coco) == 1
    )
    (label,) = (tmp_path / "yolo").rglob(f"{rows[0]['index']:06d}.txt")
    assert label.read_text() == ""


def _catalog_of(source):
    from blendgen.catalog.product import Catalog
    from tests.conftest import make_product

    return Catalog(tuple(make_product(label, "box", (0.05, 0.04, 0.03)) for label in source.classes))
