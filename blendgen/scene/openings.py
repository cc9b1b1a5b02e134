"""Openings: the door or window through which sunlight falls.

In: a Lamp of such a kind. Out: its panes, and which points they let sunlight through to. The light is
parallel to the lamp's -Z and the opening lies across it, so its patch on a level surface is the
opening stretched by 1 / sin(elevation). The softness of edges is the engine's business.
"""

from __future__ import annotations

import numpy as np

from blendgen.geometry.projection import inverse_rigid, transform_points
from blendgen.scene.shot import Lamp

PANES = 3  # of a window, along each side, so that one is in the middle
BAR = 0.16  # width of a bar, as a share of the pane beside it

Pane = tuple[float, float, float, float]


def panes_m(lamp: Lamp) -> tuple[Pane, ...]:
    """The panes of an opening in its own frame: (x, y) of the middle, width and height, metres."""
    if lamp.kind == "door":
        return ((0.0, 0.0, *lamp.size_m),)
    (across, width), (up, height) = (_split(side) for side in lamp.size_m)
    return tuple((x, y, width, height) for y in up for x in across)


def _split(side_m: float) -> tuple[list[float], float]:
    """Middles and length of the panes along one side."""
    pane = side_m / (PANES + (PANES - 1) * BAR)
    return [(number - (PANES - 1) / 2) * pane * (1 + BAR) for number in range(PANES)], pane


def reached(lamp: Lamp, points_world_m: np.ndarray) -> np.ndarray:
    """Whether the light of a door or window falls on points: (..., 3) metres to (...) bool."""
    points = np.asarray(points_world_m, float)
    in_lamp = transform_points(inverse_rigid(lamp.lamp_to_world), points.reshape(-1, 3))
    within = np.zeros(len(in_lamp), bool)
    for x, y, width, height in panes_m(lamp):
        offset = np.abs(in_lamp[:, :2] - (x, y))
        within |= (offset <= (width / 2, height / 2)).all(axis=1)
    return (within & (in_lamp[:, 2] < 0)).reshape(points.shape[:-1])
