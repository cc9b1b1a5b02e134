"""Colours of the clean, new surfaces, as '#rrggbb' (sRGB); Surface.color_srgb replaces them."""

from __future__ import annotations

from blendgen.scene.vocabulary import SURFACE_KINDS

DEFAULT_COLOR_SRGB: dict[str, str] = {
    "belt_rubber": "#2b2c2f",
    "belt_pvc": "#2a7560",
    "belt_modular": "#2c68a6",
    "belt_mesh": "#b9b7b2",
    "steel_table": "#c4c2bd",
    "wood_table": "#b08552",
    "cardboard": "#b48e63",
    "paper": "#e9e7e2",
    "backlit_sheet": "#ffffff",
    "photo": "#ffffff",
    "none": "#ffffff",
}


def surface_color_srgb(kind: str, color_srgb: str | None) -> str:
    """The colour wanted, or else the kind's own; raises ValueError for an unknown kind."""
    if kind not in DEFAULT_COLOR_SRGB:
        raise ValueError(f"unknown surface {kind!r}; there are: {', '.join(SURFACE_KINDS)}")
    return DEFAULT_COLOR_SRGB[kind] if color_srgb is None else color_srgb
