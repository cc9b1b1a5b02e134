"""Overscan: a wider camera at the same place, for the parts of products that the border cuts off.

In: a pinhole Camera and the products of its shot. Out: wider pinhole Cameras. Their pixels have the same
size, or a whole multiple of it where there would be too many.
"""

from __future__ import annotations

import math

import numpy as np

from blendgen.geometry.projection import intrinsics_matrix, rows_of, transform_points
from blendgen.scene.shot import Camera, PlacedProduct, Shot

WIDEST = 4.0
_MAX_PIXELS = 2**21  # each takes about 300 bytes during the render
_MARGIN_PX = 2
_NEAREST_SHARE = 1e-3  # of the camera's distance; nearer points are not projected


def widened(camera: Camera, resolution: tuple[int, int]) -> Camera:
    """A pinhole with the same optical axis and pixel size, and more pixels."""
    sensor_width_mm = camera.sensor_width_mm * resolution[0] / camera.resolution[0]
    return _with_resolution(camera.model_copy(update={"sensor_width_mm": sensor_width_mm}), resolution)


def _with_resolution(camera: Camera, resolution: tuple[int, int]) -> Camera:
    """The same sensor, divided into other pixels."""
    matrix = intrinsics_matrix(camera.focal_length_mm, camera.sensor_width_mm, resolution)
    return camera.model_copy(update={"resolution": resolution, "intrinsics": rows_of(matrix)})


def overscan_camera(shot: Shot) -> Camera:
    """The pinhole that sees all of every product, at most WIDEST times as wide as the camera of the shot.

    It adds pixels around those of the camera of the shot, or has coarser ones. Where no product reaches
    beyond the border, it is that camera itself.
    """
    camera = shot.camera
    half_px = np.array(camera.resolution) / 2
    max_px = WIDEST * half_px
    reach_px = half_px
    for placed in shot.products:
        reach_px = np.maximum(reach_px, _reach_px(placed, camera, max_px))
    beyond_px = np.minimum(np.where(reach_px > half_px, reach_px + _MARGIN_PX, half_px), max_px) - half_px
    # a whole number of pixels is added on each side, so that pixel centres stay where they were
    added = np.ceil(beyond_px).astype(int)
    resolution = np.array(camera.resolution) + 2 * added
    if not added.any():
        return camera
    step = math.ceil(math.sqrt(np.prod(resolution) / _MAX_PIXELS))
    if step <= 1:
        return widened(camera, tuple(resolution.tolist()))
    resolution = -(-resolution // step)
    whole = widened(camera, tuple((resolution * step).tolist()))
    return _with_resolution(whole, tuple(resolution.tolist()))


def coarseness(camera: Camera, wide: Camera) -> int:
    """Pixels of `camera` along one side of a pixel of its overscan `wide`."""
    return round(camera.intrinsics[0][0] / wide.intrinsics[0][0])


def frame_within(camera: Camera, wide: Camera) -> np.ndarray:
    """(H, W) float32 share of each pixel of `wide` that is in the image of `camera`; both are pinholes."""
    step = coarseness(camera, wide)
    columns, rows = (
        share_within((np.arange(side) + 0.5 - side / 2) * step, inner / 2, step)
        for side, inner in zip(wide.resolution, camera.resolution, strict=True)
    )
    return rows[:, None] * columns[None, :]


def share_within(middle_px: np.ndarray, half_px, width_px: float) -> np.ndarray:
    """float32 share of each pixel that is within half_px of 0.

    middle_px: the middles of the pixels; width_px: their width
    """
    return np.clip((half_px - np.abs(middle_px)) / width_px + 0.5, 0.0, 1.0).astype(np.float32)


def box_corners(size_m) -> np.ndarray:
    """(8, 3) corners of a product's box in its own frame, x before y before z, low before high."""
    x, y, z = size_m
    return np.array([(sx * x / 2, sy * y / 2, sz * z) for sx in (-1, 1) for sy in (-1, 1) for sz in (0, 1)])


def _reach_px(placed: PlacedProduct, camera: Camera, max_px: np.ndarray) -> np.ndarray:
    """(2,) largest distance, horizontally and vertically, of the product's box from the image centre."""
    world = transform_points(placed.object_to_world, box_corners(placed.size_m))
    corners = transform_points(camera.world_to_camera, world)
    if corners[:, 2].min() <= camera.distance_m * _NEAREST_SHARE:  # level with the camera or behind it
        return max_px
    focal_px = camera.intrinsics[0][0]
    return np.abs(corners[:, :2] / corners[:, 2:]).max(axis=0) * focal_px
