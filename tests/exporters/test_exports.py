"""Exports, compared image by image and label by label with the tools of each format."""

import contextlib
import csv
import io
import json
import math
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml
from PIL import Image

from blendgen.dataset.label_registry import MASK
from blendgen.dataset.manifest import read_rows
from blendgen.errors import DatasetError, UsageError
from blendgen.exporters.exporter import Options
from blendgen.exporters.formats import built_in, export
from tests.exporters.conftest import NAMES, make_dataset
from tests.exporters.exported import pixels, rows_of, run
from tests.exporters.fake import FakeImage, as_json, make_fake, rewrite_rows


@pytest.fixture(params=["small", "lone", pytest.param("crowded", marks=pytest.mark.slow), "awkward"])
def source(request):
    return request.getfixturevalue(request.param)


def ground_truth_as_detections(coco, kind):
    detections = []
    for annotation in coco.anns.values():
        shape = coco.annToRLE(annotation) if kind == "segmentation" else annotation[kind]
        detections.append(
            {kind: shape, "score": 1.0, **{key: annotation[key] for key in ("image_id", "category_id")}}
        )
    return detections


# a warning of pycocotools 2.0.11 about its own arrays under NumPy 2
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("outlines", ["rle", "polygon"])
def test_coco_is_perfect_in_its_own_evaluation(source, tmp_path, outlines):
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
            image = truth.imgs[row.index + 1]
            assert pixels(tmp_path / "coco/images" / split / image["file_name"]) == pixels(source.path(row))
            annotations = truth.loadAnns(truth.getAnnIds(imgIds=image["id"]))
            mask = source.instance_mask(row)
            for annotation in annotations:
                label = source.classes[annotation["category_id"] - 1]
                number = row.objects.instance_id.index(annotation["segment_id"])
                assert label == row.objects.category[number]
                own = mask == annotation["segment_id"]
                annotated = truth.annToMask(annotation).astype(bool)
                assert np.array_equal(annotated, own) and annotation["area"] == own.sum()
        for kind, key in (("bbox", "bbox"), ("segm", "segmentation")):
            with contextlib.redirect_stdout(io.StringIO()):
                detections = truth.loadRes(ground_truth_as_detections(truth, key))
                evaluation = COCOeval(truth, detections, kind)
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
        assert pixels(tmp_path / f"yolo/images/{row.split}/{row.index:06d}.png") == pixels(source.path(row))
        lines = (tmp_path / f"yolo/labels/{row.split}/{row.index:06d}.txt").read_text().splitlines()
        assert [int(line.split()[0]) for line in lines] == as_json(row.objects.category_id)
        size = np.array([row.width, row.height])
        mask = source.instance_mask(row)
        for line, (x, y, w, h), instance_id in zip(
            lines, row.objects.bbox, row.objects.instance_id, strict=True
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
        assert stems == [f"{row.index:06d}" for row in rows]
        for row, stem in zip(rows, stems, strict=True):
            root = ElementTree.parse(tmp_path / f"voc/Annotations/{stem}.xml").getroot()
            assert (tmp_path / "voc/JPEGImages" / root.findtext("filename")).is_file()
            written = [
                (
                    one.findtext("name"),
                    *(int(one.findtext(f"bndbox/{key}")) for key in ("xmin", "ymin", "xmax", "ymax")),
                )
                for one in root.findall("object")
            ]
            objects = row.objects
            assert written == [
                (label, x + 1, y + 1, x + w, y + h)
                for label, (x, y, w, h) in zip(objects.category, objects.bbox, strict=True)
            ]


def test_csv_has_one_line_per_object(source, tmp_path):
    run(source, "csv", tmp_path / "csv")
    with (tmp_path / "csv/labels.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    expected = [(row, i) for row in source.rows() for i in range(max(1, len(row.objects.bbox)))]
    assert len(lines) == len(expected)
    for line, (row, i) in zip(lines, expected, strict=True):
        assert pixels(tmp_path / "csv" / line["file_name"]) == pixels(source.path(row))
        assert line["label"] == row.label
        if not row.objects.bbox:
            assert not any(line[key] for key in ("category", *"xywh"))
            continue
        assert [int(line[key]) for key in "xywh"] == as_json(row.objects.bbox[i])
        assert line["category"] == row.objects.category[i]


def test_crops_show_each_product_and_its_class(small, tmp_path):
    run(small, "imagefolder", tmp_path / "crops", crops=0.1)
    files = sorted(path for path in (tmp_path / "crops").rglob("*.png"))
    assert len(files) == sum(len(row.objects.bbox) for row in small.rows())
    assert {path.parent.name for path in files} == set(NAMES)
    by_name = {row.index: row for row in small.rows()}
    for path in files:
        index, instance_id = map(int, path.stem.split("_"))
        objects = by_name[index].objects
        number = objects.instance_id.index(instance_id)
        assert path.parent.name == objects.category[number]
        with Image.open(path) as crop:
            _, _, w, h = objects.bbox[number]
            assert w <= crop.width <= w + 2 * round(w * 0.1) and h <= crop.height <= h + 2 * round(h * 0.1)


@pytest.mark.parametrize("name", built_in())
@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0)])
def test_an_object_without_extent_is_rejected(tmp_path, name, size):
    """Such rows come from other tools or are edited; the message names the row."""
    source = make_fake(tmp_path / "set", NAMES, [FakeImage("train", 1, [(1, (4, 4, 8, 8))])] * 3)

    def shrink(row):
        if row["index"] == 2:
            row["objects"]["bbox"][0][2:] = size

    source = rewrite_rows(source, shrink)
    with pytest.raises(DatasetError, match=r"image 2 .*000002.png\): object 0 \(blue box\) has a box of"):
        run(source, name, tmp_path / "out")
    assert not [
        path for path in (tmp_path / "out").rglob("*") if path.suffix in (".tar", ".parquet", ".jsonl")
    ]


_SHARDS = {"shard_bytes": 20_000}


@pytest.mark.parametrize(
    ("name", "options", "passes"),
    [("hf", {}, 1), ("webdataset", _SHARDS, 1), ("parquet", _SHARDS, 2), ("croissant", {}, 1)],
)
def test_the_manifest_is_read_for_all_splits_at_once(awkward, tmp_path, monkeypatch, name, options, passes):
    read = []

    def counting(path):
        read.append(path)
        return read_rows(path)

    monkeypatch.setattr("blendgen.dataset.source.read_rows", counting)
    run(awkward, name, tmp_path / "out", **options)
    assert len(awkward.splits) == 3 and len(read) == passes


@pytest.mark.parametrize(
    "options",
    [Options(task="segment"), Options(task="obb"), Options(outlines="polygon"), Options(outlines="rle")],
)
def test_a_mask_without_an_object_is_reported(tmp_path, options):
    source = make_fake(tmp_path / "set", ["a"], [FakeImage("train", 0, [(0, (4, 4, 8, 8))])])
    (row,) = source.rows()
    Image.new("I;16", (row.width, row.height)).save(source.path(row, MASK))
    with pytest.raises(
        DatasetError, match=r"000000.png: does not show object 0 \(a\); run `blendgen verify`"
    ):
        run(source, "coco" if options.task == "detect" else "yolo", tmp_path / "out", **vars(options))


def test_a_row_without_objects_is_reported(tmp_path):
    source = make_fake(tmp_path / "set", ["a"], [FakeImage("train", 0, [(0, (4, 4, 8, 8))])])
    source = rewrite_rows(source, lambda row: row.pop("objects"))
    with pytest.raises(
        DatasetError, match=r"manifest.jsonl:1: not a row of a manifest \(objects: field required\)"
    ):
        run(source, "coco", tmp_path / "out")


def test_other_files_are_included_on_request(awkward, tmp_path):
    message = r"has no nocs; include accepts mask, depth; to add more"
    for name in ("hf", "parquet", "webdataset"):
        with pytest.raises(DatasetError, match=message):
            run(awkward, name, tmp_path / name, extras=("mask", "nocs"))
        run(awkward, name, tmp_path / "plain" / name)
    assert not list((tmp_path / "plain").rglob("mask"))
    run(awkward, "hf", tmp_path / "with", extras=("mask",))
    assert len(list((tmp_path / "with").glob("*/mask/*.png"))) == awkward.images


def test_every_format_contains_images_without_objects(awkward, tmp_path):
    for name in built_in():
        run(awkward, name, tmp_path / name)
    empty = [row for row in awkward.rows() if not row.objects.bbox]
    assert len(empty) == 2
    coco = [json.loads(p.read_text("utf-8")) for p in (tmp_path / "coco/annotations").iterdir()]
    assert sum(len(part["images"]) for part in coco) == awkward.images
    for row in empty:
        (label,) = (tmp_path / "yolo").rglob(f"{row.index:06d}.txt")
        assert label.read_text() == ""
        (xml,) = (tmp_path / "voc").rglob(f"{row.index:06d}.xml")
        assert "<object>" not in xml.read_text("utf-8")


@pytest.mark.parametrize("name", ["hf", "parquet"])
def test_files_that_image_loaders_cannot_open_are_rejected(tmp_path, stock, name):
    source = make_dataset(tmp_path / "set", stock, 2, output={"depth": "exr"})
    with pytest.raises(
        DatasetError,
        match=r"include: depth is an EXR file \(000000\.exr\).*, or generate with output\.depth: png",
    ):
        export(source.root, name, tmp_path / "out", Options(extras=("depth",)))


LIMITS = {"min_visible": 0.6, "min_area": 400}


def unclear(row, number):
    return row.objects.visible_fraction[number] < 0.6 or row.objects.area[number] < 400


def test_objects_that_nobody_could_recognise_are_marked_or_left_out(small, tmp_path):
    rows = list(small.rows())
    each = [(row, number) for row in rows for number in range(len(row.objects))]
    clear = [(row, number) for row, number in each if not unclear(row, number)]
    assert 5 < len(clear) < len(each) - 5
    result = run(small, "coco", tmp_path / "coco", **LIMITS)
    assert result["objects_ignored"] == len(each) - len(clear)
    for split in small.splits:
        page = json.loads((tmp_path / f"coco/annotations/instances_{split}.json").read_text("utf-8"))
        own = [(row, number) for row, number in each if row.split == split]
        assert [bool(one["iscrowd"]) for one in page["annotations"]] == [unclear(*one) for one in own]
    for name, count in (("yolo", "objects"), ("csv", "objects")):
        result = run(small, name, tmp_path / name, **LIMITS)
        assert (result[count], result["objects_left_out"]) == (len(clear), len(each) - len(clear))
    assert run(small, "imagefolder", tmp_path / "crops", crops=0.1, **LIMITS)["images"] == len(clear)
    assert "objects_left_out" not in run(small, "yolo", tmp_path / "all")
    with pytest.raises(UsageError, match="need crops in this format"):
        run(small, "imagefolder", tmp_path / "whole", **LIMITS)
    with pytest.raises(UsageError, match="min_visible: an option of coco, croissant, csv"):
        run(small, "bop", tmp_path / "bop", **LIMITS)


@pytest.mark.parametrize(
    ("name", "value"),
    [("min_visible", 1.1), ("min_visible", math.nan), ("min_area", -1), ("min_area", math.inf)],
)
def test_limits_of_objects_that_are_not_possible_are_refused(small, tmp_path, name, value):
    with pytest.raises(UsageError, match=f"{name}: expected"):
        run(small, "coco", tmp_path / "out", **{name: value})


@pytest.mark.parametrize(
    ("classes", "what"),
    [
        (["NA", "box", 'it\'s, "so"', "null"], "'NA', 'null' as missing"),
        (["007", "1e3"], "all classes as numbers"),
        (["007", "box"], None),
    ],
)
def test_pandas_reads_names_that_look_like_something_else(tmp_path, caplog, classes, what):
    import pandas

    images = [FakeImage("train", k, [(k, (3, 3, 9, 9))]) for k in range(len(classes))]
    run(make_fake(tmp_path / "set", classes, images), "csv", tmp_path / "out")
    text = dict.fromkeys(("label", "category"), str)
    table = pandas.read_csv(tmp_path / "out/labels.csv", keep_default_na=False, dtype=text)
    assert table["label"].tolist() == table["category"].tolist() == classes
    naive = pandas.read_csv(tmp_path / "out/labels.csv")
    assert (naive["label"].tolist() == classes) is (what is None)
    assert what in caplog.text if what else "pandas" not in caplog.text
