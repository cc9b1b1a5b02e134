"""The benchmark of loaders: what it compares, and that PyTorch reads all of it."""

import importlib.util

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks import loaders
from blendgen.dataset.dataset import open_dataset
from tests.conftest import make_product
from tests.exporters.conftest import Catalog, make_dataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    catalog = Catalog((make_product("box", "box", (0.1, 0.06, 0.03)),))
    return open_dataset(make_dataset(tmp_path_factory.mktemp("loaders") / "set", catalog, 4).root)


def test_all_sources_give_the_same_images(dataset):
    images = []
    for source in loaders.sources(dataset).values():
        items = source if not hasattr(source, "__getitem__") else [source[i] for i in range(len(source))]
        images.append(sorted((item["image"].tobytes(), item["label_id"]) for item in items))
    assert len(images) == 4 and all(one == images[0] for one in images) and len(images[0]) == len(dataset)
    assert np.count_nonzero(np.frombuffer(images[0][0][0], np.uint8))


def test_rates_are_measured_in_turn_after_a_pass_that_does_not_count():
    passes = []

    class Loader:
        def __init__(self, name):
            self.name = name

        def __iter__(self):
            passes.append(self.name)
            return iter(())

    names = (loaders.FILES, "image")
    measured = loaders.rates({name: Loader(name) for name in names}, images=5, rounds=2)
    assert passes == [*names] * 3
    assert {name: len(values) for name, values in measured.items()} == dict.fromkeys(names, 2)
    _, files, image = loaders.lines({names[0]: [50.0, 100.0], names[1]: [25.0, 60.0]})
    assert files.split()[-2:] == ["1.00", "±0%"] and image.split()[-2:] == ["0.55", "±9%"]


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_the_command_measures_a_data_loader(dataset):
    result = CliRunner().invoke(
        loaders.command, [str(dataset.folder), "--rounds", "1", "--workers", "1"], standalone_mode=False
    )
    assert result.exception is None, result.output
    assert len(result.output.splitlines()) == 5 and "image and mask" in result.output
