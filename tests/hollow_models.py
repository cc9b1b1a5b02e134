"""Hollow and convex models as OBJ text, in metres: bodies of revolution about z, and boxes without a lid."""

from __future__ import annotations

import numpy as np

Mesh = tuple[np.ndarray, list[tuple[int, ...]]]
_SIDES = 24


def revolved(profile) -> Mesh:
    """A closed body; profile: (k, 2) corners (radius, height) around its section, radius > 0."""
    turns = np.arange(_SIDES) * 2 * np.pi / _SIDES
    radius, height = np.array(profile, float).T
    around = np.stack(np.broadcast_arrays(np.cos(turns)[:, None], np.sin(turns)[:, None], 1.0), axis=-1)
    corners = (around * np.column_stack([radius, radius, height])[None]).reshape(-1, 3)
    k = len(profile)
    quads = [
        (i * k + m, (i + 1) % _SIDES * k + m, (i + 1) % _SIDES * k + (m + 1) % k, i * k + (m + 1) % k)
        for i in range(_SIDES)
        for m in range(k)
    ]
    return corners, quads


def ring(radius=0.03, thickness=0.012) -> Mesh:
    low, high = radius - thickness / 2, radius + thickness / 2
    return revolved([(low, 0.0), (high, 0.0), (high, thickness), (low, thickness)])


def peg(radius=0.01, height=0.08) -> Mesh:
    hair = radius / 1000  # the axis
    return revolved(
        [(hair, 0.0), (0.04, 0.0), (0.04, 0.01), (radius, 0.01), (radius, height), (hair, height)]
    )


def cup(radius=0.04, height=0.1, wall=0.004) -> Mesh:
    hair, inner = radius / 1000, radius - wall
    outside = [(hair, 0.0), (radius, 0.0), (radius, height)]
    return revolved([*outside, (inner, height), (inner, wall), (hair, wall)])


def box_corners(size) -> np.ndarray:
    return np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (0, 1)]) * size


def box(size=(0.03, 0.02, 0.01)) -> Mesh:
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    return box_corners(size), quads


def sheet_box(size=(0.3, 0.2, 0.1)) -> Mesh:
    """A box of sheets without thickness, open at the top."""
    corners, quads = box(size)
    return corners, quads[:-1]


def obj(*meshes: Mesh) -> str:
    """The meshes in one file with Z up, which overlap if they do."""
    lines, start = [], 1
    for corners, faces in meshes:
        lines += ["v " + " ".join(map(repr, corner)) for corner in corners.tolist()]
        lines += ["f " + " ".join(str(start + i) for i in face) for face in faces]
        start += len(corners)
    return "\n".join(lines) + "\n"


def triangles(mesh: Mesh) -> np.ndarray:
    """(t, 3) indices of the corners."""
    return np.array([t for a, b, c, d in mesh[1] for t in ((a, b, c), (a, c, d))])
