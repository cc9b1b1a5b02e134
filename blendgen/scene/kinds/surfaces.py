"""Surfaces that products lie on, by the value of `surface.kind`."""

from __future__ import annotations

from dataclasses import dataclass

# Along each edge of a surface this much stays free: the rails of a belt lap over it.
SURFACE_RIM_M = 0.009


@dataclass(frozen=True)
class SurfaceKind:
    """One kind of surface.

    doc: its line in the documentation
    color_srgb: of the clean, new material
    belt: a conveyor belt, which runs along its yaw between rails
    has_edges: near enough that products may lie over them
    seamless: has joints only where a spec asks for them
    backlit: emits light; its strength is exposure.backlight_ev
    has_pitch: made of rods that are surface.pitch_m apart
    shows_photo: shows a photo of the user's
    solid: products lie on something, instead of floating
    """

    name: str
    doc: str
    color_srgb: str
    belt: bool = False
    has_edges: bool = True
    seamless: bool = False
    backlit: bool = False
    has_pitch: bool = False
    shows_photo: bool = False
    solid: bool = True


_KINDS = (
    SurfaceKind(
        "belt_rubber",
        "rubber conveyor belt with a fine fabric impression, rails of aluminium",
        "#2b2c2f",
        belt=True,
        seamless=True,
    ),
    SurfaceKind(
        "belt_pvc",
        "smooth PVC conveyor belt with a finger splice, rails of aluminium",
        "#2a7560",
        belt=True,
    ),
    SurfaceKind(
        "belt_modular",
        "plastic modular belt of brick-laid links with open slots, rails of aluminium",
        "#2c68a6",
        belt=True,
    ),
    SurfaceKind(
        "belt_mesh",
        "belt of woven steel wire, which light falls through, on wear strips, rails of aluminium",
        "#b9b7b2",
        belt=True,
        has_pitch=True,
    ),
    SurfaceKind("steel_table", "table of brushed stainless steel", "#c4c2bd", seamless=True),
    SurfaceKind("wood_table", "table of glued, satin-varnished wooden staves", "#b08552"),
    SurfaceKind(
        "cardboard",
        "sheet of brown corrugated cardboard on a bench: flutes, creases, a taped seam",
        "#b48e63",
    ),
    SurfaceKind("paper", "matte seamless paper backdrop", "#e9e7e2", has_edges=False),
    SurfaceKind(
        "backlit_sheet",
        "opal sheet lit from below, as a light table; its strength is exposure.backlight_ev",
        "#ffffff",
        has_edges=False,
        backlit=True,
    ),
    SurfaceKind(
        "photo",
        "photos of your own, flat, at their real size (surface.photos)",
        "#ffffff",
        has_edges=False,
        shows_photo=True,
    ),
    SurfaceKind(
        "none",
        "nothing: products float before the backdrop and cast no shadow, as if cut out and pasted",
        "#ffffff",
        has_edges=False,
        solid=False,
    ),
)
SURFACE_KINDS = {kind.name: kind for kind in _KINDS}
