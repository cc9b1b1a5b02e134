"""Symmetry: rotations about axes -> the Symmetries of a product, and whether its shape has them.

All in the product frame. Only the convex hull is checked: it distinguishes a box from a bar, and a mug with a
handle from one without, but not paint or cavities.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from blendgen.models.product import Symmetries

MAX_TURNS = 60  # as an icosahedron has; a prism has twice as many as its fold
_SAME = 1e-7  # largest difference between the entries of equal matrices
_DIRECTIONS = 600
_BATCHES = 20  # so that a hull of 100,000 vertices takes little memory
_SAMPLES = 12  # rotations about a continuous axis
_GOLDEN = (1 + 5**0.5) / 2


@dataclass(frozen=True, eq=False)
class Turn:
    """A symmetry as the sidecar states it.

    axis: (3,) unit vector; through_m: (3,) a point of it
    fold: how many times a full turn maps the product onto itself; None: any rotation does
    """

    axis: np.ndarray
    through_m: np.ndarray
    fold: int | None

    def matrices(self) -> list[np.ndarray]:
        """(4, 4) each, those of a discrete symmetry, or samples of a continuous one."""
        if self.fold is None:
            angles = 2 * np.pi * ((np.arange(_SAMPLES) + 1) * _GOLDEN % 1)
        else:
            angles = 2 * np.pi * np.arange(1, self.fold) / self.fold
        return [turned(self.axis, self.through_m, angle) for angle in angles]


def turned(axis: np.ndarray, through_m: np.ndarray, angle_rad: float) -> np.ndarray:
    """(4, 4) rotation about an axis through a point (Rodrigues)."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    matrix = np.eye(4)
    matrix[:3, :3] += np.sin(angle_rad) * cross + (1 - np.cos(angle_rad)) * cross @ cross
    matrix[:3, 3] = through_m - matrix[:3, :3] @ through_m
    return matrix


def symmetries(turns: Iterable[Turn]) -> Symmetries:
    """Every rotation that the stated ones generate.

    raises: ValueError if there are too many, as from axes that are not compatible
    """
    turns = list(turns)
    continuous = tuple(
        (tuple(turn.axis.tolist()), tuple(turn.through_m.tolist())) for turn in turns if turn.fold is None
    )
    discrete = [turn for turn in turns if turn.fold is not None]
    most = max(MAX_TURNS, 2 * sum(turn.fold or 0 for turn in discrete))
    least = [turn.matrices()[0] for turn in discrete]
    return Symmetries(continuous, tuple(_rows(matrix) for matrix in _closed(least, most)))


def _closed(makers: list[np.ndarray], most: int) -> list[np.ndarray]:
    """The group that the matrices generate, without the identity."""
    group = [np.eye(4)]
    for one in group:  # it grows in the loop
        for made in (maker @ one for maker in makers):
            if np.abs(np.stack(group) - made).max(axis=(1, 2)).min() > _SAME:
                group.append(made)
        if len(group) > most:
            raise ValueError(
                "these axes and folds are not compatible: they generate infinitely many rotations"
            )
    return group[1:]


def _rows(matrix: np.ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in (np.round(matrix, 12) + 0.0).tolist())


def misfit_m(hull_m: np.ndarray, turn: Turn) -> float:
    """The largest distance between the turned hull and the hull itself, metres.

    hull_m: (n, 3)
    """
    directions = _directions()
    own = _reach(hull_m, directions)
    turns = (hull_m @ m[:3, :3].T + m[:3, 3] for m in turn.matrices())
    return max((float(np.abs(_reach(moved, directions) - own).max()) for moved in turns), default=0.0)


def _reach(points: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """(d,) how far points reach along each direction: a convex body's support function."""
    return np.concatenate([(few @ points.T).max(axis=1) for few in np.array_split(directions, _BATCHES)])


def _directions() -> np.ndarray:
    """(d, 3) unit vectors spread evenly (Fibonacci lattice), and those along the axes."""
    i = np.arange(_DIRECTIONS) + 0.5
    z, angle = 1 - 2 * i / _DIRECTIONS, 2 * np.pi * i * _GOLDEN
    ring = np.sqrt(1 - z * z)
    spread = np.stack([ring * np.cos(angle), ring * np.sin(angle), z], axis=1)
    return np.concatenate([spread, np.eye(3), -np.eye(3)])
