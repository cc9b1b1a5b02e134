"""Surfaces: the names of all that products can lie on, with a line of description and a colour.

Free of Blender, so that a spec can be checked without it; the look itself is built in
engine/blender/surfaces/, which offers exactly these kinds. Colours are '#rrggbb' (sRGB) and stand
for the clean, new material; Surface.color_srgb replaces them.
"""

from __future__ import annotations

SURFACE_DESCRIPTIONS: dict[str, str] = {
    "belt_rubber": "rubber conveyor belt with a fine fabric impression, rails of aluminium",
    "belt_pvc": "smooth PVC conveyor belt with a finger splice, rails of aluminium",
    "belt_modular": "plastic modular belt of brick-laid links with open slots, rails of aluminium",
    "steel_table": "table of brushed stainless steel",
    "wood_table": "table of glued, satin-varnished wooden staves",
    "paper": "matte seamless paper backdrop",
}

SURFACE_KINDS: tuple[str, ...] = tuple(SURFACE_DESCRIPTIONS)

DEFAULT_COLOR_SRGB: dict[str, str] = {
    "belt_rubber": "#2b2c2f",
    "belt_pvc": "#2a7560",
    "belt_modular": "#2c68a6",
    "steel_table": "#cbc9c4",
    "wood_table": "#b08552",
    "paper": "#e9e7e2",
}


def surface_color_srgb(kind: str, color_srgb: str | None) -> str:
    """The colour wanted, or else the kind's own; raises ValueError for an unknown kind."""
    if kind not in DEFAULT_COLOR_SRGB:
        raise ValueError(f"unknown surface {kind!r}; there are: {', '.join(SURFACE_KINDS)}")
    return DEFAULT_COLOR_SRGB[kind] if color_srgb is None else color_srgb
