"""Outlines and profiles: the two curves that every solid of a phone is lofted from.

An outline is a closed plane curve, counter-clockwise, that can be evaluated at any inset; the number of its
points is fixed. A profile is a list of `Station`s: each places the outline at an inset and a height, and the
band up to the next station has its material slot. Millimetres. Straight sides get extra points close to the
corners, so that smooth shading does not bend them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

SMALLEST_RADIUS_MM = 0.004
SUPPORT_MM = 0.4


class Station(NamedTuple):
    inset_mm: float
    height_mm: float
    slot: str


@dataclass(frozen=True)
class Circle:
    radius_mm: float
    center_mm: tuple[float, float] = (0.0, 0.0)
    segments: int = 48

    @property
    def half_width_mm(self) -> float:
        return self.radius_mm

    def points(self, inset_mm: float) -> list[tuple[float, float]]:
        radius, (x, y) = self.radius_mm - inset_mm, self.center_mm
        angles = [2 * math.pi * step / self.segments for step in range(self.segments)]
        return [(x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles]


@dataclass(frozen=True)
class RoundedRectangle:
    """A rectangle with rounded corners.

    marks_mm: further points on its straight sides, as (side, coordinate along x or y)
    """

    width_mm: float
    height_mm: float
    radius_mm: float
    center_mm: tuple[float, float] = (0.0, 0.0)
    segments: int = 12
    marks_mm: tuple[tuple[str, float], ...] = ()

    @property
    def half_width_mm(self) -> float:
        return min(self.width_mm, self.height_mm) / 2

    def points(self, inset_mm: float) -> list[tuple[float, float]]:
        radius = max(self.radius_mm - inset_mm, SMALLEST_RADIUS_MM)
        corner_x = self.width_mm / 2 - inset_mm - radius
        corner_y = self.height_mm / 2 - inset_mm - radius
        points = []
        for quarter, side in enumerate(("right", "top", "left", "bottom")):
            points += self._straight(side, corner_x, corner_y, radius)
            points += self._corner(quarter, side, corner_x, corner_y, radius)
        return [(x + self.center_mm[0], y + self.center_mm[1]) for x, y in points]

    def _corner(self, quarter, side, corner_x, corner_y, radius):
        x = corner_x if quarter in (0, 3) else -corner_x
        y = corner_y if quarter in (0, 1) else -corner_y
        first = 0 if self._half_straight(side) > 0 else 1
        angles = [math.pi / 2 * (quarter + step / self.segments) for step in range(first, self.segments + 1)]
        return [(x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles]

    def _straight(self, side, corner_x, corner_y, radius):
        """Inner points of a straight side, in the direction of travel."""
        half, half_now = self._half_straight(side), corner_y if side in ("right", "left") else corner_x
        places = [place * half_now / half for place in self._places(side, half)] if half else []
        if side == "right":
            return [(corner_x + radius, place) for place in places]
        if side == "top":
            return [(place, corner_y + radius) for place in reversed(places)]
        if side == "left":
            return [(-corner_x - radius, place) for place in reversed(places)]
        return [(place, -corner_y - radius) for place in places]

    def _places(self, side, half):
        marks = [place for name, place in self.marks_mm if name == side and abs(place) < half]
        support = min(SUPPORT_MM, half / 3)
        return sorted({half - support, support - half, *marks})

    def _half_straight(self, side) -> float:
        length = self.height_mm if side in ("right", "left") else self.width_mm
        half = length / 2 - self.radius_mm
        return half if half > 1e-6 else 0.0

    def edges_between(self, side: str, low_mm: float, high_mm: float) -> set[int]:
        """Numbers of the edges that lie on a straight side between two coordinates."""
        axis = 1 if side in ("right", "left") else 0
        size = self.width_mm if axis else self.height_mm
        border = size / 2 if side in ("right", "top") else -size / 2
        points, edges = self.points(0.0), set()
        for number, (start, end) in enumerate(zip(points, points[1:] + points[:1], strict=True)):
            on_side = all(abs(point[1 - axis] - border) < 1e-6 for point in (start, end))
            if on_side and low_mm < (start[axis] + end[axis]) / 2 < high_mm:
                edges.add(number)
        return edges


def arc(start, end, slot: str, steps: int, bulge: str) -> list[Station]:
    """Quarter of an ellipse between two (inset, height) pairs, both ends included.

    bulge: "height_first" leaves `start` along the height, "inset_first" along the inset
    """
    (inset_a, height_a), (inset_b, height_b) = start, end
    stations = []
    for step in range(steps + 1):
        angle = math.pi / 2 * step / steps
        fast, slow = math.sin(angle), 1 - math.cos(angle)
        along_inset, along_height = (slow, fast) if bulge == "height_first" else (fast, slow)
        stations.append(
            Station(
                inset_a + (inset_b - inset_a) * along_inset,
                height_a + (height_b - height_a) * along_height,
                slot,
            )
        )
    return stations


def plate_profile(bottom_mm: float, top_mm: float, edge_mm: tuple[float, float], slot: str, start_mm=0.0):
    """A plate with a rolled upper edge; edge_mm: width and height of the roll."""
    width, height = edge_mm
    roll = arc((start_mm, top_mm - height), (start_mm + width, top_mm), slot, 5, "height_first")
    return [Station(start_mm, bottom_mm, slot), *roll]
