"""Small data sets of the flat engine: many products, awkward class names, images without products."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import replace

import pytest

from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import ManifestWriter
from blendgen.dataset.record import label_record
from blendgen.dataset.source import open_source
from blendgen.dataset.store import Store
from blendgen.dataset.write import write_frame
from blendgen.develop.develop import Developer
from blendgen.engine.flat import FlatEngine
from blendgen.models.product import Catalog
from blendgen.pipeline import Pipeline, tasks_for
from tests.conftest import make_class_table, make_product, make_spec
from tests.exporters.fake import FakeImage, grid_boxes, make_fake

NAMES = ("ärmel-größe", "blue box", "ボール")


def make_dataset(folder, catalog, count=24, indices=None, **spec):
    """Make a finished data set in a folder, of `count` images or those in `indices`; returns its Source."""
    spec = make_spec(
        name="small", **{"products_per_image": {"integers": [1, 3]}, "exposures_per_shot": 2, **spec}
    )
    class_table = make_class_table(catalog)
    record = {
        "name": spec.name, "digest": "0123456789abcdef", "seed": spec.seed, "blendgen_version": "1",
        "blender_version": "4", "classes": list(class_table.classes),
        "exposures_per_shot": spec.exposures_per_shot,
    }  # fmt: skip
    record |= label_record(spec, catalog, class_table)
    engine = FlatEngine(catalog, spec.output)
    pipeline = Pipeline(spec, catalog, class_table, engine, Developer(None, spec.exposures_per_shot))
    layout = Layout(folder)
    with Store(folder, record, "blendgen: 1\n") as store, ManifestWriter(layout.manifest) as manifest:
        for task in tasks_for(spec, range(count) if indices is None else indices):
            manifest.append([write_frame(layout, frame, spec.output) for frame in pipeline.frames(task)])
        store.finish({"engine": "flat"})
    return open_source(folder)


@pytest.fixture(scope="session")
def stock() -> Catalog:
    """Three classes with names that are hard for files and formats."""
    sizes = ((0.1, 0.06, 0.03), (0.05, 0.05, 0.05), (0.06, 0.06, 0.06))
    shapes = ("box", "box", "sphere")
    return Catalog(tuple(map(make_product, NAMES, shapes, sizes)))


@pytest.fixture(scope="session")
def small(tmp_path_factory, stock):
    return make_dataset(tmp_path_factory.mktemp("small") / "set", stock)


@pytest.fixture(scope="session")
def crowded(tmp_path_factory):
    """Forty products in each image, of three hundred classes."""
    names = [f"class {number:03d}" for number in range(300)]
    catalog = Catalog(tuple(make_product(name, "box", (0.03, 0.02, 0.02)) for name in names))
    spec = {
        "products_per_image": 40,
        "resolution": [256, 256],
        "camera": {"elevation_deg": 90, "frame_fill": 0.95},
    }
    return make_dataset(tmp_path_factory.mktemp("crowded") / "set", catalog, 2, exposures_per_shot=1, **spec)


@pytest.fixture(scope="session")
def lone(tmp_path_factory, stock):
    """One class only, in one split."""
    catalog = replace(stock, products=stock.products[:1])
    folder = tmp_path_factory.mktemp("lone") / "set"
    return make_dataset(folder, catalog, 4, splits={"train": 1.0}, products_per_image=1)


# a name that readers can mistake for the number 7; in code-point order, like all classes
AWKWARD = tuple(sorted(("007", *NAMES)))


def awkward_images() -> list[FakeImage]:
    """Each class in each split, one to three products per image, and images without visible products."""
    images = []
    for number in range(16):
        boxes = grid_boxes(1 + number % 3)
        objects = [((number + i) % len(AWKWARD), box) for i, box in enumerate(boxes)]
        images.append(FakeImage(("train", "val", "train", "test")[number // 4], number % 4, objects))
    return [*images, FakeImage("train", 0), FakeImage("val", 2)]


@pytest.fixture(scope="session")
def awkward(tmp_path_factory):
    """Class names that are hard for formats, class 0, and images without visible products."""
    return make_fake(tmp_path_factory.mktemp("awkward") / "set", AWKWARD, awkward_images())


@pytest.fixture(scope="session")
def single(tmp_path_factory):
    """One class in one split."""
    images = [FakeImage("train", 0, [(0, box)]) for box in grid_boxes(4)]
    return make_fake(tmp_path_factory.mktemp("single") / "set", ["ein Ding"], images)


@pytest.fixture(scope="session")
def many(tmp_path_factory):
    """Three hundred classes, and an image of forty products."""
    full = FakeImage("train", 0, [(7 * i, box) for i, box in enumerate(grid_boxes(40))])
    images = [FakeImage("train", number, [(number, grid_boxes(1)[0])]) for number in range(300)]
    classes = [f"class {number:03d}" for number in range(300)]
    return make_fake(tmp_path_factory.mktemp("many") / "set", classes, [full, *images])


@pytest.fixture(params=["awkward", "single", pytest.param("many", marks=pytest.mark.slow)])
def case(request):
    """The data sets for the tests of loaders."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def torchvision():
    """Its data sets; CI requires them."""
    required = os.environ.get("BLENDGEN_TEST_TORCHVISION")
    if not required and not importlib.util.find_spec("torchvision"):
        pytest.skip("torchvision is not here: pip install 'blendgen[dev,loaders]' on Python 3.11")
    importlib.import_module("tests.torchvision_operators")  # first: it declares what torchvision needs
    return importlib.import_module("torchvision.datasets")


@pytest.fixture
def load(tmp_path, monkeypatch):
    """load_dataset of Hugging Face, without network, with a separate cache."""
    import datasets

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    cache = str(tmp_path / "hf-cache")
    return lambda *where, **how: datasets.load_dataset(*map(str, where), cache_dir=cache, **how)
