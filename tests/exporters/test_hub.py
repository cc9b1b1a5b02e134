"""What `hf upload` takes: the card, tables, previews and croissant.json of a Parquet export fit together."""

import json
import re

import pytest
import yaml
from PIL import Image

from blendgen.containers import table
from blendgen.errors import UsageError
from blendgen.exporters.formats import built_in
from blendgen.exporters.licenses import LICENSES
from tests.exporters.conftest import AWKWARD, awkward_images
from tests.exporters.exported import pixels, rows_of, run
from tests.exporters.fake import FakeImage, as_json, make_fake

WITH_CARD = ("hf", "imagefolder", "parquet", "webdataset")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    keypoints = {AWKWARD[1]: {"names": ["left", "right"], "mirrored": {"left": "right"}}}
    folder = tmp_path_factory.mktemp("hub") / "set"
    return make_fake(folder, AWKWARD, awkward_images(), keypoints=keypoints)


@pytest.fixture(scope="module")
def folder(source, tmp_path_factory):
    dest = tmp_path_factory.mktemp("hub") / "out"
    options = {"shard_bytes": 20_000, "extras": ("mask",), "license": "cc-by-4.0"}
    run(source, "hf", dest, push_ready=True, **options, fields=("split", "shot_index", "objects.product"))
    return dest


def head_of(folder):
    return yaml.safe_load((folder / "README.md").read_text("utf-8").split("---\n")[1])


def test_the_whole_folder_loads_with_the_features_and_sizes_of_its_card(
    source, folder, tmp_path, monkeypatch
):
    import datasets

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    info = head_of(folder)["dataset_info"]
    sizes = {one["name"]: one for one in info["splits"]}
    assert set(loaded) == set(sizes) == {"train", "validation", "test"}
    for split, part in loaded.items():
        assert part.features._to_yaml_list() == info["features"]
        assert (
            isinstance(part.features["image"], datasets.Image) and part.features["mask"] == datasets.Image()
        )
        assert part.features["label"] == datasets.ClassLabel(names=list(AWKWARD))
        assert len(part) == sizes[split]["num_examples"] and sizes[split]["num_bytes"] > 1000
    assert sum(len(part) for part in loaded.values()) == source.images
    assert info["download_size"] == sum(path.stat().st_size for path in (folder / "data").iterdir())
    assert info["dataset_size"] == sum(one["num_bytes"] for one in info["splits"])


def test_the_hub_library_reads_the_card_and_writes_it_back(folder):
    from huggingface_hub import DatasetCard, DatasetCardData

    card, head = DatasetCard.load(folder / "README.md"), head_of(folder)
    assert isinstance(card.data, DatasetCardData) and card.data.to_dict() == head
    assert yaml.safe_load(card.data.to_yaml()) == head
    assert card.data.license == "cc-by-4.0" and card.data.size_categories == ["n<1K"]
    wanted = ["image-classification", "object-detection", "keypoint-detection", "image-segmentation"]
    assert card.data.task_categories == wanted and {"synthetic", "blender"} <= set(card.data.tags)


def test_the_card_shows_pictures_that_are_there(source, folder):
    shown = re.findall(r"!\[(.*?)\]\((.*?)\)", (folder / "README.md").read_text("utf-8"))
    labels = {f"preview/{row.index:06d}.jpg": row.label for row in source.rows()}
    assert len(shown) == 8 and [labels[name] for _, name in shown] == [label for label, _ in shown]
    for _, name in shown:
        with Image.open(folder / name) as image:
            assert image.format == "JPEG" and image.size == (64, 48)


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")  # a warning of rdflib
@pytest.mark.filterwarnings("ignore:The inplace keyword")  # mlcroissant with pandas 3.1
def test_mlcroissant_reads_the_tables(source, folder):
    import mlcroissant

    dataset = mlcroissant.Dataset(str(folder / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors and dataset.metadata.license == ["cc-by-4.0"]
    read = [{key.split("/")[1]: value for key, value in one.items()} for one in dataset.records("records")]
    page = json.loads((folder / "croissant.json").read_text("utf-8"))
    names = [field["@id"] for one in page["recordSet"] for field in one["field"]]
    assert len(names) == len(set(names)) and "records/split" in names
    rows = {row.index: row for row in source.rows()}
    assert len(read) == len(rows)
    for one in read:
        row = rows[one["index"]]
        assert one["split"].decode() == row.split and one["label"] == row.label_id
        assert one["shot_index"] == row.shot_index
        assert [name.decode() for name in one["product"]] == list(row.objects.product)
        assert one["image"].convert("RGB").tobytes() == pixels(source.path(row))
        assert one["bbox"] == as_json(row.objects.bbox) and one["category"] == list(row.objects.category_id)
        assert [len(points) for points in one["keypoints"]] == [len(k) for k in row.objects.keypoints]


def test_an_export_that_is_resumed_has_the_same_card(source, tmp_path):
    run(source, "parquet", tmp_path, shard_bytes=20_000)
    card, croissant = (tmp_path / "README.md").read_bytes(), (tmp_path / "croissant.json").read_bytes()
    (tmp_path / "data/train-00000-of-00003.parquet").unlink()
    (tmp_path / "README.md").unlink()
    run(source, "parquet", tmp_path, shard_bytes=20_000)
    assert (tmp_path / "README.md").read_bytes() == card
    assert (tmp_path / "croissant.json").read_bytes() == croissant


def test_row_groups_are_limited_by_their_bytes(source, tmp_path, monkeypatch):
    import pyarrow.parquet as pq

    sizes = [source.path(row).stat().st_size for row in rows_of(source, "train")]
    monkeypatch.setattr(table, "_BYTES_AT_ONCE", 3 * min(sizes))
    run(source, "parquet", tmp_path)
    metadata = pq.read_metadata(tmp_path / "data/train-00000-of-00001.parquet")
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    assert [group.num_rows for group in groups] == [3] * (len(sizes) // 3)
    assert all(group.column(0).has_offset_index for group in groups)


@pytest.mark.parametrize("name", WITH_CARD)
def test_the_licence_is_stated_only_if_it_is_given(source, tmp_path, name):
    for license in (None, "cc0-1.0"):
        run(source, name, tmp_path / str(license), license=license)
    assert head_of(tmp_path / "cc0-1.0")["license"] == "cc0-1.0" and "license" not in head_of(
        tmp_path / "None"
    )
    assert "\n## Licence\n\nNot stated.\n" in (tmp_path / "None/README.md").read_text("utf-8")


def test_the_formats_with_a_card_accept_a_licence():
    accepting = [name for name, exporter in built_in().items() if "license" in exporter.options]
    assert accepting == ["croissant", *WITH_CARD]


@pytest.mark.parametrize(
    ("license", "message"),
    [
        ("CC-BY-4.0", r"^license: 'CC-BY-4.0' is not an identifier of the Hugging Face hub"),
        ("cc-by-4", r"did you mean cc-by-4.0\?"),
        ("", r"\(`other` for a licence that it does not list\)$"),
    ],
)
def test_a_licence_that_the_hub_does_not_know_is_refused(source, tmp_path, license, message):
    with pytest.raises(UsageError, match=message):
        run(source, "parquet", tmp_path, license=license)
    assert len(LICENSES) == len(set(LICENSES)) > 50


def test_the_card_claims_only_what_the_export_holds(source, tmp_path):
    run(source, "imagefolder", tmp_path / "folder")
    run(source, "parquet", tmp_path / "crops", crops=0.1)
    for name in ("folder", "crops"):
        assert head_of(tmp_path / name)["task_categories"] == ["image-classification"]


def test_markup_in_the_name_of_a_class_does_not_break_the_table(tmp_path):
    source = make_fake(tmp_path / "set", ["a|b]*"], [FakeImage("train", 0, [(0, (3, 3, 9, 9))])])
    run(source, "parquet", tmp_path / "out")
    card = (tmp_path / "out/README.md").read_text("utf-8")
    assert "| ![a\\|b\\]\\*](preview/000000.jpg) |\n" in card


def test_strings_of_a_stranger_stay_text_in_the_card(tmp_path):
    points = {"a``b": {"names": ["left\n# x", "<b>"], "mirrored": {}}}
    record = {"name": "set\n## Licence\n\nmit", "keypoints": points, "blender_version": "4\n\n# x"}
    source = make_fake(tmp_path / "set", ["a``b", "`"], [FakeImage("train", 0)], **record)
    run(source, "hf", tmp_path / "out")
    page = (tmp_path / "out/README.md").read_text("utf-8").split("---\n", 2)[2]
    headings = [line for line in page.splitlines() if line.startswith("#")]
    assert headings == ["# set ## Licence mit", "## Classes", "## Licence"]
    assert "0. ``` a``b ```: keypoints left # x, \\<b\\>\n1. `` ` ``\n" in page


@pytest.mark.parametrize("name", ["hf", "parquet", "webdataset"])
@pytest.mark.parametrize("empty", ["train", "val"])
def test_crops_load_although_a_split_has_no_objects(tmp_path, caplog, monkeypatch, name, empty):
    import datasets

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    objects = [(0, (3, 3, 9, 9))]
    images = [FakeImage(split, 0, [] if split == empty else objects) for split in ("train", "val")]
    run(make_fake(tmp_path / "set", ["a"], images), name, tmp_path / "out", crops=0.1)
    loaded = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert {split: len(part) for split, part in loaded.items()} == {
        "validation" if empty == "train" else "train": 1
    }
    assert "load_dataset will refuse" not in caplog.text


def test_a_field_of_a_crop_is_once_in_croissant(source, tmp_path):
    run(source, "parquet", tmp_path, crops=0.1, fields=("objects.visible_fraction",))
    page = json.loads((tmp_path / "croissant.json").read_text("utf-8"))
    fields = [field for one in page["recordSet"] for field in one["field"]]
    names = [field["@id"] for field in fields]
    assert len(names) == len(set(names))
    own = fields[names.index("records/visible_fraction")]
    assert own["source"]["extract"] == {"column": "visible_fraction"} and "repeated" not in own
