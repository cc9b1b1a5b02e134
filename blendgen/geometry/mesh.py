"""Mesh: the triangles of one object of a scene, as plain arrays.

An engine returns meshes so that its renders can be checked. They contain nothing of the materials except
which of them a camera ray may pass by alpha, since triangles alone do not decide what is visible there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blendgen.geometry.arrays import IntegersN, MaskN, Matrix4x4, PointsN3, TrianglesM3


@dataclass(frozen=True, eq=False)
class Mesh:
    """The triangles of one object.

    name: of the object in the engine
    vertices_m: (n, 3) float64, in the object's frame
    triangles: (m, 3) int32, vertex numbers
    slots: (m,) int32, the material slot of each triangle
    see_through: slots whose material may let a camera ray pass
    object_to_world: (4, 4) float64
    """

    name: str
    vertices_m: PointsN3
    triangles: TrianglesM3
    slots: IntegersN
    see_through: frozenset[int]
    object_to_world: Matrix4x4

    @property
    def may_be_passed(self) -> MaskN:
        """(m,) bool: triangles that a camera ray may pass."""
        return np.isin(self.slots, sorted(self.see_through))
