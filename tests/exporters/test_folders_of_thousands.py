"""Folders of thousands: what loaders make of images from number 10,000 on, in a data set."""

import pytest

from blendgen.models.product import Catalog
from blendgen.scene.folder_names import folder_name
from tests.conftest import make_product
from tests.exporters.conftest import make_dataset
from tests.exporters.exported import pixels, rows_of

NUMBERS = (*range(9_994, 10_006), *range(1_234_560, 1_234_572))


@pytest.fixture(scope="module")
def deep(tmp_path_factory):
    """Images around number 10,000 and far beyond, of a class whose name is that of such a folder, too."""
    names = ("1234", "mug", "test_tube")
    catalog = Catalog(tuple(make_product(name, "box", (0.05, 0.04, 0.03)) for name in names))
    spec = {"exposures_per_shot": 1, "splits": {"train": 0.5, "val": 0.5}, "resolution": [24, 16]}
    return make_dataset(tmp_path_factory.mktemp("deep") / "set", catalog, indices=NUMBERS, **spec)


def by_pixels(source, split):
    return {pixels(source.path(row)): row for row in rows_of(source, split)}


HOW = {
    "folder": lambda load, images: load(images),
    "streaming": lambda load, images: load(images, streaming=True),
    "data_dir": lambda load, images: load("imagefolder", data_dir=str(images)),
    "one split": lambda load, images: load("imagefolder", data_dir=str(images / "train")),
}


@pytest.mark.slow
@pytest.mark.parametrize("how", HOW)
def test_datasets_reads_all_images_with_their_classes(deep, load, how):
    loaded = HOW[how](load, deep.root / "images")
    assert set(loaded) == ({"train"} if how == "one split" else {"train", "validation"})
    for split, part in loaded.items():
        rows = by_pixels(deep, {"validation": "val"}.get(split, split))
        read = [(rows[one["image"].convert("RGB").tobytes()], one["label"]) for one in part]
        assert len(read) == len(rows)
        if how in ("folder", "streaming"):
            assert part.features["label"].names == list(deep.classes)
            assert all(row.label_id == label for row, label in read)
        else:
            assert all(row.label == label for row, label in read)


@pytest.mark.slow
def test_torchvision_reads_all_images_with_their_classes(deep, torchvision):
    for split in deep.splits:
        rows = by_pixels(deep, split)
        folder = torchvision.ImageFolder(deep.root / "images" / split)
        assert folder.classes == list(map(folder_name, deep.classes)) and len(folder) == len(rows)
        assert all(rows[image.tobytes()].label_id == label_id for image, label_id in folder)
