"""Mesh: triangles of one thing in a scene, as plain arrays.

What an engine tells of its geometry, for those who check what it renders. No materials but for one
fact: through which of them a camera may see by alpha, where triangles alone do not say what is seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Mesh:
    """One thing.

    name: as the engine calls it
    vertices_m: (n, 3) float64, in its own frame
    triangles: (m, 3) int32, vertex numbers
    slots: (m,) int32, the material slot of each triangle
    see_through: slots whose material may let a camera ray pass
    object_to_world: (4, 4) float64
    """

    name: str
    vertices_m: np.ndarray
    triangles: np.ndarray
    slots: np.ndarray
    see_through: frozenset[int]
    object_to_world: np.ndarray

    @property
    def may_be_passed(self) -> np.ndarray:
        """(m,) bool: triangles that a camera ray may pass."""
        return np.isin(self.slots, sorted(self.see_through))
