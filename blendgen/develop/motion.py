"""Motion blur: everything that moves with the belt is blurred while the shutter is open.

In: sharp light and depth in the middle of the exposure. Out: the same light, with each moving point spread
evenly along its path on the sensor. Rails, frame and floor do not move, nor do occluders, whose light does
not enter the points that move behind them. Labels describe the middle of the exposure and stay exact,
because nothing is rendered again.
"""

from __future__ import annotations

import math

import numpy as np

from blendgen.geometry.projection import inverse_rigid, pixel_rays, transform_points
from blendgen.scene.ground import Surface
from blendgen.scene.kinds.surfaces import SURFACE_RIM_M
from blendgen.scene.shot import Camera

_TAPS_PER_PX, _MAX_TAPS = 1.0, 65
_BELT_DEPTH_M = 0.03  # points below are not on the belt


def motion_blur(
    radiance_linear: np.ndarray,
    depth_m: np.ndarray,
    camera: Camera,
    surface: Surface,
    time_s: float,
    still: np.ndarray | None = None,
) -> np.ndarray:
    """(h, w, 3) float32; camera is the pinhole that the light and depth were rendered with.

    time_s: how long the light shines; still: (h, w) bool, True for occluders, which do not move
    """
    path_m = surface.speed_m_per_s * time_s
    if path_m == 0:
        return radiance_linear
    from scipy.ndimage import map_coordinates

    path_px = _paths(depth_m, camera, surface, path_m)
    if still is not None:
        path_px[still] = 0.0
    longest = float(np.abs(path_px).max(initial=0.0))
    if longest < 0.05:
        return radiance_linear
    taps = min(_MAX_TAPS, 2 * math.ceil(longest * _TAPS_PER_PX / 2) + 1)
    rows, columns = np.mgrid[: depth_m.shape[0], : depth_m.shape[1]].astype(np.float64)
    # a moving point takes no light from a still one, and a still point only its own
    free = None if still is None else np.where(still, np.float32(0), np.float32(1))
    total, weight = np.zeros_like(radiance_linear), np.zeros(depth_m.shape, np.float32)
    for share in (np.arange(taps) + 0.5) / taps - 0.5:
        places = (rows + share * path_px[..., 1], columns + share * path_px[..., 0])
        taken = np.float32(1) if free is None else map_coordinates(free, places, order=1, mode="nearest")
        weight += taken
        for channel in range(3):
            light = radiance_linear[..., channel] if free is None else radiance_linear[..., channel] * free
            total[..., channel] += map_coordinates(light, places, order=1, mode="nearest")
    blurred = total / np.maximum(weight, 1e-6)[..., None]
    return (
        blurred if still is None else np.where((still | (weight < 1e-3))[..., None], radiance_linear, blurred)
    )


def _paths(depth_m: np.ndarray, camera: Camera, surface: Surface, path_m: float) -> np.ndarray:
    """(h, w, 2) displacement in pixels (x, y) of each pixel's point during the exposure."""
    hit = np.isfinite(depth_m)
    depth = np.where(hit, depth_m, 1.0)
    points_camera = pixel_rays(camera.intrinsics, camera.resolution) * depth[..., None]
    world = transform_points(inverse_rigid(camera.world_to_camera), points_camera.reshape(-1, 3))
    yaw = math.radians(surface.yaw_deg)
    travel_world = np.array([-math.sin(yaw), math.cos(yaw), 0.0]) * path_m
    travel = np.array(camera.world_to_camera)[:3, :3] @ travel_world
    # the derivative of the projection at the point, times its path
    focal_px = camera.intrinsics[0][0]
    moved = focal_px * (travel[:2] - points_camera[..., :2] / depth[..., None] * travel[2]) / depth[..., None]
    across = np.abs(world[:, :2] @ np.array([math.cos(yaw), math.sin(yaw)]))
    on_belt = (across <= surface.width_m / 2 - SURFACE_RIM_M) & (world[:, 2] > -_BELT_DEPTH_M)
    return np.where((hit & on_belt.reshape(hit.shape))[..., None], moved, 0.0)
