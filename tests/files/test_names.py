"""Names: which strings are valid for classes, splits and paths, and what a terminal displays."""

from __future__ import annotations

import pytest

from blendgen.files.names import name_fault, path_fault, printable, some_of

HIDDEN = [
    "a\0b",
    "a\nb",
    "a\x1b[2J",
    "a\x7f",
    "a\x9b",
    "a\u202eb",
    "a\u2066b",
    "a\u2028",
    "a\ud800",
    "a\ufffe",
]


@pytest.mark.parametrize("name", ["", " ", ".", "..", "a/b", "a\\b", "é" * 128, "x" * 256, 7, None, *HIDDEN])
def test_an_unsafe_name_is_rejected(name):
    assert name_fault(name)


@pytest.mark.parametrize("name", ["iphone-15", "a b", "größe", "手机", "...", "a:b", "-x", "=1+1", "👩‍🔧"])
def test_an_unusual_name_is_valid(name):
    assert name_fault(name) is None


@pytest.mark.parametrize(
    "path",
    ["/etc/shadow", "../x", "images/../../x", "images//x", "images/./x", "C:/x", "file:x", "a\\b", "x/", 3,
     "a/" * 600 + "b", "images/..", "images/x\n", "x" * 256, f"images/{'x' * 256}", "images/ /x", *HIDDEN],
)  # fmt: skip
def test_a_path_that_leads_elsewhere_is_rejected(path):
    assert path_fault(path)


def test_a_path_below_the_data_set_is_valid():
    assert path_fault("images/train/a b/000001.png") is None


def test_hidden_characters_are_escaped_for_a_terminal():
    assert printable("a\x1b[2J\u202eb\ud800\x9b\tc\n") == "a\\x1b[2J\\u202eb\\ud800\\x9b\tc\n"
    assert printable("手机 é 👩‍🔧") == "手机 é 👩‍🔧"


def test_a_message_has_the_first_names_and_the_number_of_others():
    assert [some_of(list("abcde"[:count])) for count in (0, 1, 3, 4)] == [
        "",
        "a",
        "a, b, c",
        "a, b, c and 1 more",
    ]
    assert some_of(list("abcde"), 2) == "a, b and 3 more"
