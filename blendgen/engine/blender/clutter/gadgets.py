"""Small electronics, in millimetres: charger plugs, an earbud case, a memory card."""

from __future__ import annotations

import math

import numpy as np

from blendgen.engine.blender.clutter.items import item
from blendgen.engine.blender.clutter.outlines import circle, framed, inset, level, moved, rounded, slab
from blendgen.engine.blender.clutter.solids import Place, Solids


@item("charger_eu")
def charger_eu(parts: Solids) -> None:
    """USB charger for European sockets: a rounded block whose pins look along +Y."""
    place = framed((0, 0, 14.0), (0, 1, 0))
    _block(parts, rounded(43.0, 28.0, 9.0, 7), 36.0, place)
    _usb_port(parts, framed((0, 0, 14.0), (0, -1, 0)))
    neck = rounded(34.5, 13.5, 6.6, 8)
    parts.rings([level(neck, 35.5), level(neck, 42.4), level(inset(neck, 0.4), 43.0)], "body", place=place)
    for x in (-9.0, 9.0):
        sleeve = [(2.0, 42.5), (2.0, 51.8), (1.9, 52.0)]
        _post(parts, sleeve, x, "body", place)
        _post(
            parts,
            [(1.99, 51.5), (1.99, 59.8), (1.85, 60.7), (1.3, 61.5), (0.5, 61.9), (0.0, 62.0)],
            x,
            "contact",
            place,
        )


@item("charger_us")
def charger_us(parts: Solids) -> None:
    """USB charger for American sockets: a small cube with two flat blades along +Y."""
    place = framed((0, 0, 14.0), (0, 1, 0))
    _block(parts, rounded(28.0, 28.0, 6.0, 7), 28.0, place)
    _usb_port(parts, framed((0, 0, 14.0), (0, -1, 0)))
    for x in (-6.35, 6.35):
        blade = rounded(1.5, 6.3, 0.3, 2)
        rings = [
            level(blade, 27.5),
            level(blade, 42.8),
            level(blade * (0.8, 0.94), 43.6),
            level(blade * (0.5, 0.86), 43.9),
        ]
        parts.rings(np.stack(rings) + (x, 0, 0), "contact", place=place)


def _block(parts: Solids, outline: np.ndarray, length: float, place: Place) -> None:
    """A moulded body of two shells with the parting line all round near its front."""
    gap, edge = length - 7.0, 2.2
    back = slab(outline, 0.0, length, edge, 5)
    half = len(back) // 2
    groove = [(0.0, gap - 0.25), (0.28, gap - 0.2), (0.28, gap + 0.1), (0.0, gap + 0.15)]
    rings = [*back[:half], *(level(inset(outline, by), z) for by, z in groove), *back[half:]]
    slots = ["body"] * half + ["seam"] * 3 + ["body"] * (len(back) - half)
    parts.rings(rings, slots, place=place)


def _post(parts: Solids, profile, x: float, slot: str, place: Place) -> None:
    parts.rings([level(circle(r, 20) + (x, 0), z) for r, z in profile], slot, place=place)


def _usb_port(parts: Solids, place: Place) -> None:
    """A USB-C socket: a metal rim, a dark hole and the tongue, seen from the back of the body."""
    rim, hole = rounded(9.2, 3.4, 1.7, 6), rounded(8.4, 2.6, 1.3, 6)
    frame = [
        level(rim, -0.3),
        level(rim, 0.05),
        level(inset(rim, 0.08), 0.1),
        level(hole, 0.1),
        level(inset(hole, 0.05), -0.1),
    ]
    parts.rings(frame, ["contact"] * 4, caps=("contact", "dark"), place=place)
    parts.rings(slab(rounded(6.4, 0.7, 0.2, 2), -0.2, 0.03), "seam", place=place)


@item("earbud_case")
def earbud_case(parts: Solids) -> None:
    """A pebble 60 x 46 x 22 mm that opens along a seam, with a hinge and a light."""
    rings, slots = [], []
    levels = np.linspace(-90, 90, 29)
    for a in levels:
        z, k = 10.8 * _sign_power(math.sin(math.radians(a)), 0.86), math.cos(math.radians(a)) ** 0.62
        rings.append(_pebble(k, z))
        slots.append("body")
    seam = [(_pebble(0.996, 3.0), "body"), (_pebble(0.975, 3.05), "seam"), (_pebble(0.975, 3.35), "seam")]
    at = next(i for i, ring in enumerate(rings) if ring[0, 2] > 3.4)
    rings[at:at] = [ring for ring, _ in [*seam, (_pebble(0.994, 3.4), "seam")]]
    slots[at:at] = ["seam", "seam", "seam", "body"]
    rings = [ring for i, ring in enumerate(rings) if i != at - 1 or ring[0, 2] < 2.9]
    parts.rings(rings, slots[: len(rings) - 1])
    hinge = slab(rounded(16.0, 5.2, 1.0, 4), 0.0, 0.5, 0.15)
    parts.rings(hinge, "hinge", place=framed((0, 22.45, 3.2), (0, 1, 0)))
    parts.rings(slab(circle(0.9, 16), 0.0, 0.4, 0.12), "led", place=framed((0, -22.7, -0.6), (0, -1, 0)))


def _pebble(scale: float, z: float) -> np.ndarray:
    """A super-ellipse between a rectangle and an ellipse."""
    angle = np.arange(72) * (2 * math.pi / 72)
    x, y = 30.0 * _sign_power(np.cos(angle), 0.72), 22.8 * _sign_power(np.sin(angle), 0.72)
    return level(scale * np.column_stack([x, y]), z)


def _sign_power(value, power: float):
    return np.sign(value) * np.abs(value) ** power


@item("sd_card")
def sd_card(parts: Solids) -> None:
    """SD card 24 x 32 x 2.1 mm with its notch, label, ribs, lock slider and nine contacts below."""
    notch = [
        (12.0, -15.3),
        (12.0, 11.5),
        (8.0, 16.0),
        (-11.3, 16.0),
        (-12.0, 15.3),
        (-12.0, 7.4),
        (-11.2, 7.0),
    ]
    outline = np.array([*notch, (-11.2, 1.5), (-12.0, 1.1), (-12.0, -15.3), (-11.3, -16.0), (11.3, -16.0)])
    parts.rings(slab(outline, 0.0, 1.4, 0.12, 2), "body")
    upper = np.array([(11.3, -15.4), (11.3, 11.2), (7.7, 15.3), (-10.5, 15.3), (-10.5, -15.4)])
    parts.rings(slab(upper, 1.3, 2.1, 0.15, 2), "body")
    parts.rings(slab(rounded(19.6, 22.5, 0.8, 3), 2.05, 2.16), "label", place=moved(0.2, -2.6))
    parts.rings(slab(rounded(1.0, 2.4, 0.3, 2), 0.3, 1.2, 0.15, 2), "slider", place=moved(-11.55, 5.6))
    for k in range(9):
        x = 9.3 - 2.35 * k - (0.0 if k else 0.4)
        parts.rings(
            slab(rounded(1.6, 4.4, 0.2, 2), -0.02, 0.2), "contact", place=moved(x, 12.2 if k else 10.0)
        )
    for x in np.arange(-9.6, 9.7, 2.4):
        parts.rings(
            slab(rounded(0.7, 1.6, 0.2, 2), 1.9, 2.3, 0.1, 2), "body", place=moved(float(x), -15.0 + 0.6)
        )
