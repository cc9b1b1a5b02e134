"""Merging takes the same memory for any number of rows; a shard of many is only open while it is read."""

import tracemalloc

import pytest

from benchmarks.merge import make_shard
from blendgen.dataset.layout import Layout
from blendgen.errors import DatasetError
from blendgen.farm import merge as merge_module
from blendgen.farm.merge_input import MergeInput
from blendgen.farm.placement import Placement
from blendgen.farm.shards import Shard
from tests.farm.made import merged


@pytest.fixture
def without_files(monkeypatch):
    monkeypatch.setattr(Placement, "place", lambda self, source, row, index: None)
    monkeypatch.setattr(merge_module, "sheet_bytes", lambda folder: b"")


def simulated(out, rows, count):
    for index in range(count):
        make_shard(out, Shard(index, count), rows, 1500, with_files=False)


def peak_bytes(out):
    tracemalloc.start()
    merged(out)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_number_of_rows(tmp_path, without_files):
    for name, rows in (("first", 10), ("small", 100), ("large", 1000)):
        simulated(tmp_path / name, rows, 2)
    merged(tmp_path / "first")  # loads what is loaded when it is needed
    small, large = peak_bytes(tmp_path / "small"), peak_bytes(tmp_path / "large")
    assert large < small + 100_000  # 900 rows have 1.3 MB
    assert Layout(tmp_path / "large").manifest.read_bytes().count(b"\n") == 1000


def test_shards_that_follow_each_other_are_open_one_at_a_time(tmp_path, without_files, monkeypatch):
    simulated(tmp_path, 60, 20)
    opened, most, read = 0, 0, MergeInput.rows

    def rows(self):
        nonlocal opened, most
        opened += 1
        most = max(most, opened)
        try:
            yield from read(self)
        finally:
            opened -= 1

    monkeypatch.setattr(MergeInput, "rows", rows)
    merged(tmp_path)
    assert 1 <= most <= 2 and opened == 0


def test_rows_that_are_not_those_of_one_data_set_are_refused_in_the_end_too(tmp_path, without_files):
    simulated(tmp_path, 20, 2)
    path = Layout(tmp_path / "shards" / Shard(1, 2).name).manifest
    path.write_bytes(path.read_bytes().replace(b'"index": 15', b'"index": 14'))
    with pytest.raises(DatasetError, match=r"row 6 of manifest\.jsonl is not in its place"):
        merged(tmp_path)
