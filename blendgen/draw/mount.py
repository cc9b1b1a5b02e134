"""Mount: a camera that is mounted above the surface, and products that pass under it.

In: the points of the products around the origin of the world, the surface and the streams of a shot. Out: the
Camera, and the shift of the products along the surface that brings them to their sampled place in its frame.
The nominal optical axis meets the surface in its middle; within the mount's tolerances, the camera is off its
nominal position and turned.
"""

from __future__ import annotations

import math

import numpy as np

from blendgen.draw.camera import Lens, camera_of, draw_lens
from blendgen.draw.framing import OFFSET_STEPS, box_in_image
from blendgen.draw.sampler import Sampler
from blendgen.errors import InfeasibleDraw, Reason
from blendgen.geometry.arrays import Array2, Array3, Matrix3x3, PointsN2, PointsN3
from blendgen.geometry.projection import angles_of, camera_rotation, rotation_about
from blendgen.scene.ground import Surface
from blendgen.scene.kinds.surfaces import SURFACE_KINDS, SURFACE_RIM_M
from blendgen.scene.shot import Camera
from blendgen.spec.model import Spec

_BELT_REACH_M = 3.0  # along a belt, so that no camera sees its ends
_STEPS, _CLOSE, _INSIDE = 30, 1e-10, 1e-9
_MIN_DEPTH = 0.02  # of the products, as a share of the camera's height


def draw_mounted(
    spec: Spec, points_m: PointsN3, extent_m: PointsN3, surface: Surface, sampler: Sampler
) -> tuple[Camera, tuple[float, float]]:
    """The camera of one shot, and the (x, y) shift of the products in metres.

    points_m: (n, 3) of the products, around the origin; extent_m: of all objects on the surface

    raises: InfeasibleDraw where the products do not fit into the frame or onto the surface
    """
    lens = draw_lens(spec, sampler)
    offset = np.array(sampler.value(spec.camera.subject_offset, "camera.subject_offset"))
    rotation, place_m, angles = _pose(spec, sampler)
    shift = _shift(points_m, extent_m, rotation, place_m, lens, offset, surface)
    moved, position = (points_m + [*shift, 0.0]) @ rotation.T, rotation @ place_m
    to_surface = place_m[2] / -rotation[2, 2]
    camera = camera_of(lens, rotation, position, angles, moved, to_surface * (1 + lens.focus_error))
    return camera.model_copy(update={"mount": sampler.mount}), (float(shift[0]), float(shift[1]))


def _pose(spec: Spec, sampler: Sampler) -> tuple[Matrix3x3, Array3, tuple[float, float, float]]:
    """Rotation world -> camera, position in the world, and (azimuth, elevation, roll) in degrees."""
    names = ("height_m", "tilt_deg", "azimuth_deg", "roll_deg", "mount_tolerance_m", "mount_tolerance_deg")
    height, tilt, azimuth, roll, reach_m, reach_deg = (
        sampler.value(spec.camera.sampled(name), f"camera.{name}") for name in names
    )
    nominal = camera_rotation(azimuth, 90 - tilt, roll)
    place = -nominal[2] * height / -nominal[2, 2] + _in_ball(reach_m, "camera.mount_tolerance_m.at", sampler)
    if reach_deg == 0:
        return nominal, place, (azimuth, 90 - tilt, roll)
    turn_deg = _in_ball(reach_deg, "camera.mount_tolerance_deg.at", sampler)
    rotation = rotation_about(turn_deg) @ nominal
    return rotation, place, _angles(rotation)


def _angles(rotation: Matrix3x3) -> tuple[float, float, float]:
    """Azimuth, elevation and roll in degrees of a (3, 3) rotation world -> camera."""
    azimuth, elevation = angles_of(-rotation[2])
    right, down, _ = camera_rotation(azimuth, elevation, 0)
    return azimuth, elevation, math.degrees(math.atan2(rotation[0] @ down, rotation[0] @ right))


def _in_ball(radius: float, name: str, sampler: Sampler) -> Array3:
    """(3,) point, uniform in a ball."""
    outward, height, turn = sampler.u(name, 3)
    z, angle = 2 * height - 1, 2 * math.pi * turn
    ring = math.sqrt(1 - z * z)
    return radius * outward ** (1 / 3) * np.array([ring * math.cos(angle), ring * math.sin(angle), z])


def _shift(
    points_m: PointsN3,
    extent_m: PointsN3,
    rotation: Matrix3x3,
    place_m: Array3,
    lens: Lens,
    offset: Array2,
    surface: Surface,
) -> Array2:
    """(2,) shift that brings the products to their offset in the frame; all of them are visible and on the
    surface.

    The offset is reduced in steps where the lens or the tilt would push a part of them out of the frame.
    """
    if (place_m[2] - points_m[:, 2].max()) < _MIN_DEPTH * place_m[2]:
        raise InfeasibleDraw(
            Reason.CAMERA_IN_PRODUCTS,
            f"camera.height_m: at {place_m[2]:g} m the camera is inside the products, which are "
            f"{points_m[:, 2].max():g} m high; raise it",
        )
    turned = points_m @ rotation.T
    off_surface = False
    for share in OFFSET_STEPS:
        shift = _shift_to_offset(turned, rotation, place_m, lens, share * offset)
        on_surface = _on(surface, extent_m, shift)
        if _whole(turned, rotation, place_m, lens, on_surface):
            return on_surface
        off_surface |= _whole(turned, rotation, place_m, lens, shift)
    if off_surface:
        raise InfeasibleDraw(
            Reason.PRODUCTS_OFF_SURFACE,
            "camera.tilt_deg: to be in the frame, the products would have to lie beyond the edge of the "
            "surface; lower camera.tilt_deg, mount_tolerance_deg or mount_tolerance_m, or raise "
            "surface.width_m",
        )
    raise InfeasibleDraw(
        Reason.PRODUCTS_OUT_OF_FRAME,
        f"camera.height_m: from {place_m[2]:g} m the products do not fit into the frame of a lens of "
        f"{lens.focal_length_mm:g} mm; raise camera.height_m or lower camera.focal_length_mm",
    )


def _on(surface: Surface, points_m: PointsN3, shift: Array2) -> Array2:
    """The shift, reduced where it would push the products over an edge of the surface."""
    kind = SURFACE_KINDS[surface.kind]
    if not kind.has_edges:
        return shift
    yaw = math.radians(surface.yaw_deg)
    axes = np.array([(math.cos(yaw), math.sin(yaw)), (-math.sin(yaw), math.cos(yaw))])  # across, along
    halves = np.array([surface.width_m / 2, _BELT_REACH_M if kind.belt else surface.width_m / 2])
    reach = np.abs(points_m[:, :2] @ axes.T).max(axis=0)
    free = np.maximum(halves - SURFACE_RIM_M - reach, 0.0)
    return np.clip(axes @ shift, -free, free) @ axes


def _shift_to_offset(
    turned: PointsN3, rotation: Matrix3x3, place_m: Array3, lens: Lens, offset: Array2
) -> Array2:
    """(2,) shift that brings the products' box to its place in the frame, found by Newton's method.

    turned: (n, 3) points, rotated like the camera
    """
    shift = place_m[:2] - rotation[2, :2] * place_m[2] / rotation[2, 2]
    step = 1e-5 * place_m[2]
    for _ in range(_STEPS):
        miss = _miss(turned, rotation, place_m, lens, offset, shift)
        if np.abs(miss).max() < _CLOSE:
            break
        along = [(_miss(turned, rotation, place_m, lens, offset, shift + step * axis) - miss) / step
                 for axis in np.eye(2)]  # fmt: skip
        shift = shift - np.linalg.solve(np.stack(along, axis=1), miss)
    return shift


def _miss(
    turned: PointsN3, rotation: Matrix3x3, place_m: Array3, lens: Lens, offset: Array2, shift: Array2
) -> Array2:
    """(2,) distance of the middle of the products' box from its place, in the image plane at z = 1."""
    low, high = _box(turned, rotation, place_m, lens, shift)
    free = np.maximum(lens.half - (high - low) / 2, 0.0)
    return (low + high) / 2 - offset * free


def _whole(turned: PointsN3, rotation: Matrix3x3, place_m: Array3, lens: Lens, shift: Array2) -> bool:
    return bool(np.all(np.abs(_box(turned, rotation, place_m, lens, shift)) <= lens.half + _INSIDE))


def _box(turned: PointsN3, rotation: Matrix3x3, place_m: Array3, lens: Lens, shift: Array2) -> PointsN2:
    """The products' box in the image; not the products are shifted, but the camera, the other way."""
    return box_in_image(turned, rotation @ (place_m - [*shift, 0.0]), lens.distortion)
