"""What verify stores of earlier rows."""

import numpy as np

from blendgen.verification import digest_map
from blendgen.verification.digest_map import DigestMap
from blendgen.verification.earlier import Earlier


def test_a_digest_map_returns_the_first_number_of_a_text(monkeypatch):
    monkeypatch.setattr(digest_map, "_LEAST", 3)  # so that there are sorted ones
    texts, expected, digests = np.random.default_rng(1).integers(0, 60, 200), {}, DigestMap()
    for number, text in enumerate(map(str, texts)):
        assert (text in digests) == (text in expected)
        assert digests.setdefault(text, number) == expected.get(text)
        expected.setdefault(text, number)


def test_a_shot_belongs_to_the_split_of_its_first_row():
    earlier = Earlier()
    rows = [(0, "train"), (0, "train"), (1, "val"), (0, "val"), (1, "train"), (1, "val")]
    assert [earlier.is_in_other_split(*row) for row in rows] == [False, False, False, True, True, False]
