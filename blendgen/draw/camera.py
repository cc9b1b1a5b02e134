"""Camera: a pinhole camera whose frame holds the products exactly as large as drawn.

In: the products' points and a shot's streams. Out: a Camera. With the viewing direction and the
lens drawn first, the position follows in closed form from the planes of the view frustum: each
must touch the outermost point on its side. Nothing is searched, and nothing is ever cut off.
"""

from __future__ import annotations

import numpy as np

from blendgen.draw.sampler import Sampler
from blendgen.errors import GeometryError
from blendgen.geometry import angles_of, camera_rotation, intrinsics_matrix, rigid, rows_of
from blendgen.shot import Camera
from blendgen.spec.lighting import AZIMUTH_DEG
from blendgen.spec.model import CAMERA_ELEVATION_DEG, FRAME_FILL, CameraSection, Spec

# free room before the lens, as a share of the products' diameter
_CLEARANCE = 0.1
_LOWEST_M = 0.002


def draw_camera(spec: Spec, points_world_m: np.ndarray, sampler: Sampler) -> Camera:
    """The camera of one shot; points_world_m: (n, 3) hull vertices of all products."""
    section = spec.camera
    azimuth_deg, elevation_deg = _viewpoint(section, sampler)
    roll_deg = sampler.value(section.roll_deg, "camera.roll_deg")
    focal_length_mm = sampler.value(section.focal_length_mm, "camera.focal_length_mm")
    sensor_width_mm = sampler.value(section.sensor_width_mm, "camera.sensor_width_mm")
    aim = np.array(sampler.value(section.aim, "camera.aim"))
    rotation = camera_rotation(azimuth_deg, elevation_deg, roll_deg)
    intrinsics = intrinsics_matrix(focal_length_mm, sensor_width_mm, spec.resolution)
    points = points_world_m @ rotation.T
    half = np.array(spec.resolution) / 2 / intrinsics[0, 0]
    if section.distance_m is not None:
        solve, size = position_at_distance, sampler.value(section.distance_m, "camera.distance_m")
    else:
        solve, size = position_for_fill, sampler.value(section.frame_fill or FRAME_FILL, "camera.frame_fill")
    position = _above_surface(lambda aimed: solve(points, half, size, aimed), aim, rotation)
    return Camera(
        resolution=spec.resolution,
        intrinsics=rows_of(intrinsics),
        world_to_camera=rows_of(rigid(rotation, -position)),
        focal_length_mm=focal_length_mm,
        sensor_width_mm=sensor_width_mm,
        azimuth_deg=azimuth_deg,
        elevation_deg=elevation_deg,
        roll_deg=roll_deg,
        frame_fill=float(max(_spans(points, position)[1] / (2 * half))),
        distance_m=float((points.min(axis=0) + points.max(axis=0))[2] / 2 - position[2]),
    )


def _above_surface(solve, aim: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """The camera's position with as much of the aim as keeps it above the surface.

    A camera that looks almost level and aims over the products would stand below them.
    """
    for share in (1.0, 0.75, 0.5, 0.25, 0.0):
        position = solve(share * aim)
        if (rotation.T @ position)[2] > _LOWEST_M:
            return position
    raise GeometryError(
        "camera.elevation_deg: so low, the camera would stand below the surface; raise it, or the distance"
    )


def position_for_fill(points, half, fill: float, aim) -> np.ndarray:
    """Where the camera stands so that the points' box fills `fill` of the tighter side.

    points: (n, 3) in a frame turned like the camera (X right, Y down, Z forward), metres
    half: (2,) half width and half height of the image plane at z = 1
    fill: 0 to 1; aim: (2,) in [-1, 1], where in the free room the box sits
    returns: (3,) position in that same frame; where a very wide lens would have to touch the
        products to fill that much, it keeps clear of them and fills less
    """
    candidates = []
    for axis in (0, 1):
        low, high = _window(half[axis], fill, aim[axis])
        # each side plane through the camera touches the outermost point on its side
        outermost_low = np.min(points[:, axis] - low * points[:, 2])
        outermost_high = np.max(points[:, axis] - high * points[:, 2])
        candidates.append((outermost_low - outermost_high) / (high - low))
    nearest = points[:, 2].min() - _CLEARANCE * np.linalg.norm(np.ptp(points, axis=0))
    z = min(*candidates, nearest)
    return np.array([*(_across(points, z, axis, half, aim) for axis in (0, 1)), z])


def position_at_distance(points, half, distance_m: float, aim) -> np.ndarray:
    """Where the camera stands at a distance (along its axis) from the middle of the points.

    raises: GeometryError where the products reach behind the camera
    """
    z = (points[:, 2].min() + points[:, 2].max()) / 2 - distance_m
    if points[:, 2].min() - z <= 0:
        raise GeometryError(f"camera.distance_m: at {distance_m:g} m the camera stands inside the products")
    return np.array([*(_across(points, z, axis, half, aim) for axis in (0, 1)), z])


def _window(half_extent: float, fill: float, aim: float) -> tuple[float, float]:
    """The part of one image axis (at z = 1) that the box is to take."""
    centre = aim * half_extent * (1 - fill)
    return centre - fill * half_extent, centre + fill * half_extent


def _across(points, z: float, axis: int, half, aim) -> float:
    """Position along one axis, for a given z, at which the box sits in its window's middle.

    Both edges of the projected box are monotone in the position: a bisection cannot fail.
    """
    depth = points[:, 2] - z

    def miss(position: float) -> float:
        image = (points[:, axis] - position) / depth
        low, high = image.min(), image.max()
        free = max(half[axis] - (high - low) / 2, 0.0)
        return (low + high) / 2 - aim[axis] * free

    reach = np.ptp(points[:, axis]) + 4 * half[axis] * depth.max()
    middle = (points[:, axis].min() + points[:, axis].max()) / 2
    low, high = middle - reach, middle + reach
    for _ in range(60):
        position = (low + high) / 2
        if miss(position) > 0:
            low = position
        else:
            high = position
    return (low + high) / 2


def _spans(points, position) -> tuple[np.ndarray, np.ndarray]:
    """Lower corner and extent of the box of the points in the image plane at z = 1."""
    shifted = points - position
    image = shifted[:, :2] / shifted[:, 2:]
    return image.min(axis=0), np.ptp(image, axis=0)


def _viewpoint(section: CameraSection, sampler: Sampler) -> tuple[float, float]:
    if section.direction is not None:
        return angles_of(sampler.value(section.direction, "camera.direction"))
    azimuth = sampler.value(section.azimuth_deg or AZIMUTH_DEG, "camera.azimuth_deg")
    return azimuth, sampler.value(section.elevation_deg or CAMERA_ELEVATION_DEG, "camera.elevation_deg")
