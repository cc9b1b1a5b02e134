"""Stickers on used products; which of them a product has follows from their shares."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StickerKind:
    """One kind of sticker.

    doc: its line in the documentation
    share: of all stickers; the shares of all kinds sum to 1
    length_mm, width_mm: (smallest, largest)
    finishes: (sRGB colour, opacity), equally likely; a common one is listed several times
    overhang: how much longer it may be than the share of a face that a sticker covers at most
    """

    name: str
    doc: str
    share: float
    length_mm: tuple[float, float]
    width_mm: tuple[float, float]
    finishes: tuple[tuple[str, float], ...]
    overhang: float = 1.0


def _opaque(*colors: str) -> tuple[tuple[str, float], ...]:
    return tuple((color, 1.0) for color in colors)


_KINDS = (
    StickerKind(
        "label",
        "paper label with print",
        0.45,
        (24.0, 50.0),
        (14.0, 34.0),
        _opaque(*["#f4f3ee"] * 5, "#f3e27a", "#f2c9c4", "#cfe3c8", "#f0a24a"),
    ),
    StickerKind(
        "vinyl",
        "glossy coloured sticker",
        0.2,
        (10.0, 34.0),
        (10.0, 26.0),
        _opaque("#c8202c", "#1d4fa3", "#2f8f4e", "#e8b21c", "#1b1b1d", "#e9e9ec"),
    ),
    StickerKind(
        "tape",
        "strip of tape, most of it translucent",
        0.35,
        (38.0, 110.0),
        (11.0, 22.0),
        (
            *[("#b98a55", 0.72)] * 2,
            *[("#e9e4d6", 0.24)] * 2,
            ("#e3d0a0", 0.93),
            ("#151516", 1.0),
            ("#2f6fb5", 0.97),
        ),
        overhang=2.0,
    ),
)
STICKER_KINDS = {kind.name: kind for kind in _KINDS}
