"""Images from number 10,000 on are in folders of their thousand, and lists tell a loader their classes."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from blendgen.dataset.image_lists import image_lists, is_image_list, write_lists
from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import read_rows
from blendgen.dataset.ownership import looks_like_image
from blendgen.dataset.store import Store
from blendgen.develop.develop import Developer
from blendgen.engine.flat import FlatEngine
from blendgen.errors import DatasetError
from blendgen.exporters.subset import Selection, subset
from blendgen.files.folder import Folder
from blendgen.models.product import Catalog
from blendgen.pipeline import Pipeline
from blendgen.scene.folder_names import folder_name, image_place
from blendgen.verification.dataset import verify
from tests.conftest import make_class_table, make_product, make_spec
from tests.containers.packed_sets import spec_of
from tests.dataset.test_dataset import RECORD, content
from tests.dataset.test_dataset import make as make_images
from tests.exporters.conftest import make_dataset
from tests.farm.made import make as make_as_a_run_does

LAST_LOOSE = (9_998, 9_999)
DEEP = (10_000, 10_001, 10_002, 10_003, 1_234_567, 12_345_678)
INDICES = (*LAST_LOOSE, *DEEP)


CATALOG = Catalog(tuple(make_product(name, "box", (0.05, 0.04, 0.03)) for name in ("1234", "mug")))
SPEC = make_spec(products_per_image=1, exposures_per_shot=1, resolution=RECORD["resolution"])
KNOWN = {**RECORD, "classes": ["1234", "mug"]}


@pytest.fixture(scope="module")
def pipeline():
    engine = FlatEngine(CATALOG, SPEC.output)
    return Pipeline(SPEC, CATALOG, make_class_table(CATALOG), engine, Developer(None, 1))


def make(folder, pipeline, indices):
    return make_images(folder, pipeline, indices, KNOWN)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, pipeline):
    return make(tmp_path_factory.mktemp("whole") / "set", pipeline, INDICES)


@pytest.fixture
def deep(whole, tmp_path):
    return Layout(shutil.copytree(whole.root, tmp_path / "deep"))


def lists_of(layout):
    return {
        path.parent.name: list(map(json.loads, path.read_text("utf-8").splitlines()))
        for path in layout.image_lists
    }


def faults_of(layout):
    """Those of its folders: RECORD has no counts."""
    return [str(fault) for fault in verify(layout.root) if "images" in fault.place]


@pytest.mark.parametrize(
    ("index", "place"),
    [
        (0, "mug/000000"),
        (9_999, "mug/009999"),
        (10_000, "mug/0010/010000"),
        (12_345, "mug/0012/012345"),
        (9_999_999, "mug/9999/9999999"),
        (10_000_000, "mug/10000/10000000"),
    ],
)
def test_the_place_of_an_image_depends_on_its_number_alone(index, place):
    assert image_place("mug", index) == place


def test_all_files_of_an_image_are_in_the_folder_of_its_thousand(deep):
    rows = list(read_rows(deep.manifest))
    assert [row.index for row in rows] == list(INDICES)
    for row in rows:
        place = f"{row.split}/{image_place(row.label, row.index)}.png"
        assert row.file_names == [f"images/{place}", f"masks/{place}"]
        assert all((deep.root / name).is_file() for name in row.file_names)
    assert faults_of(deep) == []


def test_the_lists_have_every_image_with_its_class(deep):
    lists = lists_of(deep)
    listed = {(f"images/{split}/{one['file_name']}", one["label"]) for split in lists for one in lists[split]}
    assert listed == {(row.image.name, row.label) for row in read_rows(deep.manifest)}
    card = yaml.safe_load(deep.images_card.read_text("utf-8").split("---\n")[1])
    (config,) = card["configs"]
    names = config["features"][1]["dtype"]["class_label"]["names"]
    assert list(names.values()) == KNOWN["classes"] and config["drop_labels"] is True


def test_a_small_data_set_has_neither_lists_nor_folders_of_thousands(tmp_path, pipeline):
    layout = make(tmp_path / "small", pipeline, LAST_LOOSE)
    assert layout.image_lists == () and b"drop_labels: false" in layout.images_card.read_bytes()
    assert {len(row.image.name.split("/")) for row in read_rows(layout.manifest)} == {4}


def test_a_data_set_that_grows_past_ten_thousand_images_keeps_its_bytes(tmp_path, pipeline, whole):
    grown = make(tmp_path / "grown", pipeline, LAST_LOOSE)
    before = content(grown.root)
    make(grown.root, pipeline, DEEP[::-1])
    after = content(grown.root)
    assert after == content(whole.root)
    earlier = {name for name in before if name.endswith(".png")}
    assert all(after[name] == before[name] for name in earlier)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(path.read_bytes()[:-20]),
        lambda path: path.write_bytes(path.read_bytes().replace(b"009999", b"009990")),
    ],
)
def test_verify_reports_a_list_that_is_not_that_of_the_rows(deep, pipeline, damage):
    damage(deep.root / "images/train/metadata.jsonl")
    (fault,) = faults_of(deep)
    assert fault.startswith("images/train/metadata.jsonl: is ")
    make(deep.root, pipeline, [])
    assert faults_of(deep) == []


def test_a_list_of_somebody_else_stays(tmp_path, pipeline):
    layout = make(tmp_path / "set", pipeline, LAST_LOOSE)
    row = next(read_rows(layout.manifest))
    own = layout.root / f"images/{row.split}/metadata.jsonl"
    columns = {"file_name": f"{row.label}/009998.png", "label": row.label, "caption": "a cup"}
    own.write_text(json.dumps(columns) + "\n")
    text = own.read_text()
    for force in (False, True):
        with pytest.raises(DatasetError, match=r"metadata\.jsonl"):
            Store(layout.root, dict(KNOWN), "spec: 1\n", force=force).__enter__()
    assert own.read_text() == text and "does not belong to a row" in faults_of(layout)[0]


def test_force_removes_lists_and_folders(deep):
    with Store(deep.root, dict(KNOWN), "spec: 1\n", force=True) as store:
        assert store.done() == set()
    assert {path.name for path in deep.root.iterdir()} == {"blender.log", "dataset.json", "spec.yaml"}


def test_a_file_is_ours_only_in_its_place(deep):
    row = list(read_rows(deep.manifest))[-1]
    label, data = row.label, (deep.root / row.image.name).read_bytes()
    places = {f"{label}/12345/12345678": True, f"{label}/12345678": False, f"{label}/1234/12345678": False,
              f"{label}/0001/000001": False, f"{label}/1": False, f"{label}/x": False}  # fmt: skip
    for place, is_ours in places.items():
        path = deep.root / f"images/train/{place}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        name = deep.name(path)
        known = {"classes": [*KNOWN["classes"], 3], "resolution": RECORD["resolution"]}
        assert looks_like_image(deep, known, name) is is_ours, place


def test_a_killed_run_continues_with_the_files_that_it_wrote(whole, pipeline, deep):
    lines = deep.manifest.read_bytes().splitlines(keepends=True)
    deep.manifest.write_bytes(b"".join(lines[:3]))
    deep.image_lists[0].unlink()
    with Store(deep.root, dict(KNOWN), "spec: 1\n") as store:
        assert store.done() == set(INDICES[:3])
    make(deep.root, pipeline, INDICES[3:])
    assert lists_of(deep) == lists_of(whole) and faults_of(deep) == []


@pytest.mark.parametrize("label", ["1234", "test_tube"])
def test_classes_with_awkward_folders_are_continued(tmp_path, label):
    catalog = Catalog((make_product(label, "box", (0.05, 0.04, 0.03)),))
    for count in (2, 3):
        source = make_dataset(tmp_path / "set", catalog, count, exposures_per_shot=1, resolution=[24, 16])
    assert source.images == 3
    assert {path.name for path in (source.root / "images/train").iterdir()} == {folder_name(label)}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source") / "set"
    return make_dataset(folder, CATALOG, indices=INDICES, exposures_per_shot=1, resolution=[24, 16])


def test_a_subset_has_the_lists_of_its_own_images(source, tmp_path):
    subset(source.root, tmp_path / "all", Selection(every=2))
    part = Layout(tmp_path / "all")
    names = {f"images/{split}/{one['file_name']}" for split, own in lists_of(part).items() for one in own}
    assert names == {row.image.name for row in read_rows(part.manifest)} and faults_of(part) == []
    subset(source.root, tmp_path / "loose", Selection(where="index < 10000"))
    assert Layout(tmp_path / "loose").image_lists == () and faults_of(Layout(tmp_path / "loose")) == []


def test_an_error_leaves_no_list(tmp_path):
    folder = Folder(tmp_path)
    with pytest.raises(KeyError), image_lists(folder.atomic_file) as lists:
        lists.add("images/train", "mug/0010/010000.png", "mug", True)
        raise KeyError
    assert list(folder.files()) == []


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[" * 4000 + "\n", '{"file_name": "mug/0012/012345.png"}\n', '["file_name", "label"]\n',
        '{"file_name": "mug/012345.png", "label": "mug"}\n', '{"file_name": "mug/x.png", "label": "mug"}\n',
        '{"file_name": 3, "label": 4}\n', '{"file_name": "mug/000001.png", "label": ["mug"]}\n',
    ],
)  # fmt: skip
def test_what_only_resembles_a_list_is_not_ours(tmp_path, text):
    path = Path(tmp_path / "metadata.jsonl")
    path.write_text(text)
    assert not is_image_list(path)


def test_all_images_are_found(source):
    assert [row.index for row in source.rows()] == list(INDICES)
    assert all(source.path(row).is_file() for row in source.rows())


def test_rows_in_another_form_are_in_the_lists_too(deep):
    before = [path.read_bytes() for path in deep.image_lists]
    rows = map(json.loads, deep.manifest.read_text("utf-8").splitlines())
    deep.manifest.write_text("".join(json.dumps(dict(sorted(row.items()))) + "\n" for row in rows), "utf-8")
    for path in deep.image_lists:
        path.unlink()
    assert write_lists(deep, INDICES[-1])
    assert [path.read_bytes() for path in deep.image_lists] == before


def test_images_in_packs_need_no_lists_until_they_are_files(tmp_path):
    layout = make_as_a_run_does(tmp_path / "packed", INDICES[2:6], spec_of("webdataset", 10_004))
    assert layout.image_lists == () and list(verify(layout.root)) == []
    subset(layout.root, tmp_path / "files", Selection())
    part = Layout(tmp_path / "files")
    listed = {f"images/{split}/{one['file_name']}" for split, own in lists_of(part).items() for one in own}
    assert listed == {row.image.name for row in read_rows(part.manifest)} and list(verify(part.root)) == []
