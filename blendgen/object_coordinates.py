"""Object coordinates: where on its product each pixel's surface lies.

In: a Film of a pinhole camera and its Shot. Out: NOCS: the box's middle is (0.5, 0.5, 0.5) and its diagonal
has the length 1, so that each coordinate is from 0 to 1.
source: Wang et al., Normalized Object Coordinate Space for category-level 6D pose (CVPR 2019)
"""

from __future__ import annotations

import numpy as np

from blendgen.film import Film
from blendgen.geometry import inverse_rigid, pixel_rays, transform_points
from blendgen.shot import Shot


def object_coordinates(film: Film, shot: Shot) -> np.ndarray:
    """(h, w, 3) float32, 0 where no product is seen."""
    camera = shot.camera
    rays = pixel_rays(camera.intrinsics, camera.resolution)
    camera_to_world = inverse_rigid(camera.world_to_camera)
    found = np.zeros(rays.shape, np.float32)
    for placed in shot.products:
        own = film.instance_id == placed.instance_id
        seen = rays[own] * film.depth_m[own, None].astype(np.float64)
        world_to_object = inverse_rigid(placed.object_to_world)
        points = transform_points(world_to_object, transform_points(camera_to_world, seen))
        middle = np.array([0.0, 0.0, placed.size_m[2] / 2])
        found[own] = (points - middle) / np.linalg.norm(placed.size_m) + 0.5
    return found
