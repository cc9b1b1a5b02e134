"""A small data set, photos of it, and a run of both, with a backbone of random weights."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import blendgen
from blendgen.learn import run_network, train
from blendgen.models.product import Catalog
from tests.conftest import make_product
from tests.exporters.conftest import NAMES, make_dataset
from tests.learn.networks import tiny_backbone

SPEC = {"products_per_image": 1, "exposures_per_shot": 1, "splits": {"train": 0.9, "val": 0.1}}
ODD = "<b>&name.png"


@pytest.fixture(scope="package")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("learn")


@pytest.fixture
def backbone(place, monkeypatch):
    monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(place / "cache"))
    tiny = tiny_backbone(place)
    for module in (train, run_network):
        monkeypatch.setattr(module, "load_backbone", lambda *_: tiny)
    return tiny


@pytest.fixture(scope="package")
def out(place):
    """A data set of three classes."""
    sizes = ((0.1, 0.06, 0.03), (0.05, 0.05, 0.05), (0.06, 0.06, 0.06))
    catalog = Catalog(tuple(map(make_product, NAMES, ("box", "box", "sphere"), sizes)))
    return make_dataset(place / "out", catalog, 36, **SPEC).root


@pytest.fixture(scope="package")
def photos(place, out):
    """Wider copies of its images as photos, each class in its own light, in split folders; one is broken."""
    data = blendgen.open_dataset(out)
    for number, item in enumerate(data):
        split = "test" if number % 3 == 0 else "train"
        folder = place / "photos" / split / data.classes[item["label_id"]]
        folder.mkdir(parents=True, exist_ok=True)
        light = np.roll([1.0, 0.6, 0.2], item["label_id"])
        pixels = np.pad((item["image"] * light).astype(np.uint8), ((0, 0), (number % 4, 9), (0, 0)))
        Image.fromarray(pixels).save(folder / (ODD if number == 0 else f"{number}.png"))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    return place / "photos"


@pytest.fixture(scope="package")
def mixed(place, out, photos):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(train, "load_backbone", lambda *_: tiny_backbone(place))
        patched.setenv("BLENDGEN_CACHE_DIR", str(place / "cache"))
        return blendgen.train(out, place / "run", head_only=True, real=photos, seed=3)
