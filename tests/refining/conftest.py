"""A small data set of the flat engine, with depth and in both file formats."""

from __future__ import annotations

import numpy as np
import pytest

from tests.exporters.conftest import make_dataset

SPEC = {"products_per_image": 1, "exposures_per_shot": 1, "resolution": [64, 48]}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="package")
def out(tmp_path_factory, stock):
    """Eight images with depth."""
    place = tmp_path_factory.mktemp("refining") / "out"
    return make_dataset(place, stock, 8, output={"depth": "png"}, **SPEC)


@pytest.fixture(scope="package")
def as_jpeg(tmp_path_factory, stock):
    place = tmp_path_factory.mktemp("refining") / "jpeg"
    return make_dataset(place, stock, 2, output={"format": "jpeg", "jpeg_quality": 80}, **SPEC)


def brighter(image):
    return np.clip(image * 1.06, 0, 255).astype(np.uint8)
