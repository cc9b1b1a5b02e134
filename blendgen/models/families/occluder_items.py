"""Items of the built-in family "occluders", one record an item; docs/models.md describes their edges."""

from __future__ import annotations

from blendgen.models.families.clutter_items import ClutterItem, in_colors

_ITEMS = (
    ClutterItem(
        "bar",
        "round steel tube, 25 mm, 1.2 m long",
        {
            "steel": {"tube": "brushed #b9b8b4", "end": "satin #1a1a1c"},
            "black": {"tube": "painted #1d1e20", "end": "satin #1a1a1c"},
            "yellow": {"tube": "painted #d9a514", "end": "satin #1a1a1c"},
        },
    ),
    ClutterItem(
        "flat_bar",
        "flat bar, 50 x 8 mm, 1 m long",
        {
            "steel": {"bar": "mill #8d8b88"},
            "galvanised": {"bar": "galvanised #aeb3b6"},
            "grey": {"bar": "painted #6d7276"},
        },
    ),
    ClutterItem(
        "guard_rail",
        "two painted rails on posts, 1 m long",
        in_colors(
            {"bolt": "metal #c9ccd0"},
            yellow={"rail": "painted #d8a80f", "post": "painted #222325"},
            red={"rail": "painted #a8221f", "post": "painted #a8221f"},
            grey={"rail": "painted #83888c", "post": "painted #83888c"},
            blue={"rail": "painted #24508f", "post": "painted #85898c"},
        ),
    ),
    ClutterItem(
        "chute_edge",
        "lip of a chute of bent sheet metal, 0.6 m wide",
        {
            "steel": {"sheet": "mill #a3a3a1"},
            "galvanised": {"sheet": "galvanised #aeb3b6"},
            "green": {"sheet": "painted #3f6a4c"},
            "grey": {"sheet": "painted #7d8184"},
        },
    ),
    ClutterItem(
        "curtain_strip",
        "two translucent PVC strips that hang from a rail",
        in_colors(
            {"rail": "metal #b4b4b2"},
            clear={"strip": "pvc #dfe8ea"},
            amber={"strip": "pvc #dfa24a"},
            blue={"strip": "pvc #9cc0d8"},
            smoke={"strip": "pvc #a6abae"},
        ),
    ),
    ClutterItem(
        "gloved_hand",
        "gloved right hand, palm down, in a sleeve",
        {
            "nitrile_blue": {
                "glove": "nitrile #2f6fb5",
                "cuff": "nitrile #2f6fb5",
                "sleeve": "fabric #3a4352",
            },
            "nitrile_black": {
                "glove": "nitrile #1b1c1f",
                "cuff": "nitrile #1b1c1f",
                "sleeve": "fabric #6f7276",
            },
            "leather": {"glove": "leather #c08a1f", "cuff": "fabric #d6d2c4", "sleeve": "fabric #2b3d63"},
            "knit": {"glove": "knit #8d9093", "cuff": "knit #6a6d70", "sleeve": "fabric #d77a24"},
        },
    ),
    ClutterItem(
        "cable_bundle",
        "ten cables tied together, 1 m long",
        {
            "black": {"jacket": "rubber #1a1b1d", "second": "rubber #232427", "tie": "nylon #e0dccf"},
            "grey": {"jacket": "rubber #7f8285", "second": "rubber #5f6366", "tie": "nylon #1d1d1f"},
            "mixed": {"jacket": "rubber #26272a", "second": "rubber #b1571c", "tie": "nylon #1d1d1f"},
        },
        limp=True,
    ),
)
OCCLUDERS = {item.name: item for item in _ITEMS}
