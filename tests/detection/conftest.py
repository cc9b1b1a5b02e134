"""A small data set with boxes, photos of it with a COCO file, and a backbone of random weights."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

import blendgen
from blendgen.learn.network import lite_blocks
from blendgen.models.product import Catalog
from tests.conftest import make_product
from tests.exporters.conftest import NAMES, make_dataset
from tests.learn.networks import lite_weights, tiny_backbone


@pytest.fixture(scope="package")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("detection")


@pytest.fixture(scope="package")
def out(place):
    """A data set of three classes, of which an image shows up to three products."""
    sizes = ((0.1, 0.06, 0.03), (0.05, 0.05, 0.05), (0.06, 0.06, 0.06))
    catalog = Catalog(tuple(map(make_product, NAMES, ("box", "box", "sphere"), sizes)))
    spec = {"exposures_per_shot": 1, "splits": {"train": 0.8, "val": 0.2}, "resolution": (64, 48)}
    return make_dataset(place / "out", catalog, 20, **spec).root


@pytest.fixture(scope="package")
def photos(place, out):
    """Its images as photos in split folders, as CVAT and others write them."""
    blendgen.export(out, "coco", place / "coco")
    for split in ("train", "test"):
        content = json.loads((place / "coco/annotations/instances_train.json").read_text("utf-8"))
        folder = place / "photos/images" / split
        folder.mkdir(parents=True)
        for number, image in enumerate(content["images"]):
            pixels = np.asarray(Image.open(place / "coco/images/train" / image["file_name"])).copy()
            pixels[0, 0] = number, split == "test", 7  # of another content than the renders
            Image.fromarray(pixels).save(folder / f"{image['id']}.png")
            image["file_name"] = f"{image['id']}.png"
        path = place / "photos/annotations" / f"instances_{split}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content), "utf-8")
    return place / "photos"


@pytest.fixture
def backbone(place, monkeypatch):
    tiny = tiny_backbone(place, 64)
    monkeypatch.setattr("blendgen.detection.train.load_backbone", lambda *_: tiny)
    blocks = lite_blocks(lite_weights()), True
    monkeypatch.setattr("blendgen.detection.full_training.backbone_blocks", lambda _: blocks)
    return tiny
