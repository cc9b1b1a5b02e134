"""Camera: the lens and the pose of a camera that points at the products.

In: the points of the products and the streams of a shot. Out: a Camera whose frame contains the products as
drawn. Viewing direction and lens are drawn first; framing.py then solves for the position. For a mounted
camera, mount.py instead solves for the place of the products.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blendgen.draw.framing import above_surface, box_in_image, framed, position_at_distance
from blendgen.draw.sampler import Sampler
from blendgen.errors import InfeasibleDraw
from blendgen.geometry.arrays import Array2, Array3, Matrix3x3, PointsN3
from blendgen.geometry.projection import (
    Coefficients,
    angles_of,
    camera_rotation,
    intrinsics_matrix,
    rigid,
    rows_of,
)
from blendgen.optics.distortion import require_pinhole
from blendgen.scene.shot import Camera
from blendgen.spec.camera import CameraSection, Distortion
from blendgen.spec.model import Spec


@dataclass(frozen=True)
class Lens:
    """A camera without its pose; half: (2,) half the frame in the image plane at z = 1."""

    resolution: tuple[int, int]
    focal_length_mm: float
    sensor_width_mm: float
    intrinsics: Matrix3x3
    half: Array2
    distortion: Coefficients
    f_number: float | None
    focus_error: float


def draw_camera(spec: Spec, points_world_m: PointsN3, sampler: Sampler) -> Camera:
    """The camera of one shot; points_world_m: (n, 3) hull vertices of all products."""
    section, lens = spec.camera, draw_lens(spec, sampler)
    azimuth_deg, elevation_deg = _viewpoint(section, sampler)
    roll_deg = sampler.value(section.sampled("roll_deg"), "camera.roll_deg")
    offset = np.array(sampler.value(section.subject_offset, "camera.subject_offset"))
    rotation = camera_rotation(azimuth_deg, elevation_deg, roll_deg)
    points, half = points_world_m @ rotation.T, lens.half
    if section.distance_m is not None:
        distance = sampler.value(section.distance_m, "camera.distance_m")
        position = above_surface(
            lambda reduced: position_at_distance(points, half, distance, reduced), offset, rotation
        )
    else:
        fill = sampler.value(section.sampled("frame_fill"), "camera.frame_fill")
        position = above_surface(
            lambda reduced: framed(points, half, fill, reduced, lens.distortion), offset, rotation
        )
    away = depth_of_middle(points, position)
    angles = (azimuth_deg, elevation_deg, roll_deg)
    return camera_of(lens, rotation, position, angles, points, away * (1 + lens.focus_error))


def draw_lens(spec: Spec, sampler: Sampler) -> Lens:
    section = spec.camera
    focal_length_mm = sampler.value(section.focal_length_mm, "camera.focal_length_mm")
    sensor_width_mm = sampler.value(section.sensor_width_mm, "camera.sensor_width_mm")
    intrinsics = intrinsics_matrix(focal_length_mm, sensor_width_mm, spec.resolution)
    half = np.array(spec.resolution) / 2 / intrinsics[0, 0]
    distortion = _distortion(section.distortion, sampler)
    _check_lens(intrinsics, spec, distortion, sampler)
    return Lens(
        resolution=spec.resolution,
        focal_length_mm=focal_length_mm,
        sensor_width_mm=sensor_width_mm,
        intrinsics=intrinsics,
        half=half,
        distortion=distortion,
        f_number=None if section.f_number is None else sampler.value(section.f_number, "camera.f_number"),
        focus_error=sampler.value(section.focus_error, "camera.focus_error"),
    )


def _check_lens(intrinsics: Matrix3x3, spec: Spec, distortion: Coefficients, sampler: Sampler) -> None:
    """Raises InfeasibleDraw for a lens that cannot be rendered; a mounted camera has it in every attempt."""
    try:
        require_pinhole(rows_of(intrinsics), spec.resolution, distortion)
    except InfeasibleDraw as fault:
        raise InfeasibleDraw(fault.reason, fault.message, permanent=sampler.mount is not None) from None


def camera_of(
    lens: Lens,
    rotation: Matrix3x3,
    position: Array3,
    angles: tuple[float, float, float],
    points: PointsN3,
    focus_m: float,
) -> Camera:
    """A camera as a Shot holds it.

    rotation: (3, 3) world -> camera; position, points: in a frame rotated like the camera
    angles: its azimuth, elevation and roll, degrees
    """
    azimuth_deg, elevation_deg, roll_deg = angles
    box = box_in_image(points, position, lens.distortion)
    return Camera(
        resolution=lens.resolution,
        intrinsics=rows_of(lens.intrinsics),
        world_to_camera=rows_of(rigid(rotation, -position)),
        focal_length_mm=lens.focal_length_mm,
        sensor_width_mm=lens.sensor_width_mm,
        azimuth_deg=azimuth_deg,
        elevation_deg=elevation_deg,
        roll_deg=roll_deg,
        frame_fill=float(max(np.ptp(box, axis=0) / (2 * lens.half))),
        distance_m=depth_of_middle(points, position),
        distortion=lens.distortion,
        f_number=lens.f_number,
        focus_m=focus_m,
    )


def depth_of_middle(points: PointsN3, position: Array3) -> float:
    """Depth of the middle of the points; both in a frame rotated like the camera."""
    return float((points.min(axis=0) + points.max(axis=0))[2] / 2 - position[2])


def _distortion(section: Distortion, sampler: Sampler) -> Coefficients:
    names = ("k1", "k2", "p1", "p2", "k3")
    k1, k2, p1, p2, k3 = (
        float(sampler.value(getattr(section, name), f"camera.distortion.{name}")) for name in names
    )
    return (k1, k2, p1, p2, k3)


def _viewpoint(section: CameraSection, sampler: Sampler) -> tuple[float, float]:
    direction = section.distribution("direction")
    if direction is not None:
        return angles_of(sampler.value(direction, "camera.direction"))
    azimuth = sampler.value(section.sampled("azimuth_deg"), "camera.azimuth_deg")
    return azimuth, sampler.value(section.sampled("elevation_deg"), "camera.elevation_deg")
