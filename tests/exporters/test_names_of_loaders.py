"""Splits and classes whose names mean something to a loader: what it reads is still that of the manifest."""

import pytest
import yaml

from blendgen.errors import CatalogError, DatasetError
from blendgen.exporters.class_folders import class_folders
from blendgen.exporters.exporter import Options
from blendgen.exporters.formats import export
from blendgen.models.class_table import build_class_table
from blendgen.models.product import Catalog
from blendgen.scene.folder_names import folder_name, order_fault
from blendgen.scene.split_names import hub_split, usual_split
from blendgen.verification.dataset import verify
from tests.conftest import make_product
from tests.exporters.conftest import make_dataset
from tests.exporters.exported import pixels, run
from tests.exporters.fake import FakeImage, make_fake

pytestmark = pytest.mark.slow

# separators, words for splits, numbers, and names that are not names to somebody
CLASSES = tuple(sorted((
    "-dash", "007", "1e3", "C#", "__dunder", "a&b<c>", "a,b", "dev board", "it's", "no", "null", "test_tube",
    "train", "größe", "ボール", "Überraschung 😀", "eval2", "my.val", "valve", "שלום", ".hidden", "100%",
)))  # fmt: skip
SPLITS = {
    "usual": ("train", "val", "test"),
    "aliases": ("training", "validation", "testing"),
    "two": ("training", "testing"),
    "own": ("train", "hard", "Night2"),
}


def made(folder, splits, classes=CLASSES, each=1):
    images = [
        FakeImage(split, label_id, [(label_id, (3, 3, 9, 9))])
        for split in splits
        for label_id in range(len(classes))
        for _ in range(each)
    ]
    return make_fake(folder, classes, images)


@pytest.fixture(scope="module", params=SPLITS)
def source(request, tmp_path_factory):
    return made(tmp_path_factory.mktemp("awkward") / "set", SPLITS[request.param])


def expected(source):
    """Split, as the hub calls it -> pixels of an image -> class."""
    splits = {}
    for row in source.rows():
        images = splits.setdefault(hub_split(row.split), {})
        images[pixels(source.path(row))] = row.label
    return splits


def check(loaded, source, name_of=lambda part, one: part.features["label"].names[one["label"]]):
    splits = expected(source)
    assert set(loaded) == set(splits)
    for split, images in splits.items():
        part = loaded[split]
        assert len(part) == len(images)
        assert {one["image"].convert("RGB").tobytes(): name_of(part, one) for one in part} == images


def test_datasets_reads_a_whole_image_folder(source, tmp_path, load, caplog):
    result = run(source, "imagefolder", tmp_path / "out")
    classes = (tmp_path / "out/classes.txt").read_text("utf-8").splitlines()
    assert classes == list(CLASSES) and "test_tube" in result["class_folders"]
    assert "would misread the folders of '.hidden', '__dunder', 'dev board' and 4 more" in caplog.text
    check(load(tmp_path / "out"), source, lambda part, one: classes[one["label"]])
    if set(map(usual_split, source.splits)) <= {"train", "val", "test"}:  # it finds these without the card
        check(
            load("imagefolder", data_dir=str(tmp_path / "out")),
            source,
            lambda part, one: classes[one["label"]],
        )


def test_torchvision_numbers_the_folders_as_the_data_set_does(source, tmp_path):
    run(source, "imagefolder", tmp_path / "out")
    for split in (tmp_path / "out").iterdir():
        if split.is_dir():  # ImageFolder sorts the folders by name
            assert sorted(path.name for path in split.iterdir()) == list(class_folders(CLASSES).values())


@pytest.mark.parametrize("name", ["hf", "parquet"])
def test_datasets_reads_a_whole_export(source, tmp_path, load, name):
    run(source, name, tmp_path / "out")
    of = {"hf": [lambda part, one: one["label"]]}
    check(load(tmp_path / "out"), source, *of.get(name, ()))


def test_datasets_reads_all_shards(source, tmp_path, load):
    run(source, "webdataset", tmp_path / "out", shard_bytes=20_000)
    loaded = load(tmp_path / "out")
    splits = expected(source)
    assert set(loaded) == set(splits)
    for split, images in splits.items():
        read = {one["png"].convert("RGB").tobytes(): CLASSES[int(one["cls"])] for one in loaded[split]}
        assert read == images


def test_data_yaml_names_the_splits_that_exist(source, tmp_path, caplog):
    run(source, "yolo", tmp_path / "out")
    data = yaml.safe_load((tmp_path / "out/data.yaml").read_text("utf-8"))
    assert list(data["names"].values()) == list(CLASSES)
    own = [usual_split(split) for split in source.splits]
    assert data["train"] == "images/train" and {*own, "val", "names"} == set(data)
    if "val" in own:
        assert data["val"] == "images/val" and "split val" not in caplog.text
    else:
        other = "test" if "test" in own else "train"
        assert data["val"] == f"images/{other}" and f"validates on {other}" in caplog.text
    for split in own:
        assert (tmp_path / "out" / data[split]).is_dir()


def test_an_export_without_training_images_is_refused_by_yolo(tmp_path):
    source = made(tmp_path / "set", ("a", "b"), ("box",))
    with pytest.raises(
        DatasetError, match="has no split train, which ultralytics requires; its splits are a, b"
    ):
        run(source, "yolo", tmp_path / "out")
    assert run(source, "coco", tmp_path / "coco")["a"] == {"images": 1, "annotations": 1}


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        (("train", "training"), "'train' and 'training' are both read as 'train'"),
        (("train", "all"), "'all' cannot be the name of a split: Hugging Face"),
        (("train", "images"), "'images' cannot be the name of a split: ultralytics"),
    ],
)
def test_splits_that_a_loader_misreads_are_refused(tmp_path, splits, message):
    source = made(tmp_path / "set", splits, ("box",))
    for name in ("imagefolder", "coco", "csv"):
        with pytest.raises(DatasetError, match=message):
            run(source, name, tmp_path / name)


@pytest.mark.parametrize(
    ("label", "folder"),
    [
        ("test_tube", "test+_tube"), ("train", "train+"), ("dev board", "dev+ board"), ("eval2", "eval+2"),
        ("my.val", "my.val+"), ("a-test-b", "a-test+-b"), ("__x", "_+_x"), (".x", "+.x"),
        ("valve", "valve"), ("protest", "protest"), ("Test", "Test"), ("latest_model", "latest_model"),
    ],
)  # fmt: skip
def test_only_names_that_are_misread_change(label, folder):
    assert class_folders([label]) == {label: folder}


def test_folders_keep_the_order_of_the_classes():
    numbered = {"a": "0+a", "test tube": "1+test+ tube", "test!": "2+test!"}
    assert class_folders(["a", "test tube", "test!"]) == numbered
    assert class_folders(["test tube", "testing"]) == {"test tube": "test+ tube", "testing": "testing+"}
    for classes in (CLASSES, ("b", "c", "test"), tuple(sorted(f"test {n}" for n in range(120)))):
        folders = list(class_folders(classes).values())
        assert folders == sorted(set(folders)) and len(folders) == len(classes)


def test_the_images_of_a_data_set_are_read_without_an_export(tmp_path, load):
    names = ("__dunder", ".hidden", "test_tube", "train", "valve", "größe")
    catalog = Catalog(tuple(make_product(name, "box", (0.05, 0.04, 0.03)) for name in sorted(names)))
    splits = {"train": 0.5, "validation": 0.25, "hard": 0.25}
    source = make_dataset(tmp_path / "set", catalog, 60, exposures_per_shot=1, splits=splits)
    assert set(source.splits) == set(splits)
    check(load(tmp_path / "set/images"), source, as_class(source))
    usual = make_dataset(tmp_path / "usual", catalog, 60, exposures_per_shot=1)
    without_card = load("imagefolder", data_dir=str(tmp_path / "usual/images"))
    check(without_card, usual, as_class(usual))
    assert list(verify(usual.root)) == []


def as_class(source):
    """The class of a folder, by its number."""
    classes = {folder_name(label): label for label in source.classes}
    return lambda part, one: classes[part.features["label"].names[one["label"]]]


def test_classes_whose_folders_are_in_another_order_are_refused():
    assert order_fault(("a", "test", "test tube", "tests")) is None
    assert "'test+' and 'test!', are in another order" in order_fault(("test", "test!"))
    labelled = [("model", make_product(name, "box", (0.1, 0.1, 0.1))) for name in ("test", "test!")]
    with pytest.raises(CatalogError, match="rename one of the two"):
        build_class_table(labelled)


def test_loaders_number_a_class_alike_in_a_split_that_has_no_image_of_it(tmp_path, caplog):
    images = [FakeImage("train", label_id) for label_id in (0, 1, 3)] + [FakeImage("val", 3)]
    source = make_fake(tmp_path / "set", ("a", "b", "c", "test d"), images)
    for name, options in (("imagefolder", {}), ("yolo", {"task": "classify"})):
        dest = tmp_path / name
        run(source, name, dest, **options)
        for split in ("train", "val"):
            assert sorted(path.name for path in (dest / split).iterdir()) == ["a", "b", "test+ d"]
        assert (dest / "classes.txt").read_text().splitlines() == ["a", "b", "test d"]
    assert "split val has no image of 'a', split val has no image of 'b': empty folders" in caplog.text
    assert "'c': no split has an image of this class" in caplog.text


def test_an_empty_folder_of_an_export_that_is_replaced_does_not_stay(tmp_path):
    first = make_fake(
        tmp_path / "1", ("a", "b"), [FakeImage("train", 0), FakeImage("train", 1), FakeImage("val", 1)]
    )
    export(first.root, "imagefolder", tmp_path / "out", Options())
    assert (tmp_path / "out/val/a").is_dir()
    second = make_fake(tmp_path / "2", ("b",), [FakeImage("train", 0), FakeImage("val", 0)])
    export(second.root, "imagefolder", tmp_path / "out", Options(), force=True)
    assert [path.name for path in (tmp_path / "out/val").iterdir()] == ["b"]


@pytest.mark.parametrize("name", ["imagefolder", "hf", "parquet", "webdataset"])
def test_the_cache_of_the_loader_tells_exports_of_one_folder_name_apart(tmp_path, load, name):
    """Of a folder with a card it knows the last part of the name, and the configs of the card."""
    for each in (1, 2):
        source = made(tmp_path / f"set{each}", ("train",), ("box", "can"), each)
        run(source, name, tmp_path / f"{each}/out")
        assert len(load(tmp_path / f"{each}/out")["train"]) == source.images


def test_the_cache_of_the_loader_does_not_hide_images_that_a_data_set_gained(tmp_path, load):
    for count in (6, 12):
        source = make_dataset(
            tmp_path / f"{count}/set",
            Catalog((make_product("a", "box", (0.05, 0.04, 0.03)),)),
            count,
            exposures_per_shot=1,
        )
        assert sum(map(len, load(source.root / "images").values())) == source.images == count


def test_one_class_is_read_with_its_labels(tmp_path, load):
    source = made(tmp_path / "set", ("train",), ("box",), each=3)
    run(source, "imagefolder", tmp_path / "out")
    check(load(tmp_path / "out"), source)


def test_folders_that_have_numbers_for_their_order_only_say_so(tmp_path, caplog):
    run(made(tmp_path / "set", ["train"], ["b", "a"]), "imagefolder", tmp_path / "out")
    assert "the classes are not in the order of their names, so 2 folders" in caplog.text
