"""The page with a picture of each model."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from blendgen.reports.model_sheet import (
    WARNING,
    Card,
    bar_m,
    legend,
    length_text,
    model_sheet,
    sheet_size,
    size_text,
    with_parts,
)

_GREEN = (10, 200, 30)


def picture(side=64):
    return Image.new("RGB", (side, side), _GREEN)


@pytest.mark.parametrize(
    ("width_m", "expected_m", "text"),
    [
        (0.26, 0.1, "10 cm"),
        (5.0, 2.0, "2 m"),
        (0.013, 0.005, "5 mm"),
        (0.5, 0.2, "20 cm"),
        (1e-5, 2e-6, "0.002 mm"),
    ],
)
def test_a_scale_bar_has_a_round_length(width_m, expected_m, text):
    assert bar_m(width_m) == pytest.approx(expected_m) and length_text(bar_m(width_m)) == text


def test_sizes_are_in_the_unit_of_the_largest_side():
    assert size_text((4.9, 2.0, 0.011)) == "4.9 x 2 x 0.011 m"
    assert size_text((0.123, 0.01, 0.0456)) == "12.3 x 1 x 4.56 cm"
    assert size_text((0.004, 0.004, 0.002)) == "4 x 4 x 2 mm"


def test_the_bar_is_as_long_as_its_text_says():
    side = sheet_size(1)[1]
    px_per_m = 64 / 0.25  # the picture is 25 cm wide
    page = np.asarray(model_sheet([Card("mug", "facts", (), picture(), px_per_m)]))
    row = page[8 + side - 9, 8 : 8 + side]
    assert (row == (30, 30, 30)).all(axis=1).sum() == round(0.1 / 0.25 * side) + 1


def test_a_model_without_a_picture_says_why_in_its_place():
    side = sheet_size(1)[1]
    pixels = np.asarray(model_sheet([Card("mug", "cannot be used", ("it has no faces",))]))
    place = pixels[8 : 8 + side, 8 : 8 + side]
    assert (place[-1, -1] == (226, 226, 226)).all() and (place == WARNING).all(axis=2).any()


def test_each_part_has_a_color_of_its_own_and_its_name():
    parts = np.zeros((64, 64), np.uint16)
    parts[:20], parts[20:40] = 2, 3
    colored, colors = with_parts(picture(), parts, ["case", "screen", "frame"])
    pixels = np.asarray(colored)
    assert list(colors) == ["screen", "frame"] and len(set(colors.values())) == 2
    assert (pixels[40:] == _GREEN).all() and (pixels[:20] == pixels[0, 0]).all()
    assert (pixels[0, 0] != pixels[30, 0]).any() and (pixels[0, 0] != _GREEN).any()


def test_a_long_legend_is_cut():
    colors = {f"part_{number}": (number, 0, 0) for number in range(30)}
    entries = legend(colors)
    assert len(entries) == 9 and entries[-1][1] == "and 22 more"


@pytest.mark.parametrize("count", [0, 1, 5, 24, 25, 200, 2000])
def test_a_sheet_has_room_for_all_models(count):
    columns, side = sheet_size(count)
    page = model_sheet([Card(f"m{number}", "") for number in range(count)])
    rows = -(-count // columns)
    assert page.size == (columns * (side + 8) + 8, rows * (side + 4 + 30 + 8) + 8)
    assert page.height < 65500


def test_names_are_text_in_any_script():
    names = ["<b>mug</b>", "تفاحة", "杯子", "🍎", "a" * 500, "line\nbreak"]
    assert model_sheet([Card(name, name, (name,), picture(), 100.0, ((_GREEN, name),)) for name in names])
