"""Projection: transforms, cameras, projections and boxes. This module fixes the conventions of the project.

The world is right-handed, Z up, in metres. Cameras are as in OpenCV: X right, Y down, Z forward.
The centre of the top-left pixel is (0.5, 0.5); a centred lens has cx = width / 2.
Arrays are (height, width); boxes are (x, y, width, height) in pixels. All values are float64.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from blendgen.errors import GeometryError
from blendgen.geometry.arrays import (
    Array3,
    FloatArray,
    MaskHW,
    MaskN,
    Matrix3x3,
    Matrix4x4,
    PointsN2,
    PointsN3,
    RaysHW3,
)

# k1, k2, p1, p2, k3 of Brown and Conrady
Coefficients = tuple[float, float, float, float, float]
NO_DISTORTION: Coefficients = (0.0, 0.0, 0.0, 0.0, 0.0)
_FOLDED = (
    "camera.distortion: too strong, the image folds over; use a smaller k1, or a k2 of the opposite sign"
)


def intrinsics_matrix(
    focal_length_mm: float, sensor_width_mm: float, resolution: tuple[int, int]
) -> Matrix3x3:
    """Pinhole intrinsics of a centred lens with square pixels.

    resolution: (width, height) in pixels
    returns: (3, 3) float64, pixels
    """
    width, height = resolution
    focal_px = focal_length_mm / sensor_width_mm * width
    return np.array([[focal_px, 0, width / 2], [0, focal_px, height / 2], [0, 0, 1.0]])


def camera_rotation(azimuth_deg: float, elevation_deg: float, roll_deg: float) -> Matrix3x3:
    """Rotation world -> camera of a camera that looks at its target.

    azimuth_deg, elevation_deg: position of the camera, seen from the target; azimuth 0 is +X,
    90 is +Y; elevation 90 looks straight down (image right is then still the +azimuth direction)
    roll_deg: rotation about the optical axis, clockwise as seen from behind the camera
    returns: (3, 3) float64, rows are the camera's X (right), Y (down) and Z (forward) in world
    """
    azimuth, roll = np.radians([azimuth_deg, roll_deg])
    backward = direction_of(azimuth_deg, elevation_deg)
    right = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
    down = np.cross(-backward, right)
    turned_right = np.cos(roll) * right + np.sin(roll) * down
    turned_down = np.cos(roll) * down - np.sin(roll) * right
    return np.stack([turned_right, turned_down, -backward])


def direction_of(azimuth_deg: float, elevation_deg: float) -> Array3:
    """(3,) unit vector of a direction; azimuth 0 is +X, 90 is +Y; elevation 90 is +Z."""
    azimuth, elevation = np.radians([azimuth_deg, elevation_deg])
    return np.array(
        [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)]
    )


def angles_of(direction: Iterable[float]) -> tuple[float, float]:
    """(azimuth_deg, elevation_deg) of a unit vector; inverse of `direction_of`."""
    x, y, z = (float(v) for v in direction)
    return float(np.degrees(np.arctan2(y, x))), float(np.degrees(np.arcsin(np.clip(z, -1, 1))))


def rows_of(matrix: Iterable[Iterable[float]]) -> tuple[tuple[float, ...], ...]:
    """The rows of a matrix as tuples of floats, as in a Shot."""
    return tuple(tuple(float(v) for v in row) for row in matrix)


def look_at_rotation(position_m: ArrayLike, target_m: ArrayLike) -> Matrix3x3:
    """Rotation world -> camera of a camera at position_m whose optical axis meets target_m."""
    backward = np.asarray(position_m, float) - np.asarray(target_m, float)
    distance = np.linalg.norm(backward)
    if distance == 0:
        raise GeometryError("a camera or lamp cannot look at its own position")
    return camera_rotation(*angles_of(backward / distance), 0)


def rigid(rotation: ArrayLike, translation: ArrayLike) -> Matrix4x4:
    """(4, 4) transform of a (3, 3) rotation followed by a translation (3,)."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = translation
    return matrix


def inverse_rigid(transform: ArrayLike) -> Matrix4x4:
    """Inverse of a (4, 4) rotation plus translation, without a general matrix inverse."""
    rotation, translation = np.asarray(transform)[:3, :3], np.asarray(transform)[:3, 3]
    return rigid(rotation.T, -rotation.T @ translation)


def rotation_about_z(angle_deg: float) -> Matrix3x3:
    """(3, 3) rotation about the world's Z axis, counter-clockwise seen from above."""
    angle = np.radians(angle_deg)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])


def rotation_about(turn_deg: ArrayLike) -> Matrix3x3:
    """(3, 3) rotation about an axis (3,) whose length is the angle in degrees (Rodrigues' formula)."""
    angle = np.radians(np.linalg.norm(turn_deg))
    if angle == 0:
        return np.eye(3)
    x, y, z = np.asarray(turn_deg, float) / np.linalg.norm(turn_deg)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def transform_points(transform: ArrayLike, points_m: ArrayLike) -> PointsN3:
    """Points (n, 3) after a (4, 4) transform."""
    matrix = np.asarray(transform, float)
    return np.asarray(points_m, float) @ matrix[:3, :3].T + matrix[:3, 3]


def distort(image_points: ArrayLike, distortion: Coefficients) -> FloatArray:
    """Distorted positions of points on the image plane at z = 1.

    image_points: (..., 2); distortion: (k1, k2, p1, p2, k3); returns: (..., 2)
    source: Brown, Close-range camera calibration (1971), in the form and order of OpenCV
    """
    k1, k2, p1, p2, k3 = distortion
    x, y = np.moveaxis(np.asarray(image_points, float), -1, 0)
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    return np.stack(
        [
            x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
            y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
        ],
        axis=-1,
    )


def undistort(image_points: ArrayLike, distortion: Coefficients) -> FloatArray:
    """Inverse of `distort`, by Newton's method.

    raises: GeometryError if the lens folds the image over, so that there is no inverse
    """
    distorted = np.asarray(image_points, float)
    points = distorted.copy()
    for _ in range(30):
        residual = distort(points, distortion) - distorted
        if np.abs(residual).max(initial=0.0) < 1e-12:
            break
        points = points - _newton_step(points, residual, distortion)
    if np.abs(distort(points, distortion) - distorted).max(initial=0.0) > 1e-9:
        raise GeometryError(_FOLDED)
    return points


def _newton_step(image_points: FloatArray, residual: FloatArray, distortion: Coefficients) -> FloatArray:
    """(..., 2) step to subtract from each point; the Jacobian of `distort` is symmetric."""
    k1, k2, p1, p2, k3 = distortion
    x, y = image_points[..., 0], image_points[..., 1]
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    slope = 2 * (k1 + r2 * (2 * k2 + r2 * 3 * k3))
    xx = radial + slope * x * x + 2 * p1 * y + 6 * p2 * x
    xy = slope * x * y + 2 * p1 * x + 2 * p2 * y
    yy = radial + slope * y * y + 6 * p1 * y + 2 * p2 * x
    determinant = xx * yy - xy * xy
    if np.any(determinant < 1e-3):
        raise GeometryError(_FOLDED)
    across, down = residual[..., 0], residual[..., 1]
    return np.stack([yy * across - xy * down, xx * down - xy * across], axis=-1) / determinant[..., None]


def within_lens(image_points: PointsN2, distortion: Coefficients) -> MaskN:
    """(n,) bool: which points (n, 2) of the image plane at z = 1 a lens can show.

    Far from the axis, a lens with strong coefficients folds the image back: the distorted path from the axis
    to such a point turns back.
    """
    if tuple(distortion) == NO_DISTORTION:
        return np.ones(len(image_points), bool)
    path = np.linspace(0, 1, 65)[:, None, None] * np.asarray(image_points, float)
    radius = np.linalg.norm(distort(path, distortion), axis=-1)
    return (np.diff(radius, axis=0) >= 0).all(axis=0)


def project(
    points_world_m: ArrayLike,
    intrinsics: ArrayLike,
    world_to_camera: ArrayLike,
    distortion: Coefficients = NO_DISTORTION,
) -> PointsN2:
    """Pixel positions of world points seen by a camera.

    points_world_m: (n, 3) float64, metres, world frame
    intrinsics: (3, 3) float64, pixels
    world_to_camera: (4, 4) float64, OpenCV camera
    distortion: of the lens, as in `distort`
    returns: (n, 2) float64, pixels; (0.5, 0.5) is the centre of the top-left pixel
    raises: GeometryError for a point on or behind the camera plane
    """
    points_camera = transform_points(world_to_camera, points_world_m)
    if np.any(points_camera[:, 2] <= 0):
        raise GeometryError("a point is on or behind the camera plane")
    image_points = distort(points_camera[:, :2] / points_camera[:, 2:], distortion)
    return image_points @ np.asarray(intrinsics, float)[:2, :2].T + np.asarray(intrinsics, float)[:2, 2]


def unproject(
    pixels: ArrayLike, depth_m: ArrayLike, intrinsics: ArrayLike, world_to_camera: ArrayLike
) -> PointsN3:
    """World points of pixel positions at a depth along the optical axis; inverse of `project`.

    pixels: (n, 2); depth_m: (n,) metres; returns: (n, 3) metres, world frame
    """
    pixels, depth = np.asarray(pixels, float), np.asarray(depth_m, float)
    homogeneous = np.column_stack([pixels, np.ones(len(pixels))])
    points_camera = homogeneous @ np.linalg.inv(np.asarray(intrinsics, float)).T * depth[:, None]
    return transform_points(inverse_rigid(world_to_camera), points_camera)


def pixel_rays(intrinsics: ArrayLike, resolution: tuple[int, int]) -> RaysHW3:
    """Directions through all pixel centres, camera frame, z = 1: (height, width, 3)."""
    x, y = np.meshgrid(*_pixel_centers(intrinsics, resolution))
    return np.stack([x, y, np.ones_like(x)], axis=-1)


def border_points(intrinsics: ArrayLike, resolution: tuple[int, int]) -> PointsN2:
    """(n, 2) centres of the outermost pixels on the image plane at z = 1, as `pixel_rays` has them."""
    x, y = _pixel_centers(intrinsics, resolution)
    sides = ((x, y[0]), (x, y[-1]), (x[0], y), (x[-1], y))
    return np.concatenate([np.stack(np.broadcast_arrays(*side), axis=-1) for side in sides])


def _pixel_centers(intrinsics: ArrayLike, resolution: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """(width,) x of the columns and (height,) y of the rows on the image plane at z = 1."""
    width, height = resolution
    (fx, _, cx), (_, fy, cy), _ = np.asarray(intrinsics, float)
    return (np.arange(width) + 0.5 - cx) / fx, (np.arange(height) + 0.5 - cy) / fy


def box_of_mask(mask: MaskHW) -> tuple[int, int, int, int]:
    """Tight (x, y, width, height) of the true pixels of (h, w); (0, 0, 0, 0) without any."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return (0, 0, 0, 0)
    x, y = int(columns[0]), int(rows[0])
    return (x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1)
