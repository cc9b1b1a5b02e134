"""Outlines and paths: closed polygons in a plane, smooth curves in space, and rings along them.

Lengths are millimetres. Outlines are (n, 2), counter-clockwise; paths are (k, 3). Placements are
functions of points, created here, that `Solids` applies.
"""

from __future__ import annotations

import math

import numpy as np


def circle(radius: float, count: int = 24) -> np.ndarray:
    angle = np.arange(count) * (2 * math.pi / count)
    return radius * np.column_stack([np.cos(angle), np.sin(angle)])


def rounded(width: float, height: float, corner: float, steps: int = 4) -> np.ndarray:
    """A rectangle with round corners about the origin; steps: edges of a corner."""
    corner = min(corner, 0.4999 * width, 0.4999 * height)
    x, y = width / 2 - corner, height / 2 - corner
    parts = []
    for i, middle in enumerate([(x, y), (-x, y), (-x, -y), (x, -y)]):
        angle = np.linspace(0, math.pi / 2, steps + 1) + i * math.pi / 2
        parts.append(corner * np.column_stack([np.cos(angle), np.sin(angle)]) + middle)
    return np.concatenate(parts)


def inset(outline: np.ndarray, by: float) -> np.ndarray:
    """The outline moved inwards by a length that is small compared with its features."""
    along = np.roll(outline, -1, axis=0) - outline
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    inward = np.column_stack([-along[:, 1], along[:, 0]])
    before = np.roll(inward, 1, axis=0)
    miter = inward + before
    return outline + by * miter / np.maximum(0.3, 0.5 * (miter**2).sum(axis=1, keepdims=True))


def level(outline: np.ndarray, z: float) -> np.ndarray:
    """(n, 3) ring at height z."""
    return np.column_stack([outline, np.full(len(outline), float(z))])


def slab(outline: np.ndarray, z0: float, z1: float, edge: float = 0.0, steps: int = 3) -> np.ndarray:
    """Rings of a plate from z0 to z1 with its upper and lower edges rounded by `edge`."""
    if edge <= 0:
        return np.stack([level(outline, z0), level(outline, z1)])
    angle = np.linspace(0, math.pi / 2, steps + 1)
    lower = [(edge * (1 - math.sin(a)), z0 + edge * (1 - math.cos(a))) for a in angle]
    profile = lower + [(i, z0 + z1 - z) for i, z in reversed(lower)]
    return np.stack([level(inset(outline, i), z) for i, z in profile])


def turned(profile, count: int = 48, ripple=None) -> np.ndarray:
    """Rings of a turned part about z. profile: (radius, z) in order; ripple: angle, r, z -> radius."""
    angle = np.arange(count) * (2 * math.pi / count)
    rings = []
    for radius, z in profile:
        r = np.full(count, float(radius)) if ripple is None else ripple(angle, radius, z)
        rings.append(np.column_stack([r * np.cos(angle), r * np.sin(angle), np.full(count, float(z))]))
    return np.stack(rings)


def curve(points, steps: int = 8, loop: bool = False) -> np.ndarray:
    """A smooth path through points: centripetal-like Catmull-Rom, `steps` points a span."""
    points = np.asarray(points, dtype=np.float64)
    if loop:
        padded = np.concatenate([points[-1:], points, points[:2]])
    else:
        padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    spans = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        spans.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        )
    return np.concatenate(spans if loop else [*spans, points[-1:]])


def even(path: np.ndarray, step: float) -> np.ndarray:
    """The path again with points about `step` apart."""
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    at = np.linspace(0, length[-1], max(3, round(length[-1] / step) + 1))
    return np.column_stack([np.interp(at, length, path[:, axis]) for axis in range(3)])


def sweep(path, section: np.ndarray, up=None, loop: bool = False, scale=None, twist_deg=None) -> np.ndarray:
    """Rings of a section drawn along a path.

    up: direction that the section's y follows; None: it rotates as little as possible
    scale: (k,) or (k, 2) size of the section at each point; twist_deg: (k,) its turn
    """
    path = np.asarray(path, dtype=np.float64)
    ahead = _tangents(path, loop)
    normal = _normals(ahead, up, loop)
    side = np.cross(normal, ahead)
    if twist_deg is not None:
        c, s = np.cos(np.radians(twist_deg))[:, None], np.sin(np.radians(twist_deg))[:, None]
        side, normal = c * side + s * normal, c * normal - s * side
    factors = np.ones((len(path), 1)) if scale is None else np.reshape(scale, (len(path), -1))
    across = section[None] * factors[:, None, :]
    return path[:, None] + across[..., :1] * side[:, None] + across[..., 1:] * normal[:, None]


def _tangents(path: np.ndarray, loop: bool) -> np.ndarray:
    if loop:
        return _unit(np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0))
    return _unit(np.gradient(path, axis=0))


def _normals(ahead: np.ndarray, up, loop: bool) -> np.ndarray:
    if up is not None:
        return _unit(up - (ahead @ np.asarray(up, dtype=np.float64))[:, None] * ahead)
    normal = _transported(ahead)
    return _closed(normal, ahead) if loop else normal


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def _transported(ahead: np.ndarray) -> np.ndarray:
    """Normals that do not rotate about the path: each is the one before, made perpendicular to the path."""
    start = np.array([0.0, 0.0, 1.0]) if abs(ahead[0, 2]) < 0.9 else np.array([0.0, 1.0, 0.0])
    normals = [_unit(start - (start @ ahead[0]) * ahead[0])]
    for tangent in ahead[1:]:
        normals.append(_unit(normals[-1] - (normals[-1] @ tangent) * tangent))
    return np.stack(normals)


def _closed(normals: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """The same, with the rotation that remains at the end of a loop spread along it."""
    last = _unit(normals[-1] - (normals[-1] @ ahead[0]) * ahead[0])
    angle = math.atan2(np.cross(last, normals[0]) @ ahead[0], last @ normals[0])
    turn = np.linspace(0, angle, len(normals), endpoint=False)[:, None]
    return np.cos(turn) * normals + np.sin(turn) * np.cross(ahead, normals)


def blunt(path, radius: float, edge: float, steps: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """(path, scale) for the sweep of a rod of this radius whose two ends are rounded by `edge`."""
    path = np.asarray(path, dtype=np.float64)
    first, last = _unit(path[1] - path[0]), _unit(path[-1] - path[-2])
    angle = np.linspace(0, math.pi / 2, steps + 1)
    depth, scale = edge * (1 - np.cos(angle)), 1 - edge * (1 - np.sin(angle)) / radius
    away = np.minimum(np.linalg.norm(path - path[0], axis=1), np.linalg.norm(path - path[-1], axis=1))
    middle = path[away > 1.05 * edge]
    head, tail = path[0] + depth[:, None] * first, path[-1] - depth[::-1, None] * last
    return np.concatenate([head, middle, tail]), np.concatenate([scale, np.ones(len(middle)), scale[::-1]])


def moved(x: float = 0, y: float = 0, z: float = 0):
    return lambda points: points + (x, y, z)


def rotated(axis: str, angle_deg: float, at=(0.0, 0.0, 0.0)):
    """A placement: turned about an axis through the origin, then moved to `at`."""
    c, s = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[i, i], matrix[i, j], matrix[j, i], matrix[j, j] = c, -s, s, c
    return lambda points: points @ matrix.T + at


def framed(at, ahead, up=(0.0, 0.0, 1.0)):
    """A placement: the part's z goes to `ahead`, its y as close to `up` as possible, its origin to `at`."""
    z = _unit(np.asarray(ahead, float))
    y = np.asarray(up, float) - (np.asarray(up, float) @ z) * z
    y = _unit(y)
    matrix = np.column_stack([np.cross(y, z), y, z])
    return lambda points: points @ matrix.T + np.asarray(at, float)
