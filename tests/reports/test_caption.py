"""Captions of contact sheets: every script has its letters, and no letter is the box of missing ones."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, features

from blendgen.errors import SetupError
from blendgen.reports import caption
from blendgen.reports.caption import draw_caption

pytest.importorskip("bpy")

needs_shaping = pytest.mark.skipif(not features.check("raqm"), reason="needs FriBiDi")
QUICK = (
    "größe, łódź, İstanbul",
    "чашка κούπα",
    "كوب قهوة",
    "ספל קפה",
    "क्षत्रिय कप",
    "ถ้วยน้ำ",
    "🏺 😀 👩‍👩‍👧 ❤️",
)
EAST_ASIAN = ("茶杯", "湯のみ カップ", "찻잔")  # their font takes half a second to open
TEXTS = [*QUICK, *(pytest.param(text, marks=pytest.mark.slow) for text in EAST_ASIAN)]
INK = (0, 0, 0)


def drawn(text, width_px=300):
    page = Image.new("RGB", (320, 40), "white")
    draw_caption(ImageDraw.Draw(page), (4, 10), text, INK, width_px)
    return np.asarray(page)


def texts(text):
    return [run.text for run in caption._runs(text)]


@pytest.fixture
def forgotten():
    """Let this test choose fonts as a new process does."""
    fonts = caption._fonted, caption._shaping, caption._can_shape, caption._all_font_files
    caches = (*fonts, caption._shortened)
    for one in caches:
        one.cache_clear()
    yield
    for one in caches:
        one.cache_clear()


@pytest.mark.parametrize("text", TEXTS)
def test_no_letter_is_drawn_as_a_missing_one(text):
    for run in caption._runs(f"3 {text} red"):
        assert "U+" not in run.text
        missing = bytes(run.font.getmask("\U0010ffff"))
        assert all(bytes(run.font.getmask(letter)) != missing for letter in caption._letters(run.text))
    assert (drawn(f"3 {text} red") < 128).sum() > (drawn("3 red") < 128).sum()


@pytest.mark.parametrize("text", ["", "17 mug_red-2 (old)", "17 " + "name " * 40])
def test_plain_names_have_the_pixels_of_pillows_own_font(text):
    font = ImageFont.load_default(12)
    while len(text) > 1 and font.getlength(text) > 100:
        text = text.rstrip("…")[:-1] + "…"
    page = Image.new("RGB", (320, 40), "white")
    ImageDraw.Draw(page).text((4, 10), text, INK, font)
    np.testing.assert_array_equal(drawn(text, 100), np.asarray(page))


def test_both_normal_forms_of_a_name_look_the_same():
    split = unicodedata.normalize("NFD", "größe ế")
    assert split != "größe ế"
    np.testing.assert_array_equal(drawn(split), drawn("größe ế"))


@needs_shaping
def test_a_mark_sits_on_its_letter():
    bare, marked = (np.argwhere(drawn(text) < 128) for text in ("x", "x\u0302"))
    assert marked[:, 0].min() < bare[:, 0].min()  # higher
    assert np.ptp(marked[:, 1]) <= np.ptp(bare[:, 1]) + 2  # not next to it


@needs_shaping
def test_arabic_letters_are_joined():
    (_, word) = caption._runs("1 قهوة")
    assert word.font.getlength(word.text) < sum(map(word.font.getlength, word.text))


def test_words_from_right_to_left_in_two_fonts_change_places_and_the_rest_does_not():
    assert texts("1 תה قهوة red") == ["1 ", "قهوة", " ", "תה", " red"]
    assert texts("1 ספל קפה 2") == ["1 ", "ספל קפה", " 2"]


def test_a_letter_that_no_font_has_is_its_code_point():
    assert texts("1 ᠠ") == ["1 U+1820"]


@pytest.mark.parametrize("letter", ["x\u0302", "कि", "👩‍👩‍👧", "🇩🇪", "👍🏽"])
def test_a_long_name_ends_between_two_letters(letter):
    runs = caption._shortened(letter * 50, 100)
    text = "".join(run.text for run in runs)
    assert text.endswith("…") and text.removesuffix("…") == letter * (len(text) // len(letter))
    assert sum(run.font.getlength(run.text) for run in runs) <= 100


def test_without_fribidi_letters_are_drawn_in_their_order_and_a_note_says_so(forgotten, monkeypatch, caplog):
    monkeypatch.setattr(features, "check", lambda name: False)
    assert texts("1 קפה 2") == ["1 ", "הפק", " 2"]
    assert texts("1 कप") == ["1 ", "कप"]
    assert [message for message in caplog.messages if "install FriBiDi" in message] == caplog.messages
    assert len(caplog.messages) == 1


def test_without_blenders_fonts_letters_are_code_points(forgotten, monkeypatch):
    def missing():
        raise SetupError("bpy is missing")

    monkeypatch.setattr(caption, "datafiles", missing)
    assert texts("1 茶") == ["1 U+8336"]
