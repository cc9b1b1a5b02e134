"""Cast: the first hits of a camera's rays, by Embree, without the renderer.

In: meshes with their instance ids in the labels (0 if a mesh is not a product), and the camera. Out: ids,
depth and amodal masks along any rays. Everything is in camera coordinates: rays start at the origin, where
single precision is finest, and depth is the ray's parameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from itertools import product

import numpy as np

from blendgen.errors import SetupError
from blendgen.geometry.mesh import Mesh
from blendgen.geometry.projection import transform_points


def require_embree() -> None:
    """Raises SetupError if the ray caster is not installed."""
    if find_spec("embreex") is None:
        raise SetupError("the ray check needs embreex to cast rays: pip install 'blendgen[audit]'")


@dataclass(frozen=True, eq=False)
class Solid:
    """A mesh with its pose; instance_id: its value in the labels, 0 for none."""

    instance_id: int
    mesh: Mesh
    object_to_world: np.ndarray


@dataclass(frozen=True, eq=False)
class Hits:
    """The first hits of rays, in the shape of the rays.

    instance_id: uint16, 0 where the hit is not on a product; depth_m: float64, inf without a hit
    unsure: the surface may be transparent for the camera, so it is not known what the camera sees
    """

    instance_id: np.ndarray
    depth_m: np.ndarray
    unsure: np.ndarray


class RayScene:
    """Solids in front of a camera.

    reach: (2,) half width and half height of the part of the image plane at z = 1 that rays will cross
    """

    def __init__(self, solids: Sequence[Solid], world_to_camera, reach):
        planes = _frustum(np.asarray(reach, float))
        placed = [(solid, _visible_triangles(solid, world_to_camera, planes)) for solid in solids]
        self._placed = [pair for pair in placed if len(pair[1].corners)]

    def first_hits(self, rays: np.ndarray) -> Hits:
        """rays: (..., 2) points of the image plane at z = 1."""
        number, depth, passed = self._cast(self._all, rays)
        ids = np.array([0, *(solid.instance_id for solid, _ in self._placed)], np.uint16)
        return Hits(ids[number + 1], depth, passed)

    def amodal_mask(self, instance_id: int, rays: np.ndarray) -> np.ndarray:
        """Whether each ray hits an instance, also where something is in front of it."""
        own = [triangles for solid, triangles in self._placed if solid.instance_id == instance_id]
        return self._cast(_Group(own), rays)[0] >= 0

    @cached_property
    def _all(self) -> _Group:
        return _Group([triangles for _, triangles in self._placed])

    def _cast(self, group: _Group, rays: np.ndarray):
        number, depth, passed = group.cast(rays.reshape(-1, 2))
        shape = rays.shape[:-1]
        return number.reshape(shape), depth.reshape(shape), passed.reshape(shape)


@dataclass(frozen=True, eq=False)
class _Triangles:
    """Triangles of a solid that rays may hit: (m, 3, 3) float64 corners in camera coordinates, and whether
    rays may pass through them."""

    corners: np.ndarray
    may_be_passed: np.ndarray


_NOTHING = _Triangles(np.empty((0, 3, 3)), np.empty(0, bool))


class _Group:
    """Solids in one Embree scene, numbered in their order."""

    def __init__(self, placed: Sequence[_Triangles]):
        from embreex.mesh_construction import TriangleMesh
        from embreex.rtcore_scene import EmbreeScene

        # robust: no ray slips through between two triangles that share an edge
        self._placed, self._scene = placed, EmbreeScene(robust=True)
        for triangles in placed:
            TriangleMesh(self._scene, triangles.corners.astype(np.float32))

    def cast(self, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Hits of (n, 2) rays: number of the solid or -1, depth in m or inf, whether they may go on."""
        directions = np.column_stack([rays, np.ones(len(rays))])
        number, passed = np.full(len(rays), -1), np.zeros(len(rays), bool)
        depth = np.full(len(rays), np.inf)
        if not self._placed:
            return number, depth, passed
        hits = self._scene.run(
            np.zeros(directions.shape, np.float32), directions.astype(np.float32), output=True
        )
        number = np.where(hits["primID"] >= 0, hits["geomID"].astype(np.int64), -1)
        for each in np.unique(number[number >= 0]):
            own = np.flatnonzero(number == each)
            triangles, hit = self._placed[each], hits["primID"][own]
            depth[own] = _plane_depth(triangles.corners[hit], directions[own], hits["tfar"][own])
            passed[own] = triangles.may_be_passed[hit]
        return number, depth, passed


def _frustum(reach: np.ndarray) -> np.ndarray:
    """(5, 3) planes through the camera; rays cannot hit what is completely behind one of them."""
    x, y = reach
    return np.array([(0, 0, 1), (1, 0, x), (-1, 0, x), (0, 1, y), (0, -1, y)], float)


def _visible_triangles(solid: Solid, world_to_camera, planes: np.ndarray) -> _Triangles:
    """The triangles of a solid that are not completely outside the frustum."""
    mesh = solid.mesh
    to_camera = np.asarray(world_to_camera, float) @ np.asarray(solid.object_to_world, float)
    if not len(mesh.triangles):
        return _NOTHING
    low, high = mesh.vertices_m.min(axis=0), mesh.vertices_m.max(axis=0)
    box = transform_points(to_camera, np.array(list(product(*zip(low, high, strict=True)))))
    if not (box @ planes.T >= 0).any(axis=0).all():
        return _NOTHING
    vertices = transform_points(to_camera, mesh.vertices_m)
    inside = vertices @ planes.T >= 0
    possible = inside[mesh.triangles].any(axis=1).all(axis=1)
    return _Triangles(vertices[mesh.triangles[possible]], mesh.may_be_passed[possible])


def _plane_depth(corners: np.ndarray, directions: np.ndarray, near_m: np.ndarray) -> np.ndarray:
    """Depth at which rays cross the planes of triangles, in double precision.

    near_m: the depth by Embree, which is returned if a ray is almost parallel to its plane
    """
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    across = np.einsum("ij,ij->i", normal, directions)
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = np.einsum("ij,ij->i", normal, corners[:, 0]) / across
    return np.where(np.abs(depth - near_m) < 1e-3 * near_m, depth, near_m)
