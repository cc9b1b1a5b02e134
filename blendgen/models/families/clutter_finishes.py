"""What the built-in clutter and occluders are made of: item -> colourway -> slot -> finish and colour.

FrozenModel data. A finish is a name of engine/blender/clutter/finishes.py and an sRGB colour; the first
colourway of an item is how it is built. All colourways of an item fill the same slots.
"""

from __future__ import annotations


def _in(shared: dict[str, str], **own: dict[str, str]) -> dict[str, dict[str, str]]:
    """Colourways that share the finishes of some slots."""
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

CLUTTER = {
    "usb_cable": _in({"contact": _NICKEL, "dark": _DARK}, **_CABLES),
    "power_cable": _in({"contact": _NICKEL, "dark": _DARK}, **_CABLES),
    "charger_eu": _in({"contact": _NICKEL, "dark": _DARK}, **_CHARGERS),
    "charger_us": _in({"contact": _BRASS, "dark": _DARK}, **_CHARGERS),
    "earbud_case": _in(
        {"led": "plastic #9fd6a0"},
        white={"body": "gloss #f0efec", "seam": "plastic #b9b8b4", "hinge": _NICKEL},
        black={"body": "satin #17181a", "seam": "plastic #0a0a0b", "hinge": _BLACK_OXIDE},
        navy={"body": "satin #26324a", "seam": "plastic #141b29", "hinge": _NICKEL},
        pink={"body": "gloss #e6b8bb", "seam": "plastic #b98d90", "hinge": _GOLD},
    ),
    "sd_card": _in(
        {"contact": _GOLD},
        black={"body": "satin #19191b", "label": "print #2c3f77", "slider": "satin #3a3a3d"},
        blue={"body": "satin #1f3f8a", "label": "print #c9cdd3", "slider": "satin #d8d8d6"},
        grey={"body": "satin #54575b", "label": "print #b3262b", "slider": "satin #d8c33c"},
    ),
    "machine_screw": _STEEL_FINISHES,
    "wood_screw": _STEEL_FINISHES,
    "hex_nut": {**_STEEL_FINISHES, "brass": {"metal": _BRASS}},
    "washer": {**_STEEL_FINISHES, "brass": {"metal": _BRASS}},
    "coin": {
        "bimetal": {"ring": "coin #c9b26a", "centre": "coin #c4c0b6"},
        "copper": {"ring": "coin #a8653f", "centre": "coin #a8653f"},
        "nickel": {"ring": "coin #bdbab2", "centre": "coin #bdbab2"},
        "brass": {"ring": "coin #bd9a50", "centre": "coin #bd9a50"},
    },
    "aa_battery": _in(
        {"steel": _NICKEL},
        copper_top={"label": "print #1c1c1e", "band": "foil #b9703c"},
        blue={"label": "print #1d3f8c", "band": "foil #c8ccd2"},
        green={"label": "print #2f7d43", "band": "print #e4e4de"},
        red={"label": "print #b3202a", "band": "foil #d6d4cc"},
    ),
    "packing_tape": {
        "brown": {"tape": "tape #8f6238", "core": "kraft #b28d63"},
        "clear": {"tape": "tape #cdb98d", "core": "kraft #b28d63"},
        "grey": {"tape": "tape #808488", "core": "kraft #c2b7a4"},
        "red": {"tape": "tape #a52a2a", "core": "kraft #b28d63"},
    },
    "tape_strip": {
        "brown": {"film": "film #9b6c3e"},
        "clear": {"film": "film #e3dfd2"},
        "blue": {"film": "masking #3d74ad"},
        "silver": {"film": "cloth_tape #9b9da0"},
        "yellow": {"film": "masking #d9c27a"},
    },
    "cardboard": {
        "kraft": {"liner": "kraft #b08a60", "flute": "kraft #a27c52"},
        "white": {"liner": "kraft #dcdad2", "flute": "kraft #b0946c"},
        "grey": {"liner": "kraft #989186", "flute": "kraft #8b8478"},
    },
    "paper_ball": {
        "white": {"paper": "paper #ecebe6"},
        "recycled": {"paper": "paper #bdb8ac"},
        "yellow": {"paper": "paper #e6d67c"},
        "kraft": {"paper": "paper #b4916a"},
    },
    "plastic_shard": {
        "black": {"body": "satin #1c1c1e", "break": "broken #2b2b2d"},
        "grey": {"body": "satin #808387", "break": "broken #8d9094"},
        "ivory": {"body": "plastic #dcd6c4", "break": "broken #e2ddcf"},
        "blue": {"body": "plastic #2a559c", "break": "broken #4a70ad"},
        "red": {"body": "gloss #a8201f", "break": "broken #b8403c"},
    },
    "zip_tie": {
        "black": {"strap": "nylon #1d1d1f"},
        "natural": {"strap": "nylon #ddd9cb"},
        "blue": {"strap": "nylon #2a62b4"},
        "red": {"strap": "nylon #b62b26"},
    },
    "rubber_band": {
        "natural": {"band": "latex #b98a4e"},
        "blue": {"band": "latex #3464a4"},
        "green": {"band": "latex #3f8a4a"},
        "red": {"band": "latex #b03a35"},
    },
    "paper_clip": {
        "steel": {"wire": _ZINC},
        "brass": {"wire": _BRASS},
        "blue": {"wire": "gloss #2a55a8"},
        "red": {"wire": "gloss #b3262a"},
        "white": {"wire": "gloss #e4e3de"},
    },
    "marker": {
        "black": {"barrel": "plastic #1b1b1d", "cap": "plastic #151517", "label": "print #d9d9d4"},
        "blue": {"barrel": "plastic #e6e5e0", "cap": "plastic #1f479c", "label": "print #1f479c"},
        "red": {"barrel": "plastic #e6e5e0", "cap": "plastic #b3222a", "label": "print #b3222a"},
        "yellow": {"barrel": "plastic #e3d432", "cap": "plastic #e3d432", "label": "print #202022"},
    },
    "bottle_cap": {
        "blue": {"body": "plastic #2460ad"},
        "white": {"body": "plastic #e9e8e4"},
        "red": {"body": "plastic #b5232a"},
        "green": {"body": "plastic #35803f"},
    },
    "crown_cap": _in(
        {"liner": "plastic #cfcac0", "inside": _NICKEL},
        gold={"outside": "lacquer #b9903c"},
        red={"outside": "lacquer #a81f24"},
        green={"outside": "lacquer #1f5a35"},
        silver={"outside": "metal #c3c4c6"},
    ),
}

OCCLUDERS = {
    "bar": {
        "steel": {"tube": "brushed #b9b8b4", "end": "satin #1a1a1c"},
        "black": {"tube": "painted #1d1e20", "end": "satin #1a1a1c"},
        "yellow": {"tube": "painted #d9a514", "end": "satin #1a1a1c"},
    },
    "flat_bar": {
        "steel": {"bar": "mill #8d8b88"},
        "galvanised": {"bar": "galvanised #aeb3b6"},
        "grey": {"bar": "painted #6d7276"},
    },
    "guard_rail": _in(
        {"bolt": _ZINC},
        yellow={"rail": "painted #d8a80f", "post": "painted #222325"},
        red={"rail": "painted #a8221f", "post": "painted #a8221f"},
        grey={"rail": "painted #83888c", "post": "painted #83888c"},
        blue={"rail": "painted #24508f", "post": "painted #85898c"},
    ),
    "chute_edge": {
        "steel": {"sheet": "mill #a3a3a1"},
        "galvanised": {"sheet": "galvanised #aeb3b6"},
        "green": {"sheet": "painted #3f6a4c"},
        "grey": {"sheet": "painted #7d8184"},
    },
    "curtain_strip": _in(
        {"rail": _STAINLESS},
        clear={"strip": "pvc #dfe8ea"},
        amber={"strip": "pvc #dfa24a"},
        blue={"strip": "pvc #9cc0d8"},
        smoke={"strip": "pvc #a6abae"},
    ),
    "gloved_hand": {
        "nitrile_blue": {"glove": "nitrile #2f6fb5", "cuff": "nitrile #2f6fb5", "sleeve": "fabric #3a4352"},
        "nitrile_black": {"glove": "nitrile #1b1c1f", "cuff": "nitrile #1b1c1f", "sleeve": "fabric #6f7276"},
        "leather": {"glove": "leather #c08a1f", "cuff": "fabric #d6d2c4", "sleeve": "fabric #2b3d63"},
        "knit": {"glove": "knit #8d9093", "cuff": "knit #6a6d70", "sleeve": "fabric #d77a24"},
    },
    "cable_bundle": {
        "black": {"jacket": "rubber #1a1b1d", "second": "rubber #232427", "tie": "nylon #e0dccf"},
        "grey": {"jacket": "rubber #7f8285", "second": "rubber #5f6366", "tie": "nylon #1d1d1f"},
        "mixed": {"jacket": "rubber #26272a", "second": "rubber #b1571c", "tie": "nylon #1d1d1f"},
    },
}

# these lie only as they are built
LIMP = ("usb_cable", "power_cable", "tape_strip", "rubber_band", "cable_bundle")
