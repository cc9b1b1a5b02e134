"""Caption: a line of text in any script, drawn with the fonts that come with Blender.

In: text, and the width that it may have. Out: its pixels. Pillow's own font draws what it has, so Latin
captions have the same pixels on every machine. For the rest, each letter with its marks gets the first font
that has it; a letter that no font has is written as its code point. Pillow shapes and orders the text of
complex scripts if the system has FriBiDi; without it, each letter has its basic shape.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from typing import cast

from PIL import ImageDraw, ImageFont, features

from blendgen.errors import SetupError
from blendgen.files.names import nfc
from blendgen.system.wheel import datafiles

_SIZE_PX = 12
_DOTS = "…"
# the font of all remaining European letters; it also places marks
_SECOND = "Inter"
# it shows a box for every character
_NEVER = "lastresort"
_EAST_ASIAN = "CJK"
_NOT_A_CHARACTER = "\U0010ffff"
_JOINER = "\u200d"
_MARKS = ("Mn", "Mc", "Me")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Run:
    """Text in one font; rightward: it is read from left to right."""

    text: str
    font: ImageFont.FreeTypeFont
    rightward: bool = True


def draw_caption(
    draw: ImageDraw.ImageDraw, place: tuple[int, int], text: str, ink: tuple[int, int, int], width_px: int
) -> None:
    """Draw a line of text, shortened to a width; place: its top left corner (x, y) in pixels."""
    runs = _shortened(nfc(text), width_px)
    x, y = float(place[0]), place[1]
    if all(run.font is _own_font() for run in runs):
        draw.text(place, "".join(run.text for run in runs), ink, _own_font())
        return
    baseline = y + _own_font().getmetrics()[0]
    for run in runs:
        draw.text((round(x), baseline), run.text, ink, run.font, anchor="ls")
        x += run.font.getlength(run.text)


@lru_cache(1000)  # the sheet of a preview is drawn each time that an image is finished
def _shortened(text: str, width_px: int) -> tuple[_Run, ...]:
    runs = _runs(text)
    letters = _letters(text.rstrip(_DOTS)) if len(text) > 1 else []
    while letters and sum(run.font.getlength(run.text) for run in runs) > width_px:
        letters.pop()
        runs = _runs("".join(letters) + _DOTS)
    return tuple(runs)


def _runs(text: str) -> list[_Run]:
    """The runs of a text, from left to right."""
    fonted = [_fonted(letter) for letter in _letters(text)]
    fonts = [font for _, font in fonted]
    for i in range(1, len(fonted) - 1):  # a space between two words of a script belongs to them
        if fonted[i][0].isspace() and fonts[i - 1] == fonts[i + 1]:
            fonts[i] = fonts[i - 1]
    runs = []
    for font, group in groupby(zip(fonts, fonted, strict=True), key=lambda pair: pair[0]):
        runs.append(_run("".join(letter for _, (letter, _) in group), font))
    return _in_visual_order(runs)


def _run(text: str, font: ImageFont.FreeTypeFont) -> _Run:
    rightward = not any(map(_is_leftward, text))
    ordered = text if rightward or _can_shape() else "".join(reversed(_letters(text)))
    return _Run(ordered, font, rightward)


def _in_visual_order(runs: list[_Run]) -> list[_Run]:
    """Neighbouring runs that are read from right to left change places, with the spaces between them."""
    rightward = [run.rightward for run in runs]
    for i in range(1, len(runs) - 1):
        if runs[i].text.isspace() and not rightward[i - 1] and not runs[i + 1].rightward:
            rightward[i] = False
    ordered: list[_Run] = []
    for forward, group in groupby(zip(rightward, runs, strict=True), key=lambda pair: pair[0]):
        neighbours = [run for _, run in group]
        ordered += neighbours if forward else reversed(neighbours)
    return ordered


def _is_leftward(character: str) -> bool:
    return unicodedata.bidirectional(character) in ("R", "AL")


def _letters(text: str) -> list[str]:
    """Characters, each with the marks on it, and with what a joiner or a variation selector ties to it."""
    letters: list[str] = []
    for character in text:
        tied = letters and (letters[-1].endswith(_JOINER) or _is_dependent(character))
        if tied or (letters and _is_half_flag(letters[-1]) and _is_half_flag(character)):
            letters[-1] += character
        else:
            letters.append(character)
    return letters


def _is_dependent(character: str) -> bool:
    skin_tone = "\U0001f3fb" <= character <= "\U0001f3ff"
    return unicodedata.category(character) in _MARKS or character == _JOINER or skin_tone


def _is_half_flag(letter: str) -> bool:
    return len(letter) == 1 and "\U0001f1e6" <= letter <= "\U0001f1ff"


@cache
def _fonted(letter: str) -> tuple[str, ImageFont.FreeTypeFont]:
    """The letter, or its code points, and the font to draw it with."""
    own = _own_font()
    if len(letter) == 1 and (letter.isspace() or _has(own, letter)):
        return letter, own
    for path in _font_files(letter):
        if all(_has(_plain(path), character) for character in letter if not _is_ignorable(character)):
            return letter, _shaping(path)
    return "".join(f"U+{ord(character):04X}" for character in letter), own


def _is_ignorable(character: str) -> bool:
    """Characters without a glyph: joiners and variation selectors."""
    return unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f"


def _has(font: ImageFont.FreeTypeFont, character: str) -> bool:
    """Whether a font has a glyph for a character: other than the one of missing characters."""
    return _glyph(font, character) != _glyph(font, _NOT_A_CHARACTER)


def _glyph(font: ImageFont.FreeTypeFont, character: str) -> tuple[float, tuple[int, int], bytes]:
    mask = font.getmask(character)
    return font.getlength(character), mask.size, bytes(mask)


def _font_files(letter: str) -> Iterator[Path]:
    """Blender's fonts, the likely ones for a letter first; the large one of East Asia takes long to open."""
    script = unicodedata.name(letter[0], "?").partition(" ")[0]

    def rank(path: Path) -> tuple[bool, bool, bool, str]:
        is_likely = script in path.stem.upper()
        return not is_likely, path.stem != _SECOND, _EAST_ASIAN in path.stem, path.name

    yield from sorted(_all_font_files(), key=rank)


@cache
def _all_font_files() -> tuple[Path, ...]:
    """Those of the installed Blender, which is not loaded; none without it."""
    try:
        fonts = (datafiles() / "fonts").glob("*.woff2")
    except SetupError:
        return ()
    return tuple(path for path in fonts if path.stem != _NEVER)


@cache
def _own_font() -> ImageFont.FreeTypeFont:
    return cast(ImageFont.FreeTypeFont, ImageFont.load_default(_SIZE_PX))


@cache
def _plain(path: Path) -> ImageFont.FreeTypeFont:
    """A font that draws character by character."""
    return ImageFont.truetype(path, _SIZE_PX, layout_engine=ImageFont.Layout.BASIC)


@cache
def _shaping(path: Path) -> ImageFont.FreeTypeFont:
    """A font that draws words, where that is possible."""
    if not _can_shape():
        return _plain(path)
    return _plain(path).font_variant(layout_engine=ImageFont.Layout.RAQM)


@cache
def _can_shape() -> bool:
    """Whether Pillow finds FriBiDi; says once if not."""
    if not features.check("raqm"):
        _log.warning(
            "note: captions of the contact sheet in scripts such as Arabic or Devanagari are drawn letter by "
            "letter; install FriBiDi (apt install libfribidi0) for words"
        )
        return False
    return True
