"""Visibility: how much of a product a camera sees, told before anything is rendered.

In: polytopes in the world and a camera without distortion. Out: rays through a product's box in the
image, and which of them meet it first. Polytopes are a little larger than the products: the answer
serves to arrange a scene, and the rendered masks have the last word.
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

    directions: (n, 3) in the world; seen: (n,) whether nothing else is met before
    """

    directions: PointsN3
    seen: MaskN

    @property
    def visible_fraction(self) -> float:
        return float(self.seen.mean()) if len(self.seen) else 0.0

    def behind(self, polytope: Polytope, origin: Array3) -> Sight:
        """What is seen once a polytope stands between a camera at origin and the product."""
        free = self.seen.copy()
        free[self.seen] = np.isinf(_entry(polytope, origin, self.directions[self.seen]))
        return Sight(self.directions, free)


def sight_of(subject: Polytope, others: list[Polytope], camera: Camera) -> Sight:
    """The rays that meet the subject; others: what may stand before it."""
    camera_to_world = inverse_rigid(camera.world_to_camera)
    seen_at = transform_points(camera.world_to_camera, subject.corners_m)
    image = seen_at[:, :2] / np.maximum(seen_at[:, 2:], 1e-6)
    low, high = image.min(axis=0), image.max(axis=0)
    steps = (np.arange(_RAYS_A_SIDE) + 0.5) / _RAYS_A_SIDE
    across = np.stack(np.meshgrid(*(low + np.outer(steps, high - low)).T), axis=-1).reshape(-1, 2)
    directions = np.column_stack([across, np.ones(len(across))]) @ camera_to_world[:3, :3].T
    origin = camera_to_world[:3, 3]
    depth = _entry(subject, origin, directions)
    met = np.isfinite(depth)
    seen = np.ones(int(met.sum()), dtype=bool)
    for other in others:
        seen &= _entry(other, origin, directions[met]) >= depth[met]
    return Sight(directions[met], seen)


def _entry(polytope: Polytope, origin: Array3, directions: PointsN3) -> ArrayN:
    """(n,) depth at which each ray enters the polytope; inf where it misses."""
    along = directions @ polytope.normals.T
    room = polytope.offsets_m - polytope.normals @ origin
    with np.errstate(divide="ignore", invalid="ignore"):
        at = room / along
    enter = np.where(along < 0, at, -np.inf).max(axis=1)
    leave = np.where(along > 0, at, np.inf).min(axis=1)
    beside = ((along == 0) & (room < 0)).any(axis=1)
    return np.where((enter <= leave) & (leave > 0) & ~beside, np.maximum(enter, 0.0), np.inf)
