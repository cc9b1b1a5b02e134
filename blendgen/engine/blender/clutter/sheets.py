"""Sheets and scraps, in millimetres: torn cardboard, tape, a crumpled paper ball, a plastic shard.

Irregular shapes come from fixed sums of sines and a hash, so that each piece is always the same.
"""

from __future__ import annotations

import math

import numpy as np

from blendgen.engine.blender.clutter.items import item
from blendgen.engine.blender.clutter.outlines import moved, turned
from blendgen.engine.blender.clutter.solids import Solids
from blendgen.geometry.hull import hull_triangles


def jag(t, seed: float) -> np.ndarray:
    """A ragged line: -1 to 1, with long bends and short teeth."""
    t = np.asarray(t, dtype=np.float64)
    bends = 0.5 * np.sin(1.7 * t + seed) + 0.25 * np.sin(4.3 * t + 2.1 * seed)
    teeth = np.sin(41.0 * t + 7.0 * seed + 3 * np.sin(13.0 * t)) * np.sin(9.7 * t + seed)
    return bends + 0.18 * teeth + 0.1 * np.sin(97.0 * t + 5.0 * np.sin(23.0 * t + seed))


def grid_slab(parts: Solids, slot: str, top: np.ndarray, thickness) -> None:
    """A sheet from its upper side (rows, columns, 3), with the given thickness."""
    under = top - np.array([0.0, 0.0, 1.0]) * np.asarray(thickness)
    skin = np.concatenate([top, under[:, ::-1]], axis=1)
    parts.rings(skin, slot)


@item("cardboard")
def cardboard(parts: Solids) -> None:
    """Single-wall board, B flute (3 mm), torn on two sides and cut on two, once folded and bent back."""
    flute, height, liner = 6.4, 2.5, 0.28
    x = np.arange(-62.0, 62.01, flute / 6)
    edges = {
        "under": (-46 + 7 * jag(x / 17, 0.4), 47 + 8 * jag(x / 15, 2.2)),
        "wave": (-45 + 7 * jag(x / 17, 0.5), 45.5 + 8 * jag(x / 15, 2.3)),
        "over": (-43 + 8 * jag(x / 16, 1.1), 43 + 8 * jag(x / 14, 2.9)),
    }
    wave = liner + height / 2 * (1 - np.cos(2 * math.pi * x / flute))
    _layer(parts, "liner", x, edges["under"], 0 * x, liner)
    _layer(parts, "flute", x, edges["wave"], wave, liner * np.sqrt(1 + (height * math.pi / flute) ** 2 * 0.4))
    _layer(parts, "liner", x, edges["over"], 0 * x + height + liner, liner)


def _layer(parts: Solids, slot: str, x, edge, z, thickness: float) -> None:
    share = np.linspace(0, 1, 10)[:, None]
    y = (1 - share) * edge[0] + share * edge[1]
    frayed = 0.25 * (np.abs(2 * share - 1) > 0.99) * np.sin(3.1 * x + 1.3)
    flat = np.stack([np.broadcast_to(x, y.shape), y, z + frayed + 0 * y], axis=2)
    grid_slab(parts, slot, _bent(flat), thickness)


def _bent(points: np.ndarray) -> np.ndarray:
    """A crease across at x = 14 mm and a slight curl."""
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    fold = np.clip((x - 14.0 - 0.05 * y) / 5.0, 0, 1)
    rise = np.clip(x - 16.5 - 0.05 * y, 0, None) * 0.2 + 0.4 * fold
    curl = 0.0011 * np.clip(-x - 10, 0, None) ** 2 + 0.0007 * y**2
    crushed = 1 - 0.55 * np.exp(-(((x - 15.5 - 0.05 * y) / 3.0) ** 2))
    return np.stack([x, y, z * crushed + rise + curl], axis=2)


@item("tape_strip")
def tape_strip(parts: Solids) -> None:
    """A strip of adhesive tape 19 mm wide, cut with teeth, lying in a shallow curl."""
    s = np.linspace(0, 92, 80)[:, None]
    v = np.linspace(-9.5, 9.5, 25)[None]
    teeth = 0.9 * (np.arange(25) % 2)[None] * ((s == 0) * -1.0 + (s == s.max()) * 1.0)
    arch = 1.8 * np.exp(-(((s - 30) / 13.0) ** 2)) + 4.5 * np.clip((s - 70) / 22, 0, 1) ** 2
    ripple = 0.35 * np.sin(s / 5.0 + 0.08 * v) * np.exp(-(((s - 58) / 14.0) ** 2))
    tilt = 0.03 * v * np.sin(s / 23.0) * np.clip((s - 10) / 30, 0, 1)
    bend = 5.0 * np.sin(s / 60.0)
    z = np.maximum(0.0, arch + ripple + tilt) + 0.3
    sheet = np.stack([v + bend + 0 * s, s - 46 + teeth, z + 0 * v], axis=2)
    grid_slab(parts, "film", sheet, 0.12)


@item("plastic_shard")
def plastic_shard(parts: Solids) -> None:
    """A broken corner of a housing: two walls with a round edge between, a screw boss, ragged fracture."""
    share = np.linspace(0, 1, 44)[:, None]
    t = np.linspace(-1, 1, 36)[None]
    far, near = 24 + 6 * jag(3.1 * t, 0.3) + 4 * t, -9 - 3.5 * jag(2.7 * t, 1.9)
    s = near + share * (far - near)
    fine = np.linspace(-20.0, 40.0, 601)
    slope = math.radians(84) * np.clip(0.5 - fine / 4.0, 0, 1)
    y, z = np.cumsum(np.cos(slope)) * 0.1, np.cumsum(np.sin(slope)) * 0.1
    x = 27 * t + 1.6 * jag(5 * share, 2.0) * np.sign(t) * np.abs(t) ** 3
    bow = 0.0007 * (27 * t) ** 2
    _shell(parts, np.stack([x, np.interp(s, fine, y), np.interp(s, fine, z) - bow], axis=2), 1.8)
    top = float(np.interp(10.0, fine, z))
    boss = [(1.3, -8.0), (2.9, -8.0), (3.1, -7.8), (3.3, -1.0), (1.3, -1.0)]
    parts.rings(turned(boss, 28), "body", loop=True, place=moved(-9.0, float(np.interp(10.0, fine, y)), top))


def _shell(parts: Solids, top: np.ndarray, thickness: float, slots=("body", "break")) -> None:
    """A sheet of even thickness; slots: of its two sides and of its rim."""
    du, dv = np.gradient(top, axis=0), np.gradient(top, axis=1)
    normal = np.cross(dv, du)
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    under = top - thickness * normal * np.sign(normal[..., 2:].mean())
    rows, columns, _ = top.shape
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = (part.ravel() for part in (index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]))
    upper = np.column_stack([a, b, c, d])
    lower = np.column_stack([a, d, c, b]) + rows * columns
    rim = np.concatenate([index[0], index[1:, -1], index[-1, -2::-1], index[-2:0:-1, 0]])
    after = np.roll(rim, -1)
    wall = np.column_stack([after, rim, rim + rows * columns, after + rows * columns])
    faces = [*map(tuple, upper), *map(tuple, lower), *map(tuple, wall)]
    face_slots = [slots[0]] * (2 * len(upper)) + [slots[1]] * len(wall)
    parts.add(np.concatenate([top.reshape(-1, 3), under.reshape(-1, 3)]), faces, face_slots)


@item("paper_ball")
def paper_ball(parts: Solids) -> None:
    """A sheet crumpled into a ball of some 50 mm: flat facets between sharp folds, protruding corners."""
    directions = _strewn(150, 0.7)
    chance = _hash(np.arange(150), 0.2)
    vertices = directions * (16.5 + 10.5 * chance**0.6)[:, None]
    triangles = hull_triangles(directions)[0]
    for scatter in (0.085, 0.06):
        vertices, triangles = _refolded(vertices, triangles, scatter)
    parts.add(vertices, map(tuple, triangles), "paper", flat=True)
    for turn, tilt, size in ((0.4, 0.5, 13.0), (2.6, 1.2, 11.0), (4.4, 0.8, 12.0)):
        _corner(parts, turn, tilt, size)


def _refolded(vertices: np.ndarray, triangles: np.ndarray, scatter: float) -> tuple[np.ndarray, np.ndarray]:
    """Each triangle split in four; the middle of an edge moves by up to a share of the edge's length."""
    sides = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    edges, of = np.unique(np.sort(sides, axis=1), axis=0, return_inverse=True)
    ab, bc, ca = of.reshape(3, -1) + len(vertices)
    start, end = vertices[edges[:, 0]], vertices[edges[:, 1]]
    middle, length = (start + end) / 2, np.linalg.norm(end - start, axis=1)
    off = scatter * length * (2 * _hash(np.arange(len(edges)), scatter) - 1)
    middle += off[:, None] * middle / np.linalg.norm(middle, axis=1, keepdims=True)
    a, b, c = triangles.T
    quarters = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    return np.concatenate([vertices, middle]), np.concatenate([np.column_stack(q) for q in quarters])


def _corner(parts: Solids, turn: float, tilt: float, size: float) -> None:
    """A corner of the sheet that sticks out of the ball, creased once."""
    u, v = np.linspace(0, 1, 12)[:, None], np.linspace(-1, 1, 13)[None]
    across = size * v * (1.05 - u)
    crease = 2.6 * np.abs(v - 0.3 * u) * u
    away = 17.0 + 3.4 * u + crease + 0.8 * np.sin(5 * u + 2 * v)
    angle = turn + (size * 1.2 * u) / 21.0
    x, y = away * np.cos(angle), away * np.sin(angle)
    flap = np.stack([x + 0 * v, y + 0 * v, across + 1.2 * np.sin(3 * u + v)], axis=2)
    lean = np.array([[1, 0, 0], [0, math.cos(tilt), -math.sin(tilt)], [0, math.sin(tilt), math.cos(tilt)]])
    _shell(parts, flap @ lean.T, 0.15, ("paper", "paper"))


def _hash(number: np.ndarray, seed: float) -> np.ndarray:
    """0 to 1, pseudo-random."""
    return np.sin(12.9898 * number + 78.233 * seed) * 43758.5453 % 1.0


def _strewn(count: int, seed: float) -> np.ndarray:
    """Directions spread unevenly over the sphere: a jittered Fibonacci lattice."""
    i = np.arange(count) + 0.5
    z = np.clip(1 - 2 * i / count + 0.5 / math.sqrt(count) * np.sin(78.233 * i + seed), -0.99, 0.99)
    angle = math.pi * (1 + 5**0.5) * i + 2.2 / math.sqrt(count) * np.sin(39.425 * i + 2 * seed) + seed
    ring = np.sqrt(1 - z * z)
    return np.column_stack([ring * np.cos(angle), ring * np.sin(angle), z])
