"""Solids: collects closed surfaces into one mesh, in millimetres, one material slot per face.

In: rings of points, or vertices and faces. Out: a mesh in metres in the product frame. Each solid keeps its
own vertices, so that solids may overlap; coincident points of one solid become one vertex, so that a ring may
shrink to a point; a solid that is inside out is flipped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import bpy
import numpy as np

_WELD_MM = 2e-4
_MM_M = 0.001
Place = Callable[[np.ndarray], np.ndarray]


class Solids:
    def __init__(self) -> None:
        self.slots: list[str] = []
        self._vertices: list[np.ndarray] = []
        self._faces: list[list[int]] = []
        self._face_slots: list[int] = []
        self._flat: list[bool] = []
        self._count = 0

    def rings(
        self,
        rings,
        slot: str | Sequence[str],
        loop: bool = False,
        caps: tuple[str, str] | None = None,
        place: Place | None = None,
    ) -> None:
        """A solid with its surface between consecutive rings.

        rings: (k, n, 3), closed polygons with their points in step
        slot: of all bands, or one per band
        loop: join the last ring to the first; otherwise both ends are closed with a face
        caps: slots of those two faces; default: those of the adjacent bands
        """
        rings = np.asarray(rings, dtype=np.float64)
        count, size = rings.shape[:2]
        bands = count if loop else count - 1
        slots = [slot] * bands if isinstance(slot, str) else list(slot)
        faces: list[tuple[int, ...]] = []
        face_slots: list[str] = []
        for band in range(bands):
            lower, upper = band * size, (band + 1) % count * size
            for i in range(size):
                j = (i + 1) % size
                faces.append((lower + i, lower + j, upper + j, upper + i))
            face_slots += [slots[band]] * size
        if not loop:
            faces += [tuple(reversed(range(size))), tuple(range((count - 1) * size, count * size))]
            face_slots += caps or (slots[0], slots[-1])
        self.add(rings.reshape(-1, 3), faces, face_slots, place)

    def add(self, vertices, faces, slot: str | Sequence[str], place: Place | None = None, flat=False):
        """A closed solid.

        faces: index tuples with consistent winding; slot: of all, or one per face; flat: not smooth
        """
        vertices = np.asarray(vertices, dtype=np.float64)
        vertices = place(vertices) if place else vertices
        faces = [tuple(face) for face in faces]
        slots = [slot] * len(faces) if isinstance(slot, str) else list(slot)
        vertices, faces, slots = _welded(vertices, faces, slots)
        if _volume(vertices, faces) < 0:
            faces = [tuple(reversed(face)) for face in faces]
        self._vertices.append(vertices)
        self._faces += [[index + self._count for index in face] for face in faces]
        self._face_slots += [self._slot(name) for name in slots]
        self._flat += [flat] * len(faces)
        self._count += len(vertices)

    def _slot(self, name: str) -> int:
        if name not in self.slots:
            self.slots.append(name)
        return self.slots.index(name)

    def lay_down(self) -> None:
        """Rotate everything that was built upright so that its top points to +Y."""
        self._vertices = [vertices[:, [0, 2, 1]] * (1, 1, -1) for vertices in self._vertices]

    def to_mesh(self, name: str, sharp_deg: float = 33.0) -> bpy.types.Mesh:
        """The mesh in metres, bounding box centred in x and y, lowest point at z = 0."""
        vertices = np.concatenate(self._vertices)
        low, high = vertices.min(axis=0), vertices.max(axis=0)
        shift = np.array([*(low + high)[:2] / 2, low[2]])
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata(((vertices - shift) * _MM_M).tolist(), [], self._faces)
        mesh.polygons.foreach_set("material_index", np.array(self._face_slots, dtype=np.int32))
        mesh.shade_smooth()
        mesh.polygons.foreach_set("use_smooth", ~np.array(self._flat))
        mesh.set_sharp_from_angle(angle=math.radians(sharp_deg))
        mesh.update()
        return mesh


def _welded(vertices: np.ndarray, faces: list, slots: list) -> tuple[np.ndarray, list, list]:
    """Merge coincident vertices; faces that lose their area are dropped."""
    keys = np.round(vertices / _WELD_MM).astype(np.int64)
    _, first, of = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    of = of.reshape(-1)
    new_faces, new_slots = [], []
    for face, slot in zip(faces, slots, strict=True):
        welded = [int(of[index]) for index in face]
        corners = tuple(a for a, b in zip(welded, welded[1:] + welded[:1], strict=True) if a != b)
        if len(set(corners)) == len(corners) >= 3:
            new_faces.append(corners)
            new_slots.append(slot)
    return vertices[first], new_faces, new_slots


def _volume(vertices: np.ndarray, faces: list) -> float:
    """Six times the volume that the faces enclose; negative for a solid that is inside out."""
    fans = [(face[0], b, c) for face in faces for b, c in pairwise(face[1:])]
    corners = (vertices - vertices.mean(axis=0))[np.array(fans)]
    return float(np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])))
