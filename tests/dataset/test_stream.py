"""Streams: order, shuffling, and that no image comes twice or is missing, in any number of processes."""

from __future__ import annotations

import abc
import importlib.util
import os
import pickle
import sys
from itertools import chain
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from blendgen.dataset.dataset import open_dataset
from blendgen.dataset.stream import Stream
from blendgen.errors import UsageError
from tests.conftest import make_product
from tests.exporters.conftest import Catalog, make_dataset

IMAGES = range(1000, 2003)
needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    catalog = Catalog((make_product("box", "box", (0.1, 0.06, 0.03)),))
    return open_dataset(make_dataset(tmp_path_factory.mktemp("stream") / "set", catalog, 10).root)


@pytest.fixture
def torch_worker(monkeypatch):
    """A stand-in for torch.utils.data; the function sets the (number, count) of the worker that this is."""
    kind = abc.ABCMeta("IterableDataset", (), {})
    fake = SimpleNamespace(IterableDataset=kind, get_worker_info=lambda: None)
    monkeypatch.setitem(sys.modules, "torch.utils.data", fake)

    def become(number, count):
        fake.get_worker_info = lambda: SimpleNamespace(id=number, num_workers=count)

    return become


def test_without_a_seed_images_come_in_order(dataset):
    stream = dataset[2:].stream()
    for _ in range(2):  # it can be read again
        assert [item["index"] for item in stream] == list(range(2, 10))
    assert np.array_equal(next(iter(stream))["image"], dataset[2]["image"])


def test_a_seed_and_an_epoch_give_one_order():
    orders = [list(Stream(IMAGES, seed, epoch=epoch)) for seed, epoch in ((1, 0), (1, 1), (2, 0), (11, 0))]
    assert all(sorted(order) == list(IMAGES) for order in orders)
    assert len(set(map(tuple, orders))) == 4
    assert list(Stream(IMAGES, 1)) == orders[0]
    assert list(Stream(range(8), 7)) == [2, 6, 5, 0, 4, 7, 3, 1]


def test_every_image_may_come_at_any_place():
    places = np.array([np.argsort(Stream(range(20), seed).positions()) for seed in range(2000)])
    counts = np.apply_along_axis(np.bincount, 0, places, minlength=20)
    chi_squared = ((counts - 100) ** 2 / 100).sum()
    assert abs(chi_squared - 19 * 19) < 5 * np.sqrt(2 * 19 * 19), "expected a uniform permutation"


@pytest.mark.parametrize("buffer_size", [1, 2, 50])
def test_a_buffer_bounds_how_far_an_image_moves(buffer_size):
    order = Stream(IMAGES, 5, buffer_size).positions()
    moved = np.abs(order - np.arange(len(IMAGES)))
    assert sorted(order) == list(range(len(IMAGES)))
    assert moved.max() < buffer_size and moved.max() >= buffer_size // 2


@pytest.mark.parametrize("options", [{}, {"seed": 3}, {"seed": 3, "buffer_size": 10}])
def test_ranks_and_workers_divide_the_images(torch_worker, options):
    parts = []
    for rank in range(3):
        for worker in range(4):
            torch_worker(worker, 4)
            parts.append(list(Stream(IMAGES, **options, rank=rank, world_size=3)))
    assert sorted(chain(*parts)) == list(IMAGES)
    assert {len(part) for part in parts} <= {83, 84}


def test_drop_last_gives_all_ranks_equally_many():
    streams = [Stream(range(11), 1, rank=rank, world_size=4, drop_last=True) for rank in range(4)]
    parts = [list(stream) for stream in streams]
    assert [len(part) for part in parts] == [2] * 4 and len({*chain(*parts)}) == 8
    assert list(Stream(range(3), rank=2, world_size=4, drop_last=True)) == []
    assert list(Stream(range(3), rank=3, world_size=4)) == []


def test_a_program_that_imports_torch_has_an_iterable_data_set(torch_worker, dataset):
    assert isinstance(dataset.stream(), sys.modules["torch.utils.data"].IterableDataset)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rank": 2, "world_size": 2}, "0 <= rank < world_size, got rank 2 of 2 processes"),
        ({"rank": -1}, "got rank -1"),
        ({"world_size": 0}, "got rank 0 of 0"),
        ({"buffer_size": 10}, "buffer_size is for shuffling; give a seed"),
        ({"buffer_size": 0, "seed": 1}, "buffer_size: expected at least 1, got 0"),
    ],
)
def test_wrong_options_are_named(dataset, options, message):
    with pytest.raises(UsageError, match=message):
        dataset.stream(**options)


OPEN_FILES = Path("/proc/self/fd")


def interrupt(item, row):
    raise KeyboardInterrupt


@pytest.mark.skipif(not OPEN_FILES.is_dir(), reason="lists open files")
def test_no_file_stays_open_between_images_or_after_an_interrupt(dataset):
    before = set(OPEN_FILES.iterdir())
    images = iter(dataset.with_fields("image", "mask", "bbox").stream(seed=1))
    next(images)
    assert set(OPEN_FILES.iterdir()) == before
    with pytest.raises(KeyboardInterrupt):
        list(dataset.with_transform(interrupt).stream())
    assert set(OPEN_FILES.iterdir()) == before


def test_a_stream_survives_pickling_and_keeps_its_part(dataset):
    stream = dataset.with_fields("bbox").stream(seed=4, rank=1, world_size=2)
    copy = pickle.loads(pickle.dumps(stream))
    assert copy == stream and [item["index"] for item in copy] == list(stream.positions())


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="starts a process by fork")
def test_a_forked_process_reads_on_where_its_parent_does_too(dataset):
    images = iter(dataset.stream())
    next(images)
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        try:
            os.write(writer, bytes(item["index"] for item in images))
        finally:
            os._exit(0)
    os.close(writer)
    mine = [item["index"] for item in images]
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as file:
        assert list(file.read()) == mine == list(range(1, 10))


@needs_torch
@pytest.mark.slow
def test_workers_of_a_data_loader_divide_the_images(dataset):
    from torch.utils.data import DataLoader

    stream = dataset.stream(seed=3)
    loader = DataLoader(stream, batch_size=2, num_workers=2, multiprocessing_context="spawn")
    assert sorted(index for batch in loader for index in batch["index"].tolist()) == list(range(10))
