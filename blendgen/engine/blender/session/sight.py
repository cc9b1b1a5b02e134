"""Sight: which keypoints the camera sees, by rays through the meshes of the scene.

In: a Shot whose objects are in the scene. Out: one bool for each keypoint. Surfaces that are cut out by a
texture's alpha count as solid here.
"""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Vector

from blendgen.engine.blender.session.models import Models
from blendgen.engine.blender.session.stage import evaluated
from blendgen.geometry.projection import inverse_rigid, transform_points
from blendgen.scene.shot import PlacedProduct, Shot

# a hit this close before a point is the point itself; share of the product's largest side
_AT_THE_POINT = 5e-4
_MAX_UNSEEN = 64  # lamps and other invisible objects on one ray


def keypoints_seen(shot: Shot, models: Models, layer: bpy.types.ViewLayer) -> dict[int, np.ndarray]:
    """instance id -> (n,) bool, in the order of the product's keypoints; layer: that of the picture."""
    camera_m = inverse_rigid(shot.camera.world_to_camera)[:3, 3]
    depsgraph = evaluated(layer)
    return {placed.instance_id: _are_visible(placed, models, camera_m, depsgraph) for placed in shot.products}


def _are_visible(placed: PlacedProduct, models: Models, camera_m: np.ndarray, depsgraph) -> np.ndarray:
    points = [keypoint.position_m for keypoint in models.keypoints(placed)]
    world = transform_points(placed.object_to_world, np.reshape(points, (-1, 3)))
    slack_m = _AT_THE_POINT * max(placed.size_m)
    return np.array([_free(camera_m, point, slack_m, depsgraph) for point in world], bool)


def _free(camera_m: np.ndarray, point: np.ndarray, slack_m: float, depsgraph) -> bool:
    """Whether nothing visible is between the camera and the point."""
    origin, towards = Vector(camera_m), Vector(point - camera_m)
    left_m = towards.length - slack_m
    direction = towards.normalized()
    for _ in range(_MAX_UNSEEN):
        hit, place, _, _, thing, _ = bpy.context.scene.ray_cast(
            depsgraph, origin, direction, distance=max(left_m, 0.0)
        )
        if not hit:
            return True
        if thing.visible_camera:
            return False
        left_m -= (place - origin).length + slack_m
        origin = place + direction * slack_m
    return False
