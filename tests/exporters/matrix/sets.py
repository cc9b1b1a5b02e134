"""Data sets that loaders misread most easily: splits, names of classes, sizes and shapes."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

from blendgen.dataset.source import Source
from blendgen.models.product import Catalog
from tests.conftest import make_product
from tests.exporters.conftest import make_dataset
from tests.exporters.fake import FakeImage, grid_boxes, make_fake

USUAL = ("train", "val", "test")
WORDS = ("dev board", "eval2", "images", "labels", "my.val", "test_tube", "train", "valid", "valve")
SCRIPTS = ("Überraschung 😀", "größe", "שלום", "مرحبا", "ボール", "한국어", "🇨🇭 Käse", "ñandú", "İstanbul")
MISSING = ("-1", "0", "007", "1e3", "NA", "None", "nan", "no", "null", "true")
SIGNS = (
    "#1",
    "$x",
    "%d",
    "=1+1",
    "@home",
    "C#",
    "a & <b>",
    "a, b",
    "it's",
    "x;y",
    "{x}",
    "~",
    "__dunder",
    ".hidden",
)


def of_classes(classes, splits=USUAL) -> Callable[[Path], Source]:
    """Two images of each class in each split, with two objects; the last of a split has none."""
    names = tuple(sorted(unicodedata.normalize("NFC", name) for name in classes))

    def make(folder: Path) -> Source:
        images = []
        for split in splits:
            for number in range(2 * len(names)):
                objects = [((number + i) % len(names), box) for i, box in enumerate(grid_boxes(2))]
                images.append(FakeImage(split, number % len(names), objects))
            images.append(FakeImage(split, 0))
        return make_fake(folder, names, images)

    return make


def of_sizes(*shapes) -> Callable[[Path], Source]:
    """shapes: (size, boxes); an image of each in each split."""

    def make(folder: Path) -> Source:
        images = [
            FakeImage(split, number % 2, [((number + i) % 2, box) for i, box in enumerate(boxes)], size)
            for split in USUAL
            for number, (size, boxes) in enumerate(shapes)
        ]
        return make_fake(folder, ("long", "small"), images)

    return make


def without_objects(folder: Path) -> Source:
    """In the validation split no image has an object, in the others some have one."""
    images = [FakeImage(split, number % 2) for split in USUAL for number in range(4)]
    with_one = [FakeImage(split, 0, [(0, (3, 4, 20, 10))]) for split in ("train", "test")]
    return make_fake(folder, ("box", "empty"), [*images, *with_one])


def pile(folder: Path) -> Source:
    """Products that hide each other: masks of several parts and with holes."""
    sizes = {"bar": (0.2, 0.02, 0.02), "box": (0.06, 0.05, 0.03), "plate": (0.12, 0.1, 0.01)}
    catalog = Catalog(tuple(make_product(name, "box", size) for name, size in sizes.items()))
    spec = {"placement": {"arrangement": "pile"}, "resolution": [160, 120], "products_per_image": 8}
    return make_dataset(folder, catalog, 12, exposures_per_shot=1, **spec)


def three_hundred_classes(folder: Path) -> Source:
    """Class numbers beyond 255, and an image of forty products."""
    classes = [f"class {number}" for number in range(300)]
    images = [
        FakeImage(split, number, [(number, grid_boxes(1)[0])])
        for split in USUAL
        for number in range(0, 300, 7)
    ]
    full = FakeImage("train", 299, [(299 - 7 * i, box) for i, box in enumerate(grid_boxes(40))])
    return make_fake(folder, sorted(classes), [*images, full])


FULL_FOLDERS = "full folders"  # test_matrix exports it as if a single file filled a folder

SETS: dict[str, Callable[[Path], Source]] = {
    "splits by other names": of_classes(("box", "can"), ("training", "validation", "testing")),
    "splits of one's own": of_classes(("box", "can"), ("train", "hard", "Night2")),
    "no split for validation": of_classes(("box", "can"), ("train", "test")),
    "no split for training": of_classes(("box", "can"), ("a", "b")),
    "words of loaders": of_classes(WORDS),
    "other scripts": of_classes(SCRIPTS),
    "missing values and numbers": of_classes(MISSING),
    "signs": of_classes(SIGNS),
    "one class": of_classes(("train",)),
    "no objects": without_objects,
    "pile": pile,
    "tiny images": of_sizes(((8, 6), [(0, 0, 1, 1), (7, 5, 1, 1)]), ((9, 3), [(2, 1, 7, 1)])),
    "long images": of_sizes(
        ((10_000, 20), [(9_999, 0, 1, 20), (3, 7, 9_000, 1)]),
        ((20, 4_096), [(0, 4_095, 20, 1), (7, 3, 1, 4_000)]),
    ),
    "300 classes": three_hundred_classes,
    FULL_FOLDERS: of_classes(("1234", "box", "test_tube")),
}  # fmt: skip
