"""What is stored of very many rows in little memory behaves as sets and dictionaries of Python do."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from blendgen.dataset.index_set import IndexSet
from blendgen.dataset.row_places import RowPlaces

INDICES = st.one_of(st.integers(0, 1200), st.integers(0, 10**15))


@given(st.lists(st.tuples(st.sampled_from(["add", "discard"]), INDICES)))
def test_an_index_set_is_a_set(steps):
    indices, expected = IndexSet(), set()
    for what, index in steps:
        for one in (indices, expected):
            getattr(one, what)(index)
    assert indices == expected and sorted(indices) == sorted(expected) and len(indices) == len(expected)
    assert all((index in indices) == (index in expected) for _, index in steps)
    assert indices | {5} == expected | {5} and indices - {5} == expected - {5}


def test_a_copy_of_an_index_set_is_another_one():
    indices = IndexSet(range(600))
    copy = indices.copy()
    copy.add(700)
    indices.discard(3)
    assert 700 not in indices and 3 in copy


@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["a", "b"]), st.integers(0, 2**64 - 1))))
def test_the_last_row_of_each_image_counts(rows):
    places, last = RowPlaces(), {}
    for offset, (index, label, digest) in enumerate(rows):
        places.add(index, offset, (label, "train"), digest)
        last[index] = (offset, label)
    order = places.sorted()
    offsets = [last[index][0] for index in sorted(last)]
    assert order.offsets.tolist() == offsets
    assert order.is_sorted == (offsets == list(range(len(rows))))
    assert order.counts == Counter((label, "train") for _, label in last.values())
