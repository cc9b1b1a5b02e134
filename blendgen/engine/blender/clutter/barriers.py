"""Barriers: parts of machines that come between the camera and the goods, in millimetres.

Each is level and covers the products by advancing along +Y: bars and rails are along X, the lip of the chute
and the free ends of the curtain point to +Y.
"""

from __future__ import annotations

import math

import numpy as np

from blendgen.engine.blender.clutter.items import item
from blendgen.engine.blender.clutter.outlines import (
    blunt,
    circle,
    curve,
    even,
    framed,
    inset,
    level,
    moved,
    rotated,
    rounded,
    slab,
    sweep,
    turned,
)
from blendgen.engine.blender.clutter.solids import Place, Solids

_ALONG_X = framed((0, 0, 0), (1, 0, 0))


@item("bar")
def bar(parts: Solids) -> None:
    """Round steel tube 25 mm, 1.2 m long, with plastic plugs in its ends."""
    _tube(parts, "tube", 12.5, 1200.0, _ALONG_X)
    for side in (1, -1):
        plug = [
            (11.2, 595.0),
            (11.2, 599.9),
            (12.3, 599.9),
            (12.4, 601.2),
            (11.8, 602.2),
            (9.0, 602.8),
            (0.0, 603.0),
        ]
        parts.rings(turned(plug, 40) * (1, 1, side), "end", place=_ALONG_X)


def _tube(parts: Solids, slot: str, radius: float, length: float, place: Place, count: int = 40) -> None:
    half = length / 2
    ends = [(radius - 0.6, half), (radius - 0.2, half - 0.15), (radius, half - 0.6)]
    profile = [
        *[(r, -z) for r, z in ends],
        *((radius, float(z)) for z in np.linspace(-half, half, 9)[1:-1]),
        *ends[::-1],
    ]
    parts.rings(turned(profile, count), slot, place=place)


@item("flat_bar")
def flat_bar(parts: Solids) -> None:
    """Flat bar 50 x 8 mm, 1 m long, rolled edges, a little bowed."""
    x = np.linspace(-500, 500, 41)
    path = np.column_stack([x, 2.5e-6 * x**2 * 1.5, 6e-6 * x**2])
    parts.rings(sweep(path, rounded(50.0, 8.0, 1.1, 4), up=(0.0, 0.0, 1.0)), "bar")


@item("guard_rail")
def guard_rail(parts: Solids) -> None:
    """Two rails 38 mm across and the posts behind them, welded, with bolted feet plates at -Y."""
    for y, length in ((150.0, 1000.0), (-20.0, 1000.0)):
        path, scale = blunt(np.array([(-length / 2, y, 0), (0, y, 0), (length / 2, y, 0)]), 19.0, 9.0, 5)
        parts.rings(sweep(path, circle(19.0, 40), scale=scale), "rail")
    for x in (-330.0, 330.0):
        post = slab(rounded(40.0, 40.0, 5.0, 4), -200.0, 148.0, 1.0)
        parts.rings(post, "post", place=framed((x, 0, 0), (0, 1, 0)))
        plate = slab(rounded(110.0, 110.0, 6.0, 3), -208.0, -200.0, 1.0)
        parts.rings(plate, "post", place=framed((x, 0, 0), (0, 1, 0)))
        for dx, dz in ((38, 38), (-38, 38), (38, -38), (-38, -38)):
            hexagon = circle(9.8, 6)
            parts.rings(slab(hexagon, -201.0, -191.0, 0.8), "bolt", place=framed((x + dx, 0, dz), (0, 1, 0)))


@item("chute_edge")
def chute_edge(parts: Solids) -> None:
    """Sheet 2 mm, 0.6 x 0.4 m: the last bend of a chute and its lip, hemmed."""
    line = _polyline([(-200.0, 0.0), (120.0, 0.0), (186.0, -38.0)], 28.0, 9)
    end, ahead = line[-1], (line[-1] - line[-2]) / np.linalg.norm(line[-1] - line[-2])
    under = np.array([ahead[1], -ahead[0]])
    a = np.linspace(0, math.pi, 9)[1:]
    hem = end + 2.4 * (np.sin(a)[:, None] * ahead + (1 - np.cos(a))[:, None] * under)
    line = np.concatenate([line, hem, hem[-1:] - 14.0 * ahead])
    section = _thick(line, 2.0)
    rings = []
    for x in np.linspace(-300, 300, 25):
        dent = 1.1 * math.sin(x / 71.0) + 0.6 * math.sin(x / 29.0 + 1.0)
        y, z = section.T
        wave = dent * np.exp(-(((y - 20) / 95.0) ** 2)) - 2.2 * math.exp(-(((x - 120) / 26.0) ** 2)) * np.exp(
            -(((y - 178) / 20.0) ** 2)
        )
        rings.append(np.column_stack([np.full(len(y), x), y + 0.3 * dent, z + wave]))
    parts.rings(rings, "sheet")


def _polyline(points, radius: float, steps: int) -> np.ndarray:
    """Straight runs with a round bend at each inner point."""
    path = [np.array([points[0]], dtype=np.float64)]
    for a, b, c in zip(points, points[1:], points[2:], strict=False):
        a, b, c = (np.array(p, dtype=np.float64) for p in (a, b, c))
        back, ahead = (a - b) / np.linalg.norm(a - b), (c - b) / np.linalg.norm(c - b)
        reach = radius / math.tan(0.5 * math.acos(np.clip(back @ ahead, -1, 1)))
        t = np.linspace(0, 1, steps)[:, None]
        path.append((1 - t) ** 2 * (b + reach * back) + 2 * t * (1 - t) * b + t**2 * (b + reach * ahead))
    return np.concatenate([*path, np.array([points[-1]], dtype=np.float64)])


def _thick(line: np.ndarray, thickness: float) -> np.ndarray:
    """The closed outline of a strip about a line."""
    ahead = np.gradient(line, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    aside = thickness / 2 * np.column_stack([-ahead[:, 1], ahead[:, 0]])
    return np.concatenate([line - aside, (line + aside)[::-1]])


@item("curtain_strip")
def curtain_strip(parts: Solids) -> None:
    """Two overlapping strips of soft PVC, 200 x 3 mm, hung from a rail at -Y; free ends to +Y."""
    for x, end, z, seed in ((-88.0, 300.0, 0.0, 0.0), (88.0, 288.0, 9.0, 1.9)):
        v = np.linspace(-100, 100, 25)[None]
        s = np.linspace(-300, end, 64)[:, None]
        free = (s + 300) / 600
        bow = 7.0 * free * np.sin(v / 48.0 + seed + 1.1 * free) + 9.0 * np.sin(3.0 * free + seed) * free
        corner = np.clip(np.abs(v) - 92, 0, 8) ** 2 / 10 * (free > 0.99)
        top = np.stack([x + v + 3 * np.sin(2.5 * free + seed) * free, s - corner, z + bow + 0 * v], axis=2)
        under = top - (0, 0, 3.0)
        parts.rings(np.concatenate([top, under[:, ::-1]], axis=1), "strip")
    for z in (-6.0, 12.5):
        parts.rings(slab(rounded(400.0, 46.0, 2.0, 3), z - 2.0, z + 2.0, 0.6), "rail", place=moved(0, -292.0))
    for x in np.linspace(-170, 170, 6):
        head = [(4.0, 14.0), (6.8, 14.2), (6.8, 17.0), (5.5, 18.6), (0.0, 19.2)]
        parts.rings(turned(head, 20), "rail", place=moved(float(x), -292.0))


@item("cable_bundle")
def cable_bundle(parts: Solids) -> None:
    """Ten cables that run along X, twisted around each other, with ties every quarter of a metre."""
    x = np.linspace(-480, 480, 34)
    places = [(0.0, 0.0, 4.4)]
    places += [(8.3 * math.cos(a), 8.3 * math.sin(a), 3.9) for a in np.radians(np.arange(0, 360, 60))]
    places += [(14.6 * math.cos(a), 14.6 * math.sin(a), 3.1) for a in np.radians((30, 150, 250))]
    for number, (y, z, radius) in enumerate(places):
        turn = 0.0026 * x
        loose = 1 + 0.16 * np.cos(2 * math.pi * x / 240.0 + math.pi) + 0.05 * np.sin(x / 50.0 + 2 * number)
        yy = loose * (y * np.cos(turn) - z * np.sin(turn)) + 9 * np.sin(x / 210.0)
        zz = loose * (y * np.sin(turn) + z * np.cos(turn)) - 1.2e-4 * (480**2 - x**2) * 0.5
        path = even(curve(np.column_stack([x, yy, zz]), 3), 12.0)
        path, scale = blunt(path, radius, 0.5)
        slot = "second" if number in (2, 5, 8) else "jacket"
        parts.rings(sweep(path, circle(radius, 12), scale=scale), slot)
    for at in (-360.0, -120.0, 120.0, 360.0):
        _tie(parts, (at, 9 * math.sin(at / 210.0), -0.6e-4 * (480**2 - at**2)))


def _tie(parts: Solids, at) -> None:
    angle = np.arange(48) * (2 * math.pi / 48)
    r = 15.4 + 0.9 * np.cos(6 * angle + 1.0)
    ring = np.column_stack([0 * angle, r * np.cos(angle), r * np.sin(angle)])
    strap = sweep(ring, rounded(4.8, 1.3, 0.3, 2), up=(1.0, 0.0, 0.0), loop=True, twist_deg=np.full(48, 90.0))
    parts.rings(strap, "tie", loop=True, place=moved(*at))
    head = slab(rounded(6.6, 6.0, 1.0, 3), 14.2, 19.4, 0.5)
    parts.rings(head, "tie", place=rotated("x", 60, at))
    tail = [
        level(inset(rounded(4.6, 1.2, 0.3, 2), by), z) for z, by in ((0.0, 0.0), (11.4, 0.0), (11.6, 0.2))
    ]
    parts.rings(
        tail, "tie", place=framed((at[0], at[1] - 13.5, at[2] + 9.0), (0.0, 0.3, 0.9), (0.0, 1.0, 0.0))
    )
