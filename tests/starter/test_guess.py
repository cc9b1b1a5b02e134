"""The text of guesses: what a spec reads from it is what was guessed, whatever the reasons say."""

from __future__ import annotations

import pytest

from blendgen.spec.yaml_source import parse
from blendgen.starter.guess import Guess, rounded, yaml_text
from blendgen.starter.ranges import span


def test_values_are_nested_by_their_paths_and_reasons_are_comments():
    text = yaml_text(
        [
            Guess(("name",), "no", "a word"),
            Guess(("products", 0, "directory"), "a b: c", "models"),
            Guess(("products", 0, "unit"), "mm", "x " * 90),
            Guess(("products", 1, "catalog"), "phones", "y " * 90),
            Guess(("camera", "frame_fill"), {"uniform": [0.5, 1]}, "two\nlines: here"),
            Guess(("camera", "distance_m"), 2, "instead", is_active=False),
            Guess(("lighting", "lamps", "count"), {"choice": [1, 2]}, "lamps"),
            Guess(("lighting", "environment", "image"), "#dome", "\u2028x: 1"),
        ]
    )
    assert parse(text, "x").value == {
        "name": "no",
        "products": [{"directory": "a b: c", "unit": "mm"}, {"catalog": "phones"}],
        "camera": {"frame_fill": {"uniform": [0.5, 1]}},
        "lighting": {"lamps": {"count": {"choice": [1, 2]}}, "environment": {"image": "#dome"}},
    }
    assert "# distance_m: 2" in text and "# two lines: here" in text
    assert max(map(len, text.splitlines())) <= 110


@pytest.mark.parametrize(("value", "expected"), [(0.1234, 0.12), (1999, 2000), (3.0, 3), (0.000456, 0.00046)])
def test_numbers_are_those_that_a_person_would_write(value, expected):
    assert repr(rounded(value)) == repr(expected)


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.008, 0.032, "8 to 32 mm"),
        (0.05, 0.2, "50 mm to 20 cm"),
        (3, 3, "3 m"),
        (0.3, 4.5, "30 cm to 4.5 m"),
    ],
)
def test_lengths_have_the_unit_that_a_person_would_use(low, high, text):
    assert span(low, high) == text
