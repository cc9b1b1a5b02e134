import tracemalloc

import pytest

from blendgen.cli.generate import parse_range
from blendgen.errors import UsageError
from blendgen.workers.run import checked_indices


def test_ranges_have_the_syntax_of_slurm_arrays_and_openjd():
    assert parse_range("0-3,12,20-30:5") == [0, 1, 2, 3, 12, 20, 25, 30]


def test_each_index_appears_once():
    assert checked_indices(parse_range("1,0-2,1")) == [1, 0, 2]


@pytest.mark.parametrize("text, count", [("0-999999", 10**6), ("3-999999:4", 250_000), ("7", 1)])
def test_a_single_range_takes_no_memory(text, count):
    tracemalloc.start()
    indices = parse_range(text)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(indices) == count
    assert peak_bytes < 100_000


def test_several_ranges_are_limited_in_size():
    with pytest.raises(UsageError, match="several parts together are limited to 10000000 images"):
        parse_range("0-9999999,10000000")


@pytest.mark.parametrize("text", ["", "a", "3-1", "1-5:0", "-1", "1--2", "0-999999999999", "9" * 5000])
def test_other_texts_are_rejected(text):
    with pytest.raises(UsageError):
        parse_range(text)
