"""Framing: positions of a camera from which the products fill its frame as drawn.

In: the points of the products, rotated into the frame of the camera, and the drawn values. Out: positions.
For a known viewing direction and lens, the position follows in closed form from the planes of the view
frustum: each touches the outermost point on its side. Only lenses that distort need iterations. No product
is cut off.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from blendgen.errors import InfeasibleDraw, Reason
from blendgen.geometry.arrays import Array2, Array3, Matrix3x3, PointsN2, PointsN3
from blendgen.geometry.projection import NO_DISTORTION, Coefficients, distort

# free space in front of the lens, as a share of the diameter of the products
_CLEARANCE = 0.1
_LOWEST_M = 0.002
OFFSET_STEPS = (1.0, 0.75, 0.5, 0.25, 0.0)
_HAIR = 1e-6
_CORRECTIONS, _FILL_TOLERANCE, _STEPS_A_SIDE = 20, 1e-4, 12


def above_surface(solve: Callable[[Array2], Array3 | None], offset: Array2, rotation: Matrix3x3) -> Array3:
    """The camera's position with the largest share of the offset that keeps it above the surface.

    An almost level camera that looks past the top of the products would be below the surface.

    solve: offset (2,) -> position (3,), or None where the offset is too large
    raises: InfeasibleDraw where the camera is below the surface at any offset
    """
    for share in OFFSET_STEPS:
        position = solve(share * offset)
        if position is not None and (rotation.T @ position)[2] > _LOWEST_M:
            return position
    raise InfeasibleDraw(
        Reason.CAMERA_BELOW_SURFACE,
        "camera.elevation_deg: the camera would be below the surface; raise camera.elevation_deg or "
        "camera.distance_m, or lower camera.frame_fill",
    )


def framed(
    points: PointsN3, half: Array2, fill: float, offset: Array2, distortion: Coefficients
) -> Array3 | None:
    """The position from which the box fills `fill` of the frame of the lens; None where, at this offset,
    the lens would push a part of the products out of the frame.

    Without distortion the solution is exact; with it, the fill of the pinhole is corrected until the
    distorted box has the wanted size.
    """
    if distortion == NO_DISTORTION:
        return position_for_fill(points, half, fill, offset)
    pinhole_fill = fill
    for _ in range(_CORRECTIONS):
        position = position_for_fill(points, half, pinhole_fill, offset)
        box = box_in_image(points, position, distortion)
        measured = float(max(np.ptp(box, axis=0) / (2 * half)))
        if abs(measured - fill) < _FILL_TOLERANCE:
            break
        pinhole_fill = float(np.clip(pinhole_fill * fill / measured, 0.01, 1.5))
    inside = np.all(np.abs(box) <= half + 1e-9)
    return position if inside or not np.any(offset) else None


def position_for_fill(points: PointsN3, half: Array2, fill: float, offset: Array2) -> Array3:
    """The position from which the box of the points fills `fill` of the tighter side of the frame.

    points: (n, 3) in a frame turned like the camera (X right, Y down, Z forward), metres
    half: (2,) half width and half height of the image plane at z = 1
    fill: 0 to 1; offset: (2,) in [-1, 1], where in the free room the box sits
    returns: (3,) position in that same frame; where a very wide lens would have to touch the
        products to fill that much, it keeps clear of them and fills less
    """
    candidates = []
    for axis in (0, 1):
        low, high = _window(half[axis], fill, offset[axis])
        # each side plane through the camera touches the outermost point on its side
        outermost_low = np.min(points[:, axis] - low * points[:, 2])
        outermost_high = np.max(points[:, axis] - high * points[:, 2])
        candidates.append((outermost_low - outermost_high) / (high - low))
    nearest = points[:, 2].min() - _CLEARANCE * np.linalg.norm(np.ptp(points, axis=0))
    z = min(*candidates, nearest)
    return np.array([*(_across(points, z, axis, half, offset) for axis in (0, 1)), z])


def position_at_distance(points: PointsN3, half: Array2, distance_m: float, offset: Array2) -> Array3:
    """The position at a distance (along the optical axis) from the middle of the points.

    raises: InfeasibleDraw where the products reach behind the camera
    """
    z = (points[:, 2].min() + points[:, 2].max()) / 2 - distance_m
    if points[:, 2].min() - z <= 0:
        raise InfeasibleDraw(
            Reason.CAMERA_IN_PRODUCTS,
            f"camera.distance_m: at {distance_m:g} m the camera is inside the products; raise it",
        )
    return np.array([*(_across(points, z, axis, half, offset) for axis in (0, 1)), z])


def _window(half_extent: float, fill: float, offset: float) -> tuple[float, float]:
    """The interval of one image axis (at z = 1) that the box takes."""
    centre = offset * half_extent * (1 - fill)
    return centre - fill * half_extent, centre + fill * half_extent


def _across(points: PointsN3, z: float, axis: int, half: Array2, offset: Array2) -> float:
    """Position along one axis, for a given z, at which the box is in the middle of its interval.

    Both edges of the projected box are monotone in the position, so bisection cannot fail.
    """
    depth = points[:, 2] - z

    def miss(position: float) -> float:
        image = (points[:, axis] - position) / depth
        low, high = image.min(), image.max()
        free = max(half[axis] - (high - low) / 2, 0.0)
        return (low + high) / 2 - offset[axis] * free

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


def box_in_image(points: PointsN3, position: Array3, distortion: Coefficients) -> PointsN2:
    """Lower and upper corner (2, 2) of the box of the points in the image plane at z = 1."""
    shifted = points - position
    image = shifted[:, :2] / shifted[:, 2:]
    if distortion != NO_DISTORTION:
        image = distort(_along_outline(image), distortion)
    return np.stack([image.min(axis=0), image.max(axis=0)])


def _along_outline(image: PointsN2) -> PointsN2:
    """Points along the outline of image points: a lens bends its sides outwards between the corners."""
    from scipy.spatial import ConvexHull

    # a sheet viewed edge-on is a line, which has no hull
    hair = _HAIR * np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)])
    wider = (image[:, None] + hair).reshape(-1, 2)
    corners = wider[ConvexHull(wider).vertices]
    steps = np.linspace(0, 1, _STEPS_A_SIDE, endpoint=False)[:, None, None]
    return ((1 - steps) * corners + steps * np.roll(corners, -1, axis=0)).reshape(-1, 2)
