"""Numbers of very many texts."""

import numpy as np
import pytest

from blendgen.dataset import digest_map
from blendgen.dataset.digest_map import DigestMap


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """So that there are sorted ones."""
    monkeypatch.setattr(digest_map, "_LEAST", 3)


def test_a_digest_map_returns_the_first_number_of_a_text():
    texts, expected, digests = np.random.default_rng(1).integers(0, 60, 200), {}, DigestMap()
    for number, text in enumerate(map(str, texts)):
        assert (text in digests) == (text in expected)
        assert digests.setdefault(text, number) == expected.get(text)
        expected.setdefault(text, number)


def test_a_digest_map_changes_the_number_of_a_text():
    texts, expected, digests = np.random.default_rng(2).integers(0, 60, 200), {}, DigestMap()
    for number, text in enumerate(map(str, texts)):
        assert digests.get(text) == expected.get(text)
        digests[text] = expected[text] = number
        assert len(digests) == len(expected)
    assert all(digests.get(text) == number for text, number in expected.items())
