"""Turned and stamped things, in millimetres: coin, battery, caps, marker, tape roll."""

from __future__ import annotations

import math

import numpy as np

from blendgen.engine.blender.clutter.items import item
from blendgen.engine.blender.clutter.outlines import circle, framed, level, moved, rounded, slab, turned
from blendgen.engine.blender.clutter.solids import Solids


@item("coin")
def coin(parts: Solids) -> None:
    """24 mm, milled edge, raised rim, a raised emblem and a ring of beads on both faces."""
    count = 160
    reeds = np.where(np.arange(count) % 2 == 0, 0.0, -0.12)

    def reeded(angle, radius, z):
        return radius + reeds if radius > 11.9 else np.full(count, radius)

    def drafted(points):
        """The edge is not quite perpendicular to the faces, so that the coin does not stand on it."""
        return points * (1 - 0.0095 * points[:, 2:] * (1, 1, 0))

    rim = [(10.8, 0.9), (11.0, 1.1), (11.5, 1.12), (11.85, 1.05), (12.0, 0.85)]
    up = [(0.0, 0.8), (8.2, 0.8), (8.3, 0.82), (8.35, 0.88), *rim]
    profile = [*[(r, -z) for r, z in up], *reversed(up)]
    slots = ["centre"] * 2 + ["ring"] * (len(profile) - 5) + ["centre"] * 2
    parts.rings(turned(profile, count, reeded), slots, place=drafted)
    for side in (1, -1):
        _coin_face(parts, side)


def _coin_face(parts: Solids, side: int) -> None:
    for a in np.radians(np.arange(0, 360, 15)):
        bead = turned([(0.5, 0.5), (0.42, 0.75), (0.2, 0.93), (0.0, 0.98)], 10)
        at = (9.6 * math.cos(a), 9.6 * math.sin(a), 0.0)
        parts.rings(bead * (1, side, side), "ring", place=moved(*at))
    star = circle(1.0, 100) * (4.2 + 1.5 * np.cos(5 * np.arange(100) * 2 * math.pi / 100))[:, None]
    heights = ((1.0, 0.7), (1.0, 0.84), (0.9, 0.98), (0.55, 1.05), (0.2, 0.99))
    parts.rings(np.stack([level(star * k, z) for k, z in heights]) * (1, side, side), "centre")


@item("aa_battery")
def aa_battery(parts: Solids) -> None:
    """LR6: printed sleeve over a steel can, plus cap, minus plate, gasket."""
    r = 7.1
    can = [(0.0, 0.25), (4.2, 0.25), (4.5, 0.0), (5.6, 0.0), (6.4, 0.12), (r - 0.3, 0.5)]
    sleeve = [(r - 0.2, 0.42), (r, 0.7), (r, 33.5), (r, 48.5), (r - 0.2, 48.9), (r - 0.9, 49.0)]
    top = [
        (r - 1.0, 48.75),
        (4.6, 48.7),
        (4.4, 48.8),
        (3.6, 48.9),
        (2.8, 49.0),
        (2.75, 50.1),
        (2.5, 50.45),
        (0.0, 50.5),
    ]
    slots = ["steel"] * (len(can) - 1) + ["label"] * 3 + ["band"] * 4 + ["steel"] * (len(top) - 1)
    parts.rings(turned([*can, *sleeve, *top], 56), slots)
    seam = slab(rounded(0.6, 47.6, 0.1, 1), 0.0, 0.12)
    parts.rings(seam, "band", place=framed((0, -r - 0.05, 24.6), (0, 1, 0)))
    parts.lay_down()


@item("bottle_cap")
def bottle_cap(parts: Solids) -> None:
    """PET screw cap 28 mm with 80 knurls, a tamper band below it, hollow."""
    count, r = 240, 14.6
    knurl = 0.3 * (np.arange(count) % 3 > 0)

    def knurled(angle, radius, z):
        return radius + knurl * (radius > 14.3) * (4.3 < z < 13.6)

    outer = [
        (14.35, 0.0),
        (14.5, 0.15),
        (14.5, 2.6),
        (14.1, 2.8),
        (14.1, 3.3),
        (14.5, 3.5),
        (r, 4.2),
        (r, 4.6),
        (r, 13.3),
    ]
    top = [(14.45, 14.0), (14.1, 14.6), (13.4, 14.95), (12.0, 15.05), (6.0, 15.0), (0.0, 15.0)]
    inner = [(0.0, 13.4), (12.6, 13.4), (13.0, 13.0), (13.1, 0.4), (13.4, 0.0)]
    parts.rings(turned([*inner, *outer, *top], count, knurled), "body")
    for k in range(3):
        ring = turned([(12.7 - 0.5, 5.0 + 2.6 * k), (13.2, 4.6 + 2.6 * k), (13.2, 5.4 + 2.6 * k)], 60)
        parts.rings(ring, "body", loop=True)


@item("crown_cap")
def crown_cap(parts: Solids) -> None:
    """Crown cork with 21 flutes, slightly bent where the opener took hold."""
    count, flutes = 168, 21

    def fluted(angle, radius, z):
        depth = np.clip((4.6 - z) / 4.6, 0, 1) ** 1.3
        return radius + 0.95 * depth * np.cos(flutes * angle)

    outer = [
        (15.4, 0.0),
        (15.1, 0.7),
        (14.6, 1.9),
        (14.0, 3.2),
        (13.4, 4.4),
        (12.8, 5.3),
        (11.8, 5.85),
        (10.4, 6.05),
    ]
    shell = [*outer, (6.0, 6.12), (0.0, 6.15)]
    inner = [
        (max(0.0, r - (0.26 if z < 5 else 0.0)), z - (0.0 if z < 0.1 else 0.28)) for r, z in reversed(shell)
    ]
    slots = ["inside"] * (len(shell) - 1) + ["outside"] * len(shell)

    def bent(points):
        return points + (0.9 * np.clip(points[:, :1] / 15 - 0.25, 0, 1) ** 2) * (0, 0, 1)

    parts.rings(turned([*inner, *shell], count, fluted), slots, place=bent)
    parts.rings(
        turned([(0.0, 5.2), (10.8, 5.2), (11.5, 5.5), (11.4, 5.75), (0.0, 5.75)], 48), "liner", place=bent
    )


@item("marker")
def marker(parts: Solids) -> None:
    """Permanent marker, 138 mm, capped, with a printed sleeve and a clip."""
    barrel = [(0.0, 0.0), (4.4, 0.0), (5.4, 0.35), (5.9, 1.2), (6.1, 4.0)]
    body = [(6.1, 4.0), (6.4, 20.0), (6.4, 22.0), (6.43, 22.05), (6.43, 76.0), (6.4, 76.05), (6.4, 86.6)]
    end = [(5.6, 86.9), (5.6, 89.5)]
    slots = ["barrel"] * 7 + ["label"] * 2 + ["barrel"] * 4
    parts.rings(turned([*barrel, *body, *end], 48), slots[: len(barrel) + len(body) + len(end) - 1])
    cap = [(5.5, 88.4), (6.35, 88.2), (6.5, 88.5), (6.5, 91.0), (6.3, 91.3), (6.3, 118.0), (6.0, 132.0)]
    tip = [(5.7, 135.8), (5.2, 137.2), (4.2, 137.9), (0.0, 138.0)]
    parts.rings(turned([*cap, *tip], 48), "cap")
    clip = slab(rounded(4.2, 36.0, 1.6, 4), 0.0, 1.3, 0.4)
    parts.rings(clip, "cap", place=framed((0, -7.4, 115.0), (0, 1, 0)))
    for z, size in ((131.0, 3.0), (98.6, 2.0)):
        foot = slab(rounded(3.0, size, 0.6, 3), 0.0, 2.6, 0.3)
        parts.rings(foot, "cap", place=framed((0, -7.9, z), (0, 1, 0)))
    parts.lay_down()


@item("packing_tape")
def packing_tape(parts: Solids) -> None:
    """A roll of packing tape 48 mm wide, partly used, its end lifted."""
    core, inner, outer, half = 38.0, 41.0, 52.6, 24.0
    tube = [(core, -half - 0.3), (inner - 0.1, -half - 0.3), (inner - 0.1, half + 0.3), (core, half + 0.3)]
    parts.rings(turned(tube, 72), "core", loop=True)
    radii = np.linspace(inner - 0.05, outer, 9)
    side = [
        (float(r), half + 0.12 * math.sin(2.3 * k) + 0.08 * math.sin(5.1 * k)) for k, r in enumerate(radii)
    ]
    wound = [*[(r, -z) for r, z in side], *reversed(side)]
    slots = ["tape"] * len(wound)

    def oval(angle, radius, z):
        return radius + 0.25 * np.cos(2 * angle) * (radius - core) / 14

    parts.rings(turned(wound, 96, oval), slots, loop=True)
    _lifted_end(parts, outer, half)


def _lifted_end(parts: Solids, radius: float, half: float) -> None:
    """The last 40 mm of the winding, its cut edge toothed, lifted a little."""
    angle = np.linspace(0.0, 0.9, 22)
    off = 0.05 + 5.0 * np.clip((angle - 0.25) / 0.65, 0, 1) ** 2
    along = np.column_stack([(radius + off) * np.cos(angle + 0.7), (radius + off) * np.sin(angle + 0.7)])
    across = np.linspace(-half, half, 49)
    rings = []
    for k, (x, y) in enumerate(along):
        teeth = 0.9 * (np.arange(49) % 2) if k == len(along) - 1 else 0.0 * across
        out = np.array([math.cos(angle[k] + 0.7), math.sin(angle[k] + 0.7)])
        ahead = np.array([-out[1], out[0]])
        upper = np.column_stack(
            [x + 0.06 * out[0] + teeth * ahead[0], y + 0.06 * out[1] + teeth * ahead[1], across]
        )
        lower = upper - [*(0.12 * out), 0.0]
        rings.append(np.concatenate([upper, lower[::-1]]))
    parts.rings(rings, "tape")
