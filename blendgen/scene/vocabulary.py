"""Names that a spec may use and that are not kinds (scene/kinds/): families, units, colours of cases."""

from __future__ import annotations

from typing import Literal

FAMILIES = {
    "phones": "procedural phones by published dimensions and colours",
    "clutter": "things that lie about: cables, chargers, screws, tape, cardboard, batteries (docs/models.md)",
    "occluders": "things that reach into the picture: bars, a chute's edge, a curtain, a gloved hand",
    "shapes": "a box and a sphere, for tests and first steps",
}
# Colours of phone cases, unless a spec gives others; CLEAR is a transparent case.
CLEAR = "clear"
CASE_COLORS = (CLEAR, "#17181a", "#2b3a55", "#b8324a", "#6f7f6a", "#e7d9cf", "#8fa6c4")
Unit = Literal["m", "cm", "mm", "in", "ft"]
METRES_PER_UNIT: dict[str, float] = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254, "ft": 0.3048}
