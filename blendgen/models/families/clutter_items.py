"""Items of the built-in family "clutter", one record an item.

A finish is a name of engine/blender/clutter/finishes.py and an sRGB colour, written "finish #rrggbb". The
engine finds an item's builder by its name.
"""

from __future__ import annotations

from dataclasses import dataclass

# colourway -> material slot -> "finish #rrggbb"
Finishes = dict[str, dict[str, str]]


@dataclass(frozen=True)
class ClutterItem:
    """One item.

    doc: its line in the documentation
    finishes: all colourways fill the same slots; the item is built in the first
    limp: lies only as it is built; in another pose it would have to bend
    """

    name: str
    doc: str
    finishes: Finishes
    limp: bool = False


def in_colors(shared: dict[str, str], **own: dict[str, str]) -> Finishes:
    """Colourways that share the finishes of some slots, and differ in the others."""
    return {name: {**shared, **slots} for name, slots in own.items()}


_ZINC, _NICKEL, _BRASS, _GOLD = "metal #c9ccd0", "metal #cfccc4", "metal #d4b25e", "metal #e0bd6a"
_STAINLESS, _YELLOW_ZINC, _BLACK_OXIDE = "metal #b4b4b2", "metal #cdb26a", "oxide #2b2b2d"
_DARK = "plastic #0d0d0e"
_STEEL_FINISHES = {
    "zinc": {"metal": _ZINC},
    "stainless": {"metal": _STAINLESS},
    "yellow_zinc": {"metal": _YELLOW_ZINC},
    "black": {"metal": _BLACK_OXIDE},
}
_CABLES = {
    "black": {"jacket": "rubber #18191b", "plug": "satin #1a1b1d"},
    "white": {"jacket": "rubber #e4e3df", "plug": "plastic #ececea"},
    "grey": {"jacket": "rubber #77797c", "plug": "satin #5f6164"},
}
_CHARGERS = {
    "white": {"body": "plastic #eeedea", "seam": "plastic #c9c8c4"},
    "black": {"body": "satin #1b1b1d", "seam": "plastic #101011"},
    "grey": {"body": "satin #63666a", "seam": "plastic #4a4c50"},
}

_ITEMS = (
    ClutterItem(
        "usb_cable",
        "USB cable, coiled, USB-C to USB-A",
        in_colors({"contact": _NICKEL, "dark": _DARK}, **_CABLES),
        limp=True,
    ),
    ClutterItem(
        "power_cable",
        "power cable, coiled, Europlug to C7",
        in_colors({"contact": _NICKEL, "dark": _DARK}, **_CABLES),
        limp=True,
    ),
    ClutterItem(
        "charger_eu",
        "USB charger with a Europlug",
        in_colors({"contact": _NICKEL, "dark": _DARK}, **_CHARGERS),
    ),
    ClutterItem(
        "charger_us",
        "USB charger with a US plug",
        in_colors({"contact": _BRASS, "dark": _DARK}, **_CHARGERS),
    ),
    ClutterItem(
        "earbud_case",
        "charging case of earbuds, 60 x 46 mm",
        in_colors(
            {"led": "plastic #9fd6a0"},
            white={"body": "gloss #f0efec", "seam": "plastic #b9b8b4", "hinge": _NICKEL},
            black={"body": "satin #17181a", "seam": "plastic #0a0a0b", "hinge": _BLACK_OXIDE},
            navy={"body": "satin #26324a", "seam": "plastic #141b29", "hinge": _NICKEL},
            pink={"body": "gloss #e6b8bb", "seam": "plastic #b98d90", "hinge": _GOLD},
        ),
    ),
    ClutterItem(
        "sd_card",
        "SD card, 24 x 32 mm",
        in_colors(
            {"contact": _GOLD},
            black={"body": "satin #19191b", "label": "print #2c3f77", "slider": "satin #3a3a3d"},
            blue={"body": "satin #1f3f8a", "label": "print #c9cdd3", "slider": "satin #d8d8d6"},
            grey={"body": "satin #54575b", "label": "print #b3262b", "slider": "satin #d8c33c"},
        ),
    ),
    ClutterItem("machine_screw", "machine screw, M6 x 30", _STEEL_FINISHES),
    ClutterItem("wood_screw", "wood screw, 4.5 x 40", _STEEL_FINISHES),
    ClutterItem("hex_nut", "hexagon nut, M8", {**_STEEL_FINISHES, "brass": {"metal": _BRASS}}),
    ClutterItem("washer", "washer, M8", {**_STEEL_FINISHES, "brass": {"metal": _BRASS}}),
    ClutterItem(
        "coin",
        "coin, 24 mm, with a milled edge",
        {
            "bimetal": {"ring": "coin #c9b26a", "centre": "coin #c4c0b6"},
            "copper": {"ring": "coin #a8653f", "centre": "coin #a8653f"},
            "nickel": {"ring": "coin #bdbab2", "centre": "coin #bdbab2"},
            "brass": {"ring": "coin #bd9a50", "centre": "coin #bd9a50"},
        },
    ),
    ClutterItem(
        "aa_battery",
        "AA battery (LR6)",
        in_colors(
            {"steel": _NICKEL},
            copper_top={"label": "print #1c1c1e", "band": "foil #b9703c"},
            blue={"label": "print #1d3f8c", "band": "foil #c8ccd2"},
            green={"label": "print #2f7d43", "band": "print #e4e4de"},
            red={"label": "print #b3202a", "band": "foil #d6d4cc"},
        ),
    ),
    ClutterItem(
        "packing_tape",
        "roll of packing tape, 48 mm wide",
        {
            "brown": {"tape": "tape #8f6238", "core": "kraft #b28d63"},
            "clear": {"tape": "tape #cdb98d", "core": "kraft #b28d63"},
            "grey": {"tape": "tape #808488", "core": "kraft #c2b7a4"},
            "red": {"tape": "tape #a52a2a", "core": "kraft #b28d63"},
        },
    ),
    ClutterItem(
        "tape_strip",
        "strip of adhesive tape, 19 mm wide",
        {
            "brown": {"film": "film #9b6c3e"},
            "clear": {"film": "film #e3dfd2"},
            "blue": {"film": "masking #3d74ad"},
            "silver": {"film": "cloth_tape #9b9da0"},
            "yellow": {"film": "masking #d9c27a"},
        },
        limp=True,
    ),
    ClutterItem(
        "cardboard",
        "torn piece of corrugated cardboard",
        {
            "kraft": {"liner": "kraft #b08a60", "flute": "kraft #a27c52"},
            "white": {"liner": "kraft #dcdad2", "flute": "kraft #b0946c"},
            "grey": {"liner": "kraft #989186", "flute": "kraft #8b8478"},
        },
    ),
    ClutterItem(
        "paper_ball",
        "crumpled sheet of paper, 50 mm",
        {
            "white": {"paper": "paper #ecebe6"},
            "recycled": {"paper": "paper #bdb8ac"},
            "yellow": {"paper": "paper #e6d67c"},
            "kraft": {"paper": "paper #b4916a"},
        },
    ),
    ClutterItem(
        "plastic_shard",
        "broken corner of a plastic housing",
        {
            "black": {"body": "satin #1c1c1e", "break": "broken #2b2b2d"},
            "grey": {"body": "satin #808387", "break": "broken #8d9094"},
            "ivory": {"body": "plastic #dcd6c4", "break": "broken #e2ddcf"},
            "blue": {"body": "plastic #2a559c", "break": "broken #4a70ad"},
            "red": {"body": "gloss #a8201f", "break": "broken #b8403c"},
        },
    ),
    ClutterItem(
        "zip_tie",
        "closed cable tie, 4.6 mm wide",
        {
            "black": {"strap": "nylon #1d1d1f"},
            "natural": {"strap": "nylon #ddd9cb"},
            "blue": {"strap": "nylon #2a62b4"},
            "red": {"strap": "nylon #b62b26"},
        },
    ),
    ClutterItem(
        "rubber_band",
        "rubber band in a loose loop",
        {
            "natural": {"band": "latex #b98a4e"},
            "blue": {"band": "latex #3464a4"},
            "green": {"band": "latex #3f8a4a"},
            "red": {"band": "latex #b03a35"},
        },
        limp=True,
    ),
    ClutterItem(
        "paper_clip",
        "paper clip, 33 mm",
        {
            "steel": {"wire": _ZINC},
            "brass": {"wire": _BRASS},
            "blue": {"wire": "gloss #2a55a8"},
            "red": {"wire": "gloss #b3262a"},
            "white": {"wire": "gloss #e4e3de"},
        },
    ),
    ClutterItem(
        "marker",
        "permanent marker with its cap on, 138 mm",
        {
            "black": {"barrel": "plastic #1b1b1d", "cap": "plastic #151517", "label": "print #d9d9d4"},
            "blue": {"barrel": "plastic #e6e5e0", "cap": "plastic #1f479c", "label": "print #1f479c"},
            "red": {"barrel": "plastic #e6e5e0", "cap": "plastic #b3222a", "label": "print #b3222a"},
            "yellow": {"barrel": "plastic #e3d432", "cap": "plastic #e3d432", "label": "print #202022"},
        },
    ),
    ClutterItem(
        "bottle_cap",
        "screw cap of a PET bottle, 28 mm",
        {
            "blue": {"body": "plastic #2460ad"},
            "white": {"body": "plastic #e9e8e4"},
            "red": {"body": "plastic #b5232a"},
            "green": {"body": "plastic #35803f"},
        },
    ),
    ClutterItem(
        "crown_cap",
        "crown cap, slightly bent by the opener",
        in_colors(
            {"liner": "plastic #cfcac0", "inside": _NICKEL},
            gold={"outside": "lacquer #b9903c"},
            red={"outside": "lacquer #a81f24"},
            green={"outside": "lacquer #1f5a35"},
            silver={"outside": "metal #c3c4c6"},
        ),
    ),
)
CLUTTER = {item.name: item for item in _ITEMS}
