"""Sunlight through an opening: the edge of the patch of light, and its share for the light meter.

In: a door or window in line with the sun, and the points of the products. Out: the opening, moved across the
light so that its patch covers the drawn share of the products. Nothing is random here.
"""

from __future__ import annotations

import numpy as np

from blendgen.geometry.arrays import Array3, PointsN3
from blendgen.geometry.projection import rows_of
from blendgen.scene.openings import reached
from blendgen.scene.shot import Lamp

# the meter looks at a disk of so many radii of the products
_METERED_RADII, _METERED_STEPS = 1.5, 25
_ABOVE_SURFACE_M = 0.02


def bounding_sphere(points_world_m: PointsN3) -> tuple[Array3, float]:
    """Centre (3,) and radius of a sphere around points (n, 3)."""
    low, high = points_world_m.min(axis=0), points_world_m.max(axis=0)
    return (low + high) / 2, float(np.linalg.norm(high - low)) / 2


def placed_opening(lamp: Lamp, points_world_m: PointsN3, share: float, side: int) -> Lamp:
    """The opening at the place from which it lights `share` of the products, counted from one side.

    side: 1 or -1, the side along the lamp's X from which the light comes
    """
    pose = np.array(lamp.lamp_to_world)
    across, up, towards_sun = pose[:3, 0], pose[:3, 1], pose[:3, 2]
    # the extent of the products, seen along the light
    outline = (points_world_m @ across) * side
    edge = outline.min() + share * np.ptp(outline)
    middle = side * (edge - lamp.size_m[0] / 2)
    pose[:3, 3] += across * (middle - pose[:3, 3] @ across)
    # the surface would cut off an opening that reaches below it
    lowest = pose[2, 3] - lamp.size_m[1] / 2 * up[2]
    pose[:3, 3] += towards_sun * max(0.0, _ABOVE_SURFACE_M - lowest) / towards_sun[2]
    placed = lamp.model_copy(update={"lamp_to_world": rows_of(pose)})
    return placed.model_copy(update={"lit_share": _lit_share(placed, *bounding_sphere(points_world_m))})


def _lit_share(lamp: Lamp, middle_m: Array3, radius_m: float) -> float:
    """Share of a level disk around the products that the light reaches."""
    steps = np.linspace(-1, 1, _METERED_STEPS) * radius_m * _METERED_RADII
    offsets = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    inside = offsets[np.linalg.norm(offsets, axis=1) <= steps[-1]]
    points = np.column_stack([inside + middle_m[:2], np.full(len(inside), middle_m[2])])
    return float(reached(lamp, points).mean())
