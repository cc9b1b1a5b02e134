"""Cables with their plugs, in millimetres, as if dropped on a table (z = 0)."""

from __future__ import annotations

import math

import numpy as np

from blendgen.engine.blender.clutter.items import item
from blendgen.engine.blender.clutter.outlines import (
    circle,
    curve,
    even,
    framed,
    inset,
    level,
    rounded,
    slab,
    sweep,
)
from blendgen.engine.blender.clutter.solids import Place, Solids

# where the mains lead runs; the loop crosses over itself
_LEAD_MM = (
    *(
        (-92, -30, 6.9),
        (-80, -30, 6.9),
        (-62, -25, 3.6),
        (-38, -8, 2),
        (-18, 20, 2),
        (12, 38, 2),
        (48, 36, 2),
    ),
    *((74, 16, 2), (70, -14, 2), (44, -28, 2.6), (14, -24, 5.5), (-14, -4, 5.6), (-30, 24, 5.5)),
    *((-48, 44, 3), (-76, 50, 4.2), (-88, 50, 4.2)),
)


@item("usb_cable")
def usb_cable(parts: Solids) -> None:
    """USB-C to USB-A, loosely coiled; the inner end crosses over the coil and comes down outside."""
    radius = 1.75
    path = even(curve(_coil(3.3, 37.0, radius), 10), 2.4)
    parts.rings(sweep(path, circle(radius, 14)), "jacket")
    _usb_c(parts, framed(path[0], path[0] - path[1]))
    _usb_a(parts, framed(path[-1], path[-1] - path[-2]))


def _coil(turns: float, inner: float, radius: float) -> np.ndarray:
    """Control points: over the coil to its inside, several turns with uneven gaps, and away."""
    angle = np.radians(np.arange(0, 360 * turns, 20.0))
    gap = 5.6 + 1.7 * np.sin(angle + 0.8) + 0.8 * np.sin(2 * angle)
    out = inner + gap * angle / (2 * math.pi) + 1.5 * np.sin(2 * angle + 0.5)
    coil = np.column_stack([out * np.cos(angle), 0.86 * out * np.sin(angle), np.full(len(angle), radius)])
    outer = coil[-1]
    ahead = (coil[-1] - coil[-2]) / np.linalg.norm(coil[-1] - coil[-2])
    aside = np.array([-ahead[1], ahead[0], 0.0])
    tail = [outer + 14 * ahead - 1.0 * aside, outer + 30 * ahead - 5 * aside, outer + 46 * ahead - 13 * aside]
    lead = [(80.0, -34.0, 2.65), (71.0, -35.0, 2.65), (60.0, -33.0, 4.2), (50.0, -29.0, 5.8)]
    lead += [(42.0, -20.0, 5.9), (39.0, -10.0, 4.9)]
    tail[1][2] = tail[2][2] = 3.9
    return np.concatenate([lead, coil, tail])


def _usb_c(parts: Solids, place: Place) -> None:
    grip = rounded(10.6, 5.2, 2.2, 5)
    _strain_relief(parts, 1.9, 7.0, place)
    parts.rings(
        _along(grip, [(-1.0, 1.6), (0.0, 0.5), (0.8, 0.0), (17.2, 0.0), (17.8, 0.2), (18, 0.6)]),
        "plug",
        place=place,
    )
    shell = rounded(8.3, 2.5, 1.24, 5)
    mouth = [
        level(shell, 17.5),
        level(shell, 24.4),
        level(inset(shell, 0.12), 24.6),
        level(inset(shell, 0.3), 24.6),
    ]
    parts.rings([*mouth, level(inset(shell, 0.32), 19.0)], ["contact"] * 3 + ["dark"], place=place)
    parts.rings(slab(rounded(6.2, 0.7, 0.1, 2), 18.8, 24.0), "dark", place=place)


def _usb_a(parts: Solids, place: Place) -> None:
    grip = rounded(15.4, 7.6, 2.0, 4)
    _strain_relief(parts, 1.9, 8.0, place)
    parts.rings(
        _along(grip, [(-1.0, 2.2), (0.0, 0.7), (1.2, 0.0), (19.2, 0.0), (19.8, 0.2), (20, 0.7)]),
        "plug",
        place=place,
    )
    shell = rounded(12.0, 4.5, 0.5, 3)
    mouth = [
        level(shell, 19.5),
        level(shell, 31.8),
        level(inset(shell, 0.1), 32.0),
        level(inset(shell, 0.32), 32.0),
    ]
    parts.rings([*mouth, level(inset(shell, 0.34), 21.0)], ["contact"] * 3 + ["dark"], place=place)
    tongue = slab(rounded(11.2, 1.9, 0.1, 2), 20.8, 31.2)
    parts.rings(tongue - (0.0, 1.1, 0.0), "dark", place=place)
    for x in (-2.3, 2.3):
        hole = slab(rounded(2.5, 2.2, 0.1, 2), 0.0, 0.06)
        above = framed((x, 2.23, 27.0), (0, 1, 0))
        parts.rings([place(above(ring)) for ring in hole], "dark")


def _strain_relief(parts: Solids, radius: float, length: float, place: Place) -> None:
    """A sleeve with rings that thickens towards the plug."""
    profile = [(radius - 0.15, -length)]
    for k in range(5):
        z, r = -length + length * k / 5, radius + 0.12 + 0.16 * k
        profile += [(r, z + 0.1), (r + 0.05, z + 0.75 * length / 5), (r - 0.3, z + 0.8 * length / 5)]
    parts.rings([level(circle(r, 16), z) for r, z in [*profile, (radius + 0.8, 0.5)]], "plug", place=place)


def _along(outline: np.ndarray, profile) -> np.ndarray:
    """Rings of an outline that shrinks: profile of (z, inset)."""
    return np.stack([level(inset(outline, by), z) for z, by in profile])


@item("power_cable")
def power_cable(parts: Solids) -> None:
    """Mains lead of a small power supply: Europlug on one end, C7 coupler on the other."""
    path = even(curve(_LEAD_MM, 12), 2.2)
    figure_eight = np.concatenate([circle(1.85, 18)[[14, 15, 16, 17, 0, 1, 2, 3, 4]] + (1.35, 0)])
    section = np.concatenate([figure_eight, -figure_eight])
    parts.rings(sweep(path, section, up=(0.0, 0.0, 1.0)), "jacket")
    _europlug(parts, framed(path[0], path[0] - path[1]))
    _coupler(parts, framed(path[-1], path[-1] - path[-2]))


def _europlug(parts: Solids, place: Place) -> None:
    base = rounded(14.0, 6.0, 2.9, 6)
    wide = rounded(35.0, 13.6, 4.2, 6)
    body = [
        (0.0, 0.0),
        (0.06, 3.0),
        (0.22, 8.0),
        (0.55, 14.0),
        (0.85, 19.0),
        (0.97, 24.0),
        (1.0, 30.0),
        (1.0, 34.4),
    ]
    rings = [level(base * 0.7, -9.0), level(base * 0.78, -8.6)]
    rings += [level((1 - share) * base + share * wide, z) for share, z in body]
    rings += [level(inset(wide, 0.25), 34.85), level(inset(wide, 0.8), 35.0)]
    parts.rings(rings, "plug", place=place)
    for x in (-9.0, 9.0):
        sleeve = [level(circle(2.0, 18) + (x, 0), z) for z in (34.0, 44.9)] + [
            level(circle(1.85, 18) + (x, 0), 45.0)
        ]
        parts.rings(sleeve, "plug", place=place)
        pin = [(2.0, 44.5), (2.0, 52.2), (1.85, 53.0), (1.4, 53.6), (0.6, 53.95), (0.0, 54.0)]
        parts.rings([level(circle(r, 18) + (x, 0), z) for r, z in pin], "contact", place=place)


def _coupler(parts: Solids, place: Place) -> None:
    lobe = circle(4.1, 28)[[*range(21, 28), *range(8)]] + (4.2, 0)
    eight = np.concatenate([lobe, -lobe])
    neck = np.concatenate([lobe * (0.62, 0.75), -lobe * (0.62, 0.75)])
    body = [
        (0.0, -6.0, 0.0),
        (0.05, 0.0, 0.0),
        (0.6, 3.0, 0.0),
        (1.0, 6.0, 0.0),
        (1.0, 23.6, 0.0),
        (1.0, 24.0, 0.35),
    ]
    parts.rings([level(inset((1 - k) * neck + k * eight, by), z) for k, z, by in body], "plug", place=place)
    for x in (-4.25, 4.25):
        parts.rings([level(circle(1.5, 16) + (x, 0), z) for z in (23.9, 24.05)], "dark", place=place)
