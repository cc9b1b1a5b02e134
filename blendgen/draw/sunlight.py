"""Sunlight through an opening: where the edge of its patch falls, and what it counts for the meter.

In: a door or window that stands in line with the sun, and the products' points. Out: the same,
moved across the light so that its patch reaches as far over the products as drawn. No chance.
"""

from __future__ import annotations

import numpy as np

from blendgen.geometry.arrays import Array3, PointsN3
from blendgen.geometry.projection import rows_of
from blendgen.scene.openings import reached
from blendgen.scene.shot import Lamp

# the light on what lies within so many radii of the products counts
_METERED_RADII, _METERED_STEPS = 1.5, 25
_ABOVE_SURFACE_M = 0.02


def ball_round(points_world_m: PointsN3) -> tuple[Array3, float]:
    """Middle (3,) and radius of a ball that holds points (n, 3)."""
    low, high = points_world_m.min(axis=0), points_world_m.max(axis=0)
    return (low + high) / 2, float(np.linalg.norm(high - low)) / 2


def placed_opening(lamp: Lamp, points_world_m: PointsN3, share: float, side: int) -> Lamp:
    """The opening whose patch ends where `share` of the products, counted from one side, is lit.

    side: 1 or -1, from which side along the lamp's X the light reaches over them
    """
    pose = np.array(lamp.lamp_to_world)
    across, up, towards_sun = pose[:3, 0], pose[:3, 1], pose[:3, 2]
    # seen along the light the products reach from low to high
    outline = (points_world_m @ across) * side
    edge = outline.min() + share * np.ptp(outline)
    middle = side * (edge - lamp.size_m[0] / 2)
    pose[:3, 3] += across * (middle - pose[:3, 3] @ across)
    # an opening that reached below the surface would be cut off by it
    lowest = pose[2, 3] - lamp.size_m[1] / 2 * up[2]
    pose[:3, 3] += towards_sun * max(0.0, _ABOVE_SURFACE_M - lowest) / towards_sun[2]
    placed = lamp.model_copy(update={"lamp_to_world": rows_of(pose)})
    return placed.model_copy(update={"lit_share": _lit_share(placed, *ball_round(points_world_m))})


def _lit_share(lamp: Lamp, middle_m: Array3, radius_m: float) -> float:
    """Share of a level disk about the products that the light reaches."""
    steps = np.linspace(-1, 1, _METERED_STEPS) * radius_m * _METERED_RADII
    offsets = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    inside = offsets[np.linalg.norm(offsets, axis=1) <= steps[-1]]
    points = np.column_stack([inside + middle_m[:2], np.full(len(inside), middle_m[2])])
    return float(reached(lamp, points).mean())
