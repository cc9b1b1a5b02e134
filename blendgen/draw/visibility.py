"""Visibility: an estimate of the visible share of a product before anything is rendered.

In: polytopes in the world and a camera, whose distortion is ignored. Out: rays through the box of a product
in the image, and which of them meet it first. Polytopes are slightly larger than products: the estimate
helps to arrange a scene, and the rendered masks decide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blendgen.draw.polytope import Polytope
from blendgen.geometry.arrays import Array3, ArrayN, MaskN, PointsN3
from blendgen.geometry.projection import inverse_rigid, transform_points
from blendgen.scene.shot import Camera

_RAYS_A_SIDE = 40


@dataclass(frozen=True, eq=False)
class Sight:
    """Rays of a camera that meet a product.

    directions: (n, 3) in the world; unhidden: (n,) bool, True where nothing is in front of the product
    """

    directions: PointsN3
    unhidden: MaskN

    @property
    def visible_fraction(self) -> float:
        return float(self.unhidden.mean()) if len(self.unhidden) else 0.0

    def behind(self, polytope: Polytope, origin: Array3) -> Sight:
        """The sight with a polytope between a camera at origin and the product."""
        unhidden = self.unhidden.copy()
        unhidden[self.unhidden] = np.isinf(_entry(polytope, origin, self.directions[self.unhidden]))
        return Sight(self.directions, unhidden)


def sight_of(subject: Polytope, others: list[Polytope], camera: Camera) -> Sight:
    """The rays that meet the subject; others: what may hide it."""
    camera_to_world = inverse_rigid(camera.world_to_camera)
    corners_camera = transform_points(camera.world_to_camera, subject.corners_m)
    image = corners_camera[:, :2] / np.maximum(corners_camera[:, 2:], 1e-6)
    low, high = image.min(axis=0), image.max(axis=0)
    steps = (np.arange(_RAYS_A_SIDE) + 0.5) / _RAYS_A_SIDE
    across = np.stack(np.meshgrid(*(low + np.outer(steps, high - low)).T), axis=-1).reshape(-1, 2)
    directions = np.column_stack([across, np.ones(len(across))]) @ camera_to_world[:3, :3].T
    origin = camera_to_world[:3, 3]
    depth = _entry(subject, origin, directions)
    met = np.isfinite(depth)
    unhidden = np.ones(int(met.sum()), dtype=bool)
    for other in others:
        unhidden &= _entry(other, origin, directions[met]) >= depth[met]
    return Sight(directions[met], unhidden)


def _entry(polytope: Polytope, origin: Array3, directions: PointsN3) -> ArrayN:
    """(n,) depth at which each ray enters the polytope, or the first of its parts; inf where it misses."""
    depth = _entry_of_convex(polytope, origin, directions)
    if polytope.parts:
        near = np.isfinite(depth)
        entries = [_entry_of_convex(part, origin, directions[near]) for part in polytope.parts]
        depth[near] = np.min(entries, axis=0)
    return depth


def _entry_of_convex(polytope: Polytope, origin: Array3, directions: PointsN3) -> ArrayN:
    along = directions @ polytope.normals.T
    room = polytope.offsets_m - polytope.normals @ origin
    with np.errstate(divide="ignore", invalid="ignore"):
        at = room / along
    enter = np.where(along < 0, at, -np.inf).max(axis=1)
    leave = np.where(along > 0, at, np.inf).min(axis=1)
    misses = ((along == 0) & (room < 0)).any(axis=1)
    return np.where((enter <= leave) & (leave > 0) & ~misses, np.maximum(enter, 0.0), np.inf)
