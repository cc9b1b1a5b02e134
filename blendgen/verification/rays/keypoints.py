"""Keypoints: whether points on products are visible, by rays.

In: the RayScene of a row and world points. Out: VISIBLE, HIDDEN or UNDECIDED, and keypoints of rows that
disagree. A point is visible if rays hit nothing in front of it. It is undecided where a tenth of a pixel
makes the difference: at the edge of what hides it, near the border of the image, or where the hit is hardly
in front of the point.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import numpy as np

from blendgen.errors import GeometryError
from blendgen.geometry.projection import project, transform_points
from blendgen.scene.row import Row
from blendgen.scene.shot import PlacedProduct
from blendgen.verification.rays.cast import RayScene
from blendgen.verification.rays.pixel_rays import pixel_size

# a point is on its surface within single precision; thin layers may be right above it
_ON_SURFACE_M = 0.00002
_IN_FRONT_M = 0.0015
_OFFSET_PX = 0.1
_POSITION_PX = 0.05
# visibility as in COCO: 0 not in the image, 1 hidden, 2 visible
_OUTSIDE, _HIDDEN, _VISIBLE = 0, 1, 2


class Sight(Enum):
    VISIBLE = "visible"
    HIDDEN = "hidden"
    UNDECIDED = "undecided"


def sight(scene: RayScene, point_camera_m: np.ndarray, pixel: float) -> Sight:
    """Whether a point on a surface is visible for the camera.

    point_camera_m: (3,) camera coordinates; pixel: side of a pixel in the image plane at z = 1
    """
    x, y, z = point_camera_m
    if z <= 0:
        return Sight.HIDDEN
    steps = np.array([(dx, dy) for dx in (0, -1, 1) for dy in (0, -1, 1)]) * (_OFFSET_PX * pixel)
    hits = scene.first_hits(np.array([x, y]) / z + steps)
    if hits.unsure.any():
        return Sight.UNDECIDED
    in_front_m = z - hits.depth_m
    if in_front_m[0] <= _ON_SURFACE_M and (in_front_m < _IN_FRONT_M).all():
        return Sight.VISIBLE
    return Sight.HIDDEN if (in_front_m > _IN_FRONT_M).all() else Sight.UNDECIDED


def keypoint_faults(
    row: Row, number: int, placed: PlacedProduct, positions_m: Sequence[tuple | None], scene: RayScene
) -> tuple[list[str], int, int]:
    """(faults of an object's keypoints, number of compared keypoints, number of undecided ones).

    positions_m: product frame, in the order of the row's keypoints; None for one that this product lacks
    """
    faults: list[str] = []
    checked, undecided = 0, 0
    if row.objects.keypoints is None:
        return faults, checked, undecided
    keypoints = np.reshape(row.objects.keypoints[number], (-1, 3))
    for one, (entry, position) in enumerate(zip(keypoints, positions_m, strict=True)):
        if position is None:
            continue
        checked += 1
        world = transform_points(placed.object_to_world, [position])
        place = f"object {number}, keypoint {one}"
        fault, decided = _fault(row, entry, world, scene)
        undecided += not decided
        faults += [f"{place}: {fault}"] if fault else []
    return faults, checked, undecided


def _fault(row: Row, entry, world, scene: RayScene) -> tuple[str | None, bool]:
    """(what is wrong, or None; whether this could be decided)."""
    camera, visibility = row.camera, int(entry[2])
    try:
        (pixel,) = project(world, camera.intrinsics, camera.world_to_camera, camera.distortion)
    except GeometryError:
        return (None if visibility == _OUTSIDE else "is behind the camera"), True
    size = np.array((row.width, row.height))
    if np.any(pixel < 0.5) or np.any(pixel > size - 0.5):
        outside = np.any(pixel < -0.5) or np.any(pixel > size + 0.5)
        return ("is not in the image" if outside and visibility == _VISIBLE else None), bool(outside)
    if visibility == _OUTSIDE:
        return "is in the image, but has visibility 0", True
    if np.abs(entry[:2] - pixel).max() > _POSITION_PX:
        return f"is at {pixel.round(2).tolist()}, not {np.round(entry[:2], 2).tolist()}", True
    (point,) = transform_points(camera.world_to_camera, world)
    result = sight(scene, point, pixel_size(row))
    if result is Sight.UNDECIDED:
        return None, False
    if (result is Sight.VISIBLE) != (visibility == _VISIBLE):
        return f"is {result.value}, but has visibility {visibility}", True
    return None, True
