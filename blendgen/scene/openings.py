"""Openings: the door or window through which sunlight falls.

In: a Lamp whose kind has panes. Out: its panes, and the points that sunlight reaches through them. The light
is parallel to the lamp's -Z and perpendicular to the opening, so its patch on a level surface is the opening
stretched by 1 / sin(elevation). Soft edges are left to the engine.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from blendgen.geometry.arrays import MaskN
from blendgen.geometry.projection import inverse_rigid, transform_points
from blendgen.scene.kinds.lamps import LAMP_KINDS
from blendgen.scene.shot import Lamp

BAR = 0.16  # width of a bar between panes, as a share of a pane

Pane = tuple[float, float, float, float]


def panes_m(lamp: Lamp) -> tuple[Pane, ...]:
    """The panes of an opening in its own frame: (x, y) of the middle, width and height, metres."""
    count = LAMP_KINDS[lamp.kind].panes
    (across, width), (up, height) = (_split(side, count) for side in lamp.size_m)
    return tuple((x, y, width, height) for y in up for x in across)


def _split(side_m: float, count: int) -> tuple[list[float], float]:
    """Middles and length of the panes along one side."""
    pane = side_m / (count + (count - 1) * BAR)
    return [(number - (count - 1) / 2) * pane * (1 + BAR) for number in range(count)], pane


def reached(lamp: Lamp, points_world_m: ArrayLike) -> MaskN:
    """Whether the light through an opening falls on points: (..., 3) metres to (...) bool."""
    points = np.asarray(points_world_m, float)
    in_lamp = transform_points(inverse_rigid(lamp.lamp_to_world), points.reshape(-1, 3))
    within = np.zeros(len(in_lamp), bool)
    for x, y, width, height in panes_m(lamp):
        offset = np.abs(in_lamp[:, :2] - (x, y))
        within |= (offset <= (width / 2, height / 2)).all(axis=1)
    return (within & (in_lamp[:, 2] < 0)).reshape(points.shape[:-1])
