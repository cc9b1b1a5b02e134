"""Symmetry: turns about axes -> the Symmetries of a product, and whether its shape has them.

All in the product frame. The hull alone is looked at: it tells a box from a bar, and a mug with its
handle from one without, but not what is painted or what lies in a hollow.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from blendgen.models.product import Symmetries

MAX_TURNS = 60  # those of an icosahedron; a prism has twice as many as its fold
_SAME = 1e-7  # between the entries of two matrices
_DIRECTIONS = 600
_BATCHES = 20  # so that a hull of 100,000 vertices takes little memory
_SAMPLES = 12  # of the turns about an axis of any turn
_GOLDEN = (1 + 5**0.5) / 2


@dataclass(frozen=True, eq=False)
class Turn:
    """A symmetry as it was stated.

    axis: (3,) unit vector; through_m: (3,) a point of it
    fold: how many times a full turn brings the product onto itself; None: any turn does
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
    """(4, 4) turn about an axis through a point (Rodrigues)."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    matrix = np.eye(4)
    matrix[:3, :3] += np.sin(angle_rad) * cross + (1 - np.cos(angle_rad)) * cross @ cross
    matrix[:3, 3] = through_m - matrix[:3, :3] @ through_m
    return matrix


def symmetries(turns: Iterable[Turn]) -> Symmetries:
    """Every turn that the stated ones make together.

    raises: ValueError where they make too many, as axes do that do not fit together
    """
    turns = list(turns)
    continuous = tuple(
        (tuple(turn.axis.tolist()), tuple(turn.through_m.tolist())) for turn in turns if turn.fold is None
    )
    discrete = [turn for turn in turns if turn.fold is not None]
    most = max(MAX_TURNS, 2 * sum(turn.fold for turn in discrete))
    least = [turn.matrices()[0] for turn in discrete]
    return Symmetries(continuous, tuple(_rows(matrix) for matrix in _closed(least, most)))


def _closed(makers: list[np.ndarray], most: int) -> list[np.ndarray]:
    """The group that the matrices make, without the identity."""
    found = [np.eye(4)]
    for one in found:  # grows as it is walked
        for made in (maker @ one for maker in makers):
            if np.abs(np.stack(found) - made).max(axis=(1, 2)).min() > _SAME:
                found.append(made)
        if len(found) > most:
            raise ValueError("these axes and folds do not fit together: they make endlessly many turns")
    return found[1:]


def _rows(matrix: np.ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in (np.round(matrix, 12) + 0.0).tolist())


def misfit_m(hull_m: np.ndarray, turn: Turn) -> float:
    """How far, at most, the turned hull lies from the hull itself, metres.

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
