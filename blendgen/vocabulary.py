"""Names that a spec may use, each with one line of meaning; nothing here knows how they are made.

The schema checks names against these tables, the engines implement them, the docs list them.
"""

from __future__ import annotations

# The CC0 environments by Poly Haven that every Blender carries (datafiles/studiolights/world), and a
# plain one.
ENVIRONMENTS = {
    "studio": "photo studio with soft boxes",
    "interior": "living room with windows",
    "city": "street between buildings, overcast",
    "courtyard": "open courtyard, daylight",
    "forest": "under trees, green light",
    "night": "street at night, lamps",
    "sunrise": "low sun",
    "sunset": "low warm sun",
    "dome": "even white light from everywhere, as a dome light gives it",
}

SURFACE_KINDS = {
    "belt_rubber": "rubber conveyor belt with a fine fabric impression, rails of aluminium",
    "belt_pvc": "smooth PVC conveyor belt with a finger splice, rails of aluminium",
    "belt_modular": "plastic modular belt of brick-laid links with open slots, rails of aluminium",
    "steel_table": "table of brushed stainless steel",
    "wood_table": "table of glued, satin-varnished wooden staves",
    "paper": "matte seamless paper backdrop",
    "backlit_sheet": "opal sheet lit from below, as a light table; its strength is exposure.backlight_ev",
}

# Surfaces whose edges are never near.
WITHOUT_EDGES = ("paper", "backlit_sheet")

# The surface that shines by itself.
BACKLIT = "backlit_sheet"

# Along each edge of a surface this much stays free: the rails of a belt lap over it.
SURFACE_RIM_M = 0.009

LAMP_KINDS = {
    "area": "square soft box",
    "disk": "round soft lamp",
    "strip": "fluorescent tube or LED bar, 1 to 8",
    "ring": "ring light round the lens; shines where the camera looks, whatever its other angles say",
    "sun": "sunlight: parallel, hard shadows",
}

FAMILIES = {
    "phones": "procedural phones by published dimensions and colours",
    "shapes": "a box and a sphere, for tests and first steps",
}
# What cases of phones are made in, unless a spec says otherwise; CLEAR stands for a colour.
CLEAR = "clear"
CASE_COLORS = (CLEAR, "#17181a", "#2b3a55", "#b8324a", "#6f7f6a", "#e7d9cf", "#8fa6c4")

STICKER_KINDS = {
    "label": "paper label with print",
    "vinyl": "glossy coloured sticker",
    "tape": "strip of tape, most of it translucent",
}
METRES_PER_UNIT = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254, "ft": 0.3048}
