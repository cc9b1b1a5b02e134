"""How far photos and images are apart for a network: which pictures count, and what the page says."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from blendgen import api
from blendgen.errors import SetupError
from blendgen.matching import appearance as module
from blendgen.models.product import Catalog
from tests.conftest import make_product
from tests.exporters.conftest import make_dataset
from tests.learn.networks import tiny_backbone

SIZE = (0.1, 0.06, 0.03)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    catalog = Catalog((make_product("box", "box", SIZE), make_product("can", "can", SIZE)))
    place = tmp_path_factory.mktemp("set") / "out"
    return make_dataset(place, catalog, 60, resolution=(48, 32), exposures_per_shot=2).root


@pytest.fixture
def network(tmp_path, monkeypatch):
    monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(tmp_path / "cache"))
    backbone = tiny_backbone(tmp_path)
    monkeypatch.setattr(module, "load_backbone", lambda: backbone)
    return backbone


def write_photos(folder, label: str, count: int, seed: int = 0):
    """Plain pictures; those of the data set are noise."""
    rng = np.random.default_rng(seed)
    (folder / label).mkdir(parents=True)
    for number in range(count):
        image = np.full((32, 48, 3), rng.integers(40, 60, 3), np.uint8)
        Image.fromarray(image).save(folder / label / f"{number}.png")
    return folder


def test_plain_photos_are_separability_from_noise_and_every_class_is_compared(network, out, tmp_path):
    place = write_photos(tmp_path / "photos", "box", 12)
    write_photos(place, "elsewhere", 9, seed=1)
    (place / "box" / "torn.png").write_bytes(b"torn")
    result = api.compare(place, out, tmp_path / "page.html").appearance
    assert result.count == 21 and result.telling.accuracy.interval[0] > 0.5 and result.kid.low > 0
    assert [one.label for one in result.classes] == ["box"]
    assert result.classes[0].photos == result.classes[0].images == 12
    values = json.loads((tmp_path / "page.json").read_text())["appearance"]
    assert values["two_sample_accuracy"]["count"] == 42 and values["backbone"]["name"] == "tiny"
    assert values["classes"][0]["coverage"]["count"] == 12
    text = (tmp_path / "page.html").read_text()
    assert "torn.png" in values["left_out"][0] and "box/torn.png: cannot be read" in text
    assert "separated by a linear classifier" in text and "Images least like photos" in text
    assert values["least_like_photos"][0].rsplit("/", 1)[-1] in text


def test_one_image_of_each_shot_counts(network, out, tmp_path):
    """30 shots with two images each: more photos than shots are compared with 30 images."""
    place = write_photos(tmp_path / "photos", "box", 40)
    result = api.compare(place, out, tmp_path / "page.html").appearance
    assert result.count == 30


def test_few_photos_or_a_missing_library_are_a_reason_and_not_an_error(network, out, tmp_path, monkeypatch):
    few = write_photos(tmp_path / "few", "box", 4)
    result = api.compare(few, out, tmp_path / "few.html")
    assert "at least 10 photos" in result.appearance
    assert "at least 10 photos" in json.loads((tmp_path / "few.json").read_text())["appearance"]["reason"]
    assert "Not measured: at least 10 photos" in (tmp_path / "few.html").read_text()

    def missing():
        raise SetupError("this needs onnxruntime: pip install 'blendgen[features]'")

    monkeypatch.setattr(module, "load_backbone", missing)
    place = write_photos(tmp_path / "photos", "box", 12)
    assert "blendgen[features]" in api.compare(place, out, tmp_path / "page.html").appearance
