"""Numbers that are written as text in files of others."""

import pytest

from blendgen.files.decimals import decimal, whole_numbers


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1.0), (" +2.5e-3\n", 0.0025), (".5", 0.5), ("5.", 5.0), ("-inf", -float("inf"))],
)
def test_a_number_is_read_as_formats_mean_it(text, number):
    assert decimal(text) == number


@pytest.mark.parametrize("text", ["", "1_0", "1e5.5", "0x10", "١", "1,5", "1 0", "1.2.3", "2\u00a0"])
def test_what_only_python_would_read_is_not_a_number(text):
    with pytest.raises(ValueError):
        decimal(text)
    with pytest.raises(ValueError):
        whole_numbers(["1", text])


def test_a_whole_number_has_no_fraction():
    assert whole_numbers([" 7", "+1", "-2"]) == [7, 1, -2]
    with pytest.raises(ValueError):
        whole_numbers(["1.0"])
