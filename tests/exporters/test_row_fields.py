"""Fields of rows in exports: the values of the manifest, where each format has a place for them."""

import contextlib
import csv
import io
import json
import tarfile

import pytest

from blendgen import api
from blendgen.containers.features import complete, feature_of, merged, typed
from blendgen.errors import DatasetError, UsageError
from blendgen.exporters.formats import built_in
from tests.exporters.exported import rows_of, run
from tests.exporters.fake import FakeImage, as_json, grid_boxes, make_fake, rewrite_rows

LAMP = {"kind": "ring", "size_m": [0.2, 0.1]}
WANTED = (
    "shot.surface",
    "shot.lamps",
    "exposure.gain_db",
    "objects.product",
    "objects.category_id",
    "shot_index",
)
OF_IMAGES = ("shot.surface.kind", "shot.surface.photo.image", "shot.lamps", "exposure.gain_db", "shot_index")


def sample_values(row):
    """Values that are missing, null, of two types and nested, so that rows differ."""
    odd = row["index"] % 2
    photo = {"image": "=oak"} if odd else None
    row["shot"] = {"surface": {"kind": "ä=wood", "photo": photo}, "lamps": [LAMP] * odd, "backdrop": None}
    row["exposure"] = {"gain_db": 1.5 if odd else 2}


def image_values(row):
    odd = row.index % 2
    values = ["ä=wood", "=oak" if odd else None, [LAMP] * odd, 1.5 if odd else 2, row.shot_index]
    return dict(zip(OF_IMAGES, values, strict=True))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    boxes = grid_boxes(3)
    images = [
        FakeImage(
            "train" if number < 4 else "val", number % 2, [(k % 2, boxes[k]) for k in range(1 + number % 3)]
        )
        for number in range(8)
    ]
    folder = tmp_path_factory.mktemp("fields") / "set"
    return rewrite_rows(make_fake(folder, ["a", "b"], images), sample_values)


def test_coco_has_attributes_of_images_and_annotations(source, tmp_path):
    from pycocotools.coco import COCO

    run(source, "coco", tmp_path, fields=WANTED)
    for split in source.splits:
        with contextlib.redirect_stdout(io.StringIO()):
            coco = COCO(tmp_path / f"annotations/instances_{split}.json")
        for row in rows_of(source, split):
            assert coco.imgs[row.index + 1]["attributes"] == image_values(row)
            annotations = coco.loadAnns(coco.getAnnIds(imgIds=row.index + 1))
            assert [one["attributes"] for one in annotations] == [{"product": p} for p in row.objects.product]
            assert [one["category_id"] - 1 for one in annotations] == list(row.objects.category_id)


@pytest.mark.filterwarnings("ignore:OpenCV:UserWarning")  # a warning at import, where it is missing
def test_other_readers_of_coco_accept_attributes(source, tmp_path):
    import hotcoco
    import supervision

    run(source, "coco", tmp_path, fields=WANTED)
    truth = str(tmp_path / "annotations/instances_train.json")
    assert hotcoco.COCO(truth).healthcheck()["errors"] == []
    read = supervision.DetectionDataset.from_coco(str(tmp_path / "images/train"), truth)
    assert len(read) == 4 and read.classes == ["a", "b"]


def test_annotations_have_no_name_that_fiftyone_reserves(source, tmp_path):
    """Its Detection has a property instance_id, and cannot be read where an annotation has one."""
    run(source, "coco", tmp_path, fields=("objects.instance_id", "objects.colorway"))
    text = (tmp_path / "annotations/instances_train.json").read_text("utf-8")
    annotations = json.loads(text)["annotations"]
    assert "instance_id" not in text and {"colorway": "c0"} in [one["attributes"] for one in annotations]
    ids = [instance_id for row in rows_of(source, "train") for instance_id in row.objects.instance_id]
    assert [one["segment_id"] for one in annotations] == ids


def test_coco_without_fields_has_no_attributes(source, tmp_path):
    run(source, "coco", tmp_path)
    assert "attributes" not in (tmp_path / "annotations/instances_train.json").read_text("utf-8")


def test_csv_has_columns_for_fields(source, tmp_path):
    run(source, "csv", tmp_path, fields=(*WANTED, "label", "objects.bbox"), quote_formulas=True)
    with (tmp_path / "labels.csv").open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    assert header[6:11] == list(OF_IMAGES) and len(header) == len(set(header)) and header[-1] == "bbox"
    read = [dict(zip(header, line, strict=True)) for line in lines]
    wanted = [(row, number) for row in source.rows() for number in range(len(row.objects))]
    assert len(read) == len(wanted)
    for line, (row, number) in zip(read, wanted, strict=True):
        values = image_values(row)
        assert json.loads(line["shot.lamps"]) == values["shot.lamps"]
        assert line["shot.surface.photo.image"] == ("'=oak" if row.index % 2 else "")
        assert float(line["exposure.gain_db"]) == values["exposure.gain_db"]
        assert line["product"] == row.objects.product[number]
        assert json.loads(line["bbox"]) == as_json(row.objects.bbox[number])


@pytest.mark.parametrize("name", ["hf", "parquet"])
def test_datasets_reads_a_column_for_each_field(source, tmp_path, monkeypatch, name):
    import datasets

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    run(source, name, tmp_path / "out", fields=(*WANTED, "label"))
    loaded = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    for split, part in loaded.items():
        rows = rows_of(source, {"validation": "val"}.get(split, split))
        assert part.features["exposure.gain_db"] == datasets.Value("float64")
        assert part["shot.surface.kind"][:] == ["ä=wood"] * 4
        for one, row in zip(part, rows, strict=True):
            values = image_values(row)
            assert [json.loads(text) for text in one["shot.lamps"]] == values.pop("shot.lamps")
            assert {field: one[field] for field in values} == values
            assert one["objects"]["product"] == list(row.objects.product)
            assert (
                one["objects"]["category_id"] == one["objects"]["category"] == list(row.objects.category_id)
            )
            assert one["label"] in (row.label, row.label_id)


def test_webdataset_has_attributes(source, tmp_path):
    run(source, "webdataset", tmp_path, fields=WANTED)
    with tarfile.open(tmp_path / "train-000000.tar") as tar:
        for row in rows_of(source, "train"):
            columns = json.load(tar.extractfile(f"{row.index:06d}.json"))
            assert columns["attributes"] == image_values(row)
            assert columns["objects"]["product"] == list(row.objects.product)


def test_a_crop_has_the_values_of_its_own_object(source, tmp_path):
    import pyarrow.parquet as pq

    run(
        source,
        "parquet",
        tmp_path,
        crops=0.0,
        fields=("objects.instance_id", "objects.bbox", "shot.surface.kind"),
    )
    table = pq.read_table(tmp_path / "data/train-00000-of-00001.parquet").to_pylist()
    wanted = [(row, number) for row in rows_of(source, "train") for number in range(len(row.objects))]
    read = [(one["index"], one["instance_id"], one["bbox"]) for one in table]
    assert read == [(row.index, number + 1, as_json(row.objects.bbox[number])) for row, number in wanted]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("surface.kind", "fields: rows have no field 'surface.kind'; did you mean shot.surface.kind?"),
        ("shot.surfaces", "did you mean shot.surface?"),
        ("file_name", "fields: rows have no field 'file_name'"),
        ("mask_file_name", "no field 'mask_file_name' for exports, which name files differently; take index"),
        ("objects.truncation", "rows have no field 'objects.truncation'"),
        ("shot.lamps.kind", "rows have no field 'shot.lamps.kind'"),
        ("", "rows have no field ''; known: "),
    ],
)
def test_a_field_that_no_row_has_is_refused_before_anything_is_written(source, tmp_path, name, message):
    with pytest.raises(UsageError) as caught:
        run(source, "coco", tmp_path / "out", fields=("shot.surface.kind", name))
    assert message in str(caught.value) and not (tmp_path / "out").exists()


def test_a_field_that_is_null_in_every_row_is_a_field(source, tmp_path):
    run(source, "coco", tmp_path, fields=("shot.backdrop", "shot.surface.photo"))
    images = json.loads((tmp_path / "annotations/instances_val.json").read_text("utf-8"))["images"]
    photos = [{"shot.backdrop": None, "shot.surface.photo.image": name} for name in (None, "=oak")]
    assert [one["attributes"] for one in images] == photos * 2


def test_other_fields_are_another_export_and_the_api_takes_them(source, tmp_path):
    api.export(source.root, "coco", tmp_path, fields=["shot_index"])
    api.export(source.root, "coco", tmp_path, fields="shot_index")
    images = json.loads((tmp_path / "annotations/instances_val.json").read_text("utf-8"))["images"]
    assert [one["attributes"] for one in images] == [{"shot_index": number} for number in range(4, 8)]
    with pytest.raises(DatasetError, match="another export"):
        api.export(source.root, "coco", tmp_path, fields=["index"])


def test_the_formats_that_carry_fields_are_these():
    accepting = [name for name, exporter in built_in().items() if "fields" in exporter.options]
    assert accepting == ["coco", "csv", "hf", "parquet", "webdataset"]


@pytest.mark.parametrize("objects", [True, False])
def test_a_folder_whose_types_differ_between_splits_is_warned_about(tmp_path, caplog, monkeypatch, objects):
    """The loader refuses exactly these."""
    import datasets

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    box = [(0, grid_boxes(1)[0])]
    images = [FakeImage("train", 0, box), FakeImage("val", 0, box if objects else [])]
    run(make_fake(tmp_path / "set", ["a"], images), "hf", tmp_path / "out")
    refused = "load_dataset will refuse this export, because the values of objects.bbox" in caplog.text
    assert refused is not objects
    with pytest.raises(ValueError, match="have different features") if refused else contextlib.nullcontext():
        datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))


@pytest.mark.parametrize("name", ["hf", "parquet"])
def test_lists_without_any_value_do_not_keep_the_export_from_loading(tmp_path, monkeypatch, name):
    import datasets

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    images = [FakeImage("train", 0, [(0, box) for box in grid_boxes(count)]) for count in (1, 0, 2)]
    source = rewrite_rows(
        make_fake(tmp_path / "set", ["a"], images),
        lambda row: row.update(shot={"one": None, "many": [[None]] * row["index"]}),
    )
    run(source, name, tmp_path / "out", fields=("shot", "objects.case", "objects.product"))
    loaded = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))["train"]
    assert loaded["shot.one"][:] == [None] * 3 and [len(one["product"]) for one in loaded["objects"]] == [
        1,
        0,
        2,
    ]
    assert ("case" in loaded.features["objects"]) is ("shot.many" in loaded.features) is (name == "parquet")


@pytest.mark.parametrize(
    ("values", "stored"),
    [
        ([1, 2.5, None], [1.0, 2.5, None]),
        ([1, True], ["1", "true"]),
        ([2**70, 1], [str(2**70), "1"]),
        ([[], [1], [2.5]], [[], [1.0], [2.5]]),
        ([[1, "a"], [None]], [["1", "a"], [None]]),
        ([[{"ä": 1}], []], [['{"ä": 1}'], []]),
        ([[1], "x"], ["[1]", "x"]),
        ([None, []], [None, []]),
    ],
)
def test_the_values_of_a_field_have_one_type(values, stored):
    import pyarrow as pa

    from blendgen.containers.features import arrow_type

    feature = None
    for value in values:
        feature = merged(feature, feature_of(value))
    feature = complete(feature)
    assert [typed(value, feature) for value in values] == stored
    assert pa.array(stored, type=arrow_type(feature)).to_pylist() == stored
