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
    "belt_mesh": "belt of woven steel wire, which light falls through, on wear strips, rails of aluminium",
    "steel_table": "table of brushed stainless steel",
    "wood_table": "table of glued, satin-varnished wooden staves",
    "cardboard": "sheet of brown corrugated cardboard on a bench: flutes, creases, a taped seam",
    "paper": "matte seamless paper backdrop",
    "backlit_sheet": "opal sheet lit from below, as a light table; its strength is exposure.backlight_ev",
    "photo": "photos of your own, flat, at their real size (surface.photos)",
    "none": "nothing: products float before the backdrop and cast no shadow, as if cut out and pasted",
}

# Surfaces whose edges are never near.
WITHOUT_EDGES = ("paper", "backlit_sheet", "photo", "none")

# The surface that shines by itself.
BACKLIT = "backlit_sheet"

# Surfaces that have joints only where a spec asks for them.
USUALLY_SEAMLESS = ("belt_rubber", "steel_table")

# The surface that shows the user's photos, the absence of one, and the one with a pitch.
PHOTO = "photo"
NO_SURFACE = "none"
WIRE_MESH = "belt_mesh"

# Along each edge of a surface this much stays free: the rails of a belt lap over it.
SURFACE_RIM_M = 0.009

CONTAINER_KINDS = {
    "tote": "stacking box of injection-moulded plastic",
    "cardboard_box": "open box of corrugated cardboard",
    "steel_tray": "tray of folded sheet steel",
}

LAMP_KINDS = {
    "area": "square soft box",
    "disk": "round soft lamp",
    "strip": "fluorescent tube or LED bar, 1 to 8",
    "ring": "ring light round the lens; shines where the camera looks, whatever its other angles say",
    "sun": "sunlight: parallel, hard shadows",
    "door": "sunlight through an open door: a bright patch with straight edges, the rest in the shade",
    "window": "sunlight through a window of nine panes",
}

# Sunlight through an opening, and all sunlight, which has no face that it comes from.
OPENINGS = ("door", "window")
SUNLIGHT = ("sun", *OPENINGS)
# shaped by what only path tracing does: meshes that light, and light within an angle
PATH_TRACED_LAMPS = ("ring", *OPENINGS)

FAMILIES = {
    "phones": "procedural phones by published dimensions and colours",
    "clutter": "things that lie about: cables, chargers, screws, tape, cardboard, batteries (docs/models.md)",
    "occluders": "things that reach into the picture: bars, a chute's edge, a curtain, a gloved hand",
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
