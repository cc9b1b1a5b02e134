"""Fasteners: screws, nut and washer with real threads, in millimetres, axis along z.

A thread is a helicoid: its rows climb with the angle, and the last column of a row meets the first
of the row one pitch above, so that crest and root run exactly along the helix.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from blendgen.engine.blender.clutter.items import item
from blendgen.engine.blender.clutter.outlines import circle, level, turned
from blendgen.engine.blender.clutter.solids import Solids

# (share of a pitch, 0 root to 1 crest): the corners of one turn of the thread
_V_THREAD = ((0.0, 0.0), (0.1, 0.0), (0.46, 1.0), (0.62, 1.0))
_SHARP_THREAD = ((0.0, 0.0), (0.52, 0.0), (0.7, 1.0), (0.78, 1.0))
Radius = Callable[[np.ndarray], np.ndarray]


def _helicoid(z0: float, z1: float, pitch: float, core: Radius, crest: Radius, corners, count: int):
    """(rows, count, 3) points; each row but the lowest ones starts where another ended."""
    angle = np.arange(count) * (2 * math.pi / count)
    turns = math.ceil((z1 - z0) / pitch) + 2
    rows = []
    for turn in range(turns):
        for share, height in corners:
            z = z0 + pitch * (turn + share - 1 + angle / (2 * math.pi))
            inside = np.clip(z, z0, z1)
            fade = np.clip(np.minimum(inside - z0, z1 - inside) / (0.5 * pitch), 0, 1)
            radius = core(inside) + (crest(inside) - core(inside)) * height * fade
            rows.append(np.column_stack([radius * np.cos(angle), radius * np.sin(angle), inside]))
    return np.stack(rows)


def _grid_faces(rows: int, count: int, shift: int) -> list[tuple[int, ...]]:
    """Faces of a helicoid; shift: rows in a turn."""
    faces: list[tuple[int, ...]] = []
    for row in range(rows - 1):
        for i in range(count - 1):
            a = row * count + i
            faces.append((a, a + 1, a + count + 1, a + count))
        near, far = row * count + count - 1, min(row + shift, rows - 1) * count
        faces.append((near, far, min(row + shift + 1, rows - 1) * count, near + count))
    return faces


def _threaded_rod(parts: Solids, slot: str, z0, z1, pitch, core, crest, corners=_V_THREAD, count=28) -> None:
    grid = _helicoid(z0, z1, pitch, core, crest, corners, count)
    faces = _grid_faces(len(grid), count, len(corners))
    last = (len(grid) - 1) * count
    faces += [tuple(reversed(range(count))), tuple(range(last, last + count))]
    parts.add(grid.reshape(-1, 3), faces, slot)


def _constant(radius: float) -> Radius:
    return lambda z: np.full(len(z), radius)


def _hexagon(across_flats: float, count: int) -> np.ndarray:
    """Radius of a hexagon at `count` evenly spread angles; count: a multiple of 12."""
    angle = np.arange(count) * (2 * math.pi / count)
    return across_flats / 2 / np.cos((angle + math.pi / 6) % (math.pi / 3) - math.pi / 6)


def _hex_rings(across_flats: float, z0: float, z1: float, count: int, both: bool) -> list[np.ndarray]:
    """Rings of a chamfered hexagon from below: corners cut off by a cone of 30 degrees."""
    radius, flat = _hexagon(across_flats, count), 0.48 * across_flats
    unit = circle(1.0, count)
    cut = np.maximum(0, radius - flat) * math.tan(math.radians(30))
    low = z0 + (cut if both else 0 * cut) + 0.04
    rings = [level(unit * flat, z0)] if both else []
    rings += [np.column_stack([unit * (radius[:, None] - 0.03), low - 0.03])]
    rings += [np.column_stack([unit * radius[:, None], low + 0.02])]
    rings += [np.column_stack([unit * radius[:, None], z1 - cut - 0.06])]
    rings += [np.column_stack([unit * (radius[:, None] - 0.03), z1 - cut - 0.02]), level(unit * flat, z1)]
    return rings


@item("machine_screw")
def machine_screw(parts: Solids) -> None:
    """Hexagon head screw M6 x 30, ISO 4017."""
    head, rod = 4.0, 30.0
    rings = _hex_rings(10.0, 0.0, head, 48, both=False)
    washer_face = turned([(4.4, -0.25), (4.5, -0.2), (4.5, 0.0)], 48)
    parts.rings(
        [*washer_face, *rings, level(circle(3.6, 48), head), level(circle(3.4, 48), head - 0.15)], "metal"
    )

    def crest(z):
        return 3.0 - np.clip(-rod + 0.7 - z, 0, 0.7)

    _threaded_rod(parts, "metal", -rod, -0.1, 1.0, lambda z: np.minimum(2.42, crest(z)), crest)
    parts.lay_down()


@item("wood_screw")
def wood_screw(parts: Solids) -> None:
    """Countersunk chipboard screw 4.5 x 40 with a six-lobe drive and a point."""
    length, head, count = 40.0, 4.4, 60
    angle = np.arange(count) * (2 * math.pi / count)
    star = circle(1.0, count) * (2.05 + 0.32 * np.cos(6 * angle))[:, None]
    cone = turned([(1.6, -3.4), (1.75, -3.0), (2.2, -2.4), (4.25, -0.35), (head, -0.2), (4.33, -0.04)], count)
    recess = [
        level(circle(4.2, count), 0.0),
        level(star * 1.06, 0.0),
        level(star, -0.12),
        level(star * 0.97, -1.9),
    ]
    parts.rings([*cone, *recess, level(circle(0.01, count), -2.3)], "metal")

    def core(z):
        return np.where(z < -length + 7, 0.06 + 1.4 * (z + length) / 7, 1.46)

    def crest(z):
        return np.where(z < -length + 6, 0.12 + 2.13 * (z + length) / 6, 2.25)

    _threaded_rod(parts, "metal", -length, -9.0, 2.0, core, crest, _SHARP_THREAD, 24)
    parts.rings(turned([(1.46, -9.6), (1.6, -9.0), (1.6, -3.0), (1.5, -2.6)], 24), "metal")
    parts.lay_down()


@item("hex_nut")
def hex_nut(parts: Solids) -> None:
    """Hexagon nut M8, ISO 4032."""
    count, height = 48, 6.5
    outside = _hex_rings(13.0, 0.0, height, count, both=True)
    grid = _helicoid(0.5, height - 0.5, 1.25, _constant(4.1), _constant(3.4), _V_THREAD, count)
    rims = [level(circle(4.15, count), height), *reversed(outside), level(circle(4.15, count), 0.0)]
    start = len(grid) * count
    rows = [start - count, *range(start, start + len(rims) * count, count), 0]
    faces = _grid_faces(len(grid), count, len(_V_THREAD))
    for lower, upper in pairwise(rows):
        faces += [(lower + i, lower + j, upper + j, upper + i) for i, j in pairwise([*range(count), 0])]
    parts.add(np.concatenate([grid.reshape(-1, 3), np.concatenate(rims)]), faces, "metal")


@item("washer")
def washer(parts: Solids) -> None:
    """Plain washer M8, ISO 7089: stamped, so its rim widens towards a burr."""
    profile = [(4.2, 0.1), (4.35, 0.0), (7.6, 0.0), (7.76, 0.35), (8.0, 1.5), (7.97, 1.6), (7.9, 1.62)]
    parts.rings(turned([*profile, (4.3, 1.6), (4.2, 1.5)], 64), "metal", loop=True)
