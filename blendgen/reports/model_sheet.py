"""Model sheet: a page with a picture of each model, its scale, and what is known about it.

In: cards. Out: one Pillow image. Where a model has no picture, its place says why.
"""

from __future__ import annotations

import colorsys
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from blendgen.geometry.arrays import IdsHW
from blendgen.reports.caption import draw_caption

_GAP_PX, _LINE_PX = 8, 15
_PAPER, _EMPTY = (255, 255, 255), (226, 226, 226)
INK, FAINT, WARNING = (30, 30, 30), (110, 110, 110), (190, 40, 30)
_MOST_LINES, _MOST_NAMES = 4, 8
_LETTER_PX = 6.6
# most models -> columns, and the side of a picture
_SIZES = ((1, 1, 480), (4, 2, 360), (24, 6, 256), (120, 10, 192), (10**9, 16, 128))
_BAR_SHARE = 0.4  # of the width of a picture, at most
_PART_SHARE = 0.65
_GOLDEN_RATIO = 0.618034
Color = tuple[int, int, int]


@dataclass(frozen=True)
class Card:
    """A model on the sheet.

    picture: None for one that was not rendered
    px_per_m: pixels of the picture for a metre at the middle of the model
    warnings: in red, next to its name and facts; or why there is no picture
    legend: colours and their names
    """

    name: str
    facts: str
    warnings: tuple[str, ...] = ()
    picture: Image.Image | None = None
    px_per_m: float = 0.0
    legend: tuple[tuple[Color, str], ...] = ()


def sheet_size(models: int) -> tuple[int, int]:
    """(columns, side of a picture in pixels) of a sheet."""
    columns, side = next((columns, side) for most, columns, side in _SIZES if models <= most)
    return min(columns, max(models, 1)), side


def model_sheet(cards: Sequence[Card]) -> Image.Image:
    """The page, in the order of the cards."""
    columns, side = sheet_size(len(cards))
    rows = [cards[start : start + columns] for start in range(0, len(cards), columns)]
    lines = [[_lines(card, side) for card in row] for row in rows]
    heights = [side + 4 + _LINE_PX * max(map(len, of_row)) + _GAP_PX for of_row in lines]
    page = Image.new("RGB", (columns * (side + _GAP_PX) + _GAP_PX, sum(heights) + _GAP_PX), _PAPER)
    top = _GAP_PX
    for row, of_row, height in zip(rows, lines, heights, strict=True):
        for column, (card, own) in enumerate(zip(row, of_row, strict=True)):
            _paste_card(page, (_GAP_PX + column * (side + _GAP_PX), top), side, card, own)
        top += height
    return page


def with_parts(
    picture: Image.Image, parts: IdsHW, names: Sequence[str]
) -> tuple[Image.Image, dict[str, Color]]:
    """The picture with each part in a colour of its own, and these colours by the parts' names.

    parts: (h, w), 0 where no part is; names[id - 1]
    """
    pixels = np.asarray(picture.convert("RGB")).astype(np.float32)
    colors: dict[str, Color] = {}
    for number, part in enumerate(sorted(set(np.unique(parts).tolist()) - {0})):
        color = _part_color(number)
        own = parts == part
        pixels[own] += _PART_SHARE * (np.array(color, np.float32) - pixels[own])
        colors[names[part - 1]] = color
    return Image.fromarray(np.rint(pixels).astype(np.uint8)), colors


def legend(colors: Mapping[str, Color]) -> tuple[tuple[Color, str], ...]:
    """The first names, and how many more there are."""
    entries = [(color, name) for name, color in colors.items()]
    more = len(entries) - _MOST_NAMES
    return tuple(entries[:_MOST_NAMES] + ([(_PAPER, f"and {more} more")] if more > 0 else []))


def length_text(metres: float) -> str:
    """A length with the unit in which it is short to read."""
    for factor, unit in ((1, "m"), (100, "cm")):
        if factor * metres >= 1:
            return f"{factor * metres:.3g} {unit}"
    return f"{1000 * metres:.3g} mm"


def size_text(size_m: Sequence[float]) -> str:
    """A size in the unit of its largest side."""
    units = ((1, "m"), (100, "cm"), (1000, "mm"))
    factor, unit = next((one for one in units if one[0] * max(size_m) >= 1), units[-1])
    return f"{' x '.join(f'{factor * side:.3g}' for side in size_m)} {unit}"


def bar_m(width_m: float) -> float:
    """The length of a scale bar: 1, 2 or 5 times a power of ten, at most a share of the width."""
    longest = _BAR_SHARE * width_m
    power = 10.0 ** math.floor(math.log10(longest))
    return power * max(digit for digit in (1, 2, 5) if digit * power <= longest * (1 + 1e-9))


def _lines(card: Card, side: int) -> list[tuple[str, Color, Color | None]]:
    """(text, ink, colour of the square before it) below a picture."""
    lines: list[tuple[str, Color, Color | None]] = [(card.name, INK, None), (card.facts, FAINT, None)]
    if card.picture is not None:
        lines += [(line, WARNING, None) for line in _wrapped(card.warnings, side)]
    return lines + [(name, INK, color) for color, name in card.legend]


def _wrapped(texts: Sequence[str], side: int) -> list[str]:
    letters = max(10, int(side / _LETTER_PX))
    lines = [line for text in texts for line in textwrap.wrap(text, letters, max_lines=_MOST_LINES)]
    more = len(lines) - _MOST_LINES
    return lines if more <= 0 else [*lines[: _MOST_LINES - 1], f"and {more + 1} more lines"]


def _paste_card(
    page: Image.Image,
    place: tuple[int, int],
    side: int,
    card: Card,
    lines: Sequence[tuple[str, Color, Color | None]],
) -> None:
    (x, y), draw = place, ImageDraw.Draw(page)
    if card.picture is None:
        draw.rectangle((x, y, x + side - 1, y + side - 1), fill=_EMPTY)
        for number, line in enumerate(_wrapped(card.warnings, side - 16)):
            draw_caption(draw, (x + 8, y + 8 + number * _LINE_PX), line, WARNING, side - 16)
    else:
        page.paste(card.picture.convert("RGB").resize((side, side), Image.Resampling.LANCZOS), place)
        _draw_bar(draw, place, side, card.px_per_m * side / card.picture.width)
    for number, (text, ink, square) in enumerate(lines):
        top, left = y + side + 4 + number * _LINE_PX, x
        if square is not None:
            draw.rectangle((x, top + 2, x + 9, top + 11), fill=square)
            left += 14
        draw_caption(draw, (left, top), text, ink, side - (left - x))


def _draw_bar(draw: ImageDraw.ImageDraw, place: tuple[int, int], side: int, px_per_m: float) -> None:
    if px_per_m <= 0:
        return
    length_m = bar_m(side / px_per_m)
    x, y, width = place[0] + 8, place[1] + side - 10, round(length_m * px_per_m)
    draw.rectangle((x - 1, y - 1, x + width + 1, y + 3), fill=_PAPER)
    draw.rectangle((x, y, x + width, y + 2), fill=INK)
    draw_caption(draw, (x, y - 16), length_text(length_m), INK, side - 16)


def _part_color(number: int) -> Color:
    """Distinguishable from those of the parts before it."""
    hue = (0.02 + number * _GOLDEN_RATIO) % 1.0
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.75, 0.95 if number % 2 == 0 else 0.7)
    return round(255 * red), round(255 * green), round(255 * blue)
