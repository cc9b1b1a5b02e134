import pytest

from blendgen.errors import UsageError
from blendgen.index_range import parse_range


def test_ranges_are_read_as_slurm_arrays_and_openjd_write_them():
    assert parse_range("0-3,12,20-30:5") == [0, 1, 2, 3, 12, 20, 25, 30]


def test_each_index_comes_once():
    assert parse_range("1,0-2,1") == [1, 0, 2]


@pytest.mark.parametrize("text", ["", "a", "3-1", "1-5:0", "-1", "1--2", "0-999999999999"])
def test_other_texts_are_refused(text):
    with pytest.raises(UsageError):
        parse_range(text)
