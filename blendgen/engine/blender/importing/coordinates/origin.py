"""Origin: whether coordinates are near enough to the origin for single precision. Does not load bpy.

Blender stores coordinates as float32, whose step is 2^-23 of the distance from the origin: half a metre at
5,000 km. In: coordinates in double precision. Out: what to subtract from them, or why they cannot be used.
"""

from __future__ import annotations

import re

import numpy as np

NOT_FINITE = "coordinates that are not finite numbers (NaN or infinity)"
NOT_FINITE_TEXT = re.compile(rb"nan|inf|#", re.I)  # as programs write them, such as 1.#QNAN
# distances, in sizes of the model: a step of 1e-5 of the size is invisible, also in normals of small faces
FAR = 64.0
_COARSEST = 1e-3  # largest step, as a part of the size
# the squared distance of two points, at most 12 times that of a coordinate, is finite in single precision
_LARGEST = float(np.sqrt(np.finfo(np.float32).max / 12))


def coordinate_fault(values: np.ndarray) -> str | None:
    """Why coordinates cannot be used, in one line; None if nothing is wrong."""
    if not np.isfinite(values).all():
        return NOT_FINITE
    largest = float(np.abs(values).max(initial=0))
    if largest > _LARGEST:
        return f"coordinates as large as {largest:.0e}, which overflow in single precision"
    return None


def shift_to_origin(points: np.ndarray) -> np.ndarray:
    """(3,) to subtract from (n, 3) points that are far from the origin, compared with their size; else zeros.

    The middle half of the points decides: a single point far from all others does not count.
    """
    middle, size = _place_and_size(points)
    return middle if np.abs(middle).max() > FAR * size > 0 else np.zeros(3)


def lost_precision(points: np.ndarray, all_points: np.ndarray, unit: str) -> str | None:
    """Why (n, 3) points that were stored in single precision have lost their shape; None if they have not.

    all_points: of the whole model, in any place; unit: of both, for the message
    """
    middle, size = _place_and_size(points)[0], _place_and_size(all_points)[1]
    distance = float(np.abs(middle).max())
    step = float(np.spacing(np.float32(distance)))
    if not step > _COARSEST * size > 0:
        return None
    return (
        f"its vertices are {distance:,.0f} {unit} from its origin, where single precision has steps of "
        f"{step:.2g} {unit}; move it to the origin in the program that made it, and export it again"
    )


def _place_and_size(points: np.ndarray) -> tuple[np.ndarray, float]:
    if not len(points):
        return np.zeros(3), 0.0
    low, middle, high = np.percentile(points, (25, 50, 75), axis=0)
    return middle, float((high - low).max() or np.ptp(points, axis=0).max())
