"""Distributions of points and directions: disk, sphere and cone; their values are tuples.

Each is uniform over its area, not over its coordinates. Angles are in degrees.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from blendgen.spec.distributions import Distribution, require


@dataclass(frozen=True)
class Disk(Distribution):
    """A point (x, y), uniform over the area of a disk around (0, 0)."""

    radius: float
    keyword: ClassVar[str] = "disk"
    dimensions: ClassVar[int] = 2

    def __post_init__(self) -> None:
        require(self.radius > 0, f"disk needs a radius above 0, got {self.radius:g}")

    def quantile(self, u_radius: float, u_angle: float) -> tuple[float, float]:
        radius, angle = self.radius * math.sqrt(u_radius), 2 * math.pi * u_angle
        return (radius * math.cos(angle), radius * math.sin(angle))

    def support(self) -> tuple[float, float]:
        return (-self.radius, self.radius)

    def plain(self) -> Any:
        return {"disk": self.radius}


@dataclass(frozen=True)
class Sphere(Distribution):
    """A unit direction, uniform over the sphere between two elevations above the horizon."""

    low_elevation_deg: float
    high_elevation_deg: float
    keyword: ClassVar[str] = "sphere"
    dimensions: ClassVar[int] = 2

    def __post_init__(self) -> None:
        low, high = self.low_elevation_deg, self.high_elevation_deg
        require(-90 <= low < high <= 90, f"sphere needs -90 <= low < high <= 90, got {[low, high]}")

    def quantile(self, u_height: float, u_angle: float) -> tuple[float, float, float]:
        bottom, top = (math.sin(math.radians(e)) for e in (self.low_elevation_deg, self.high_elevation_deg))
        z, angle = bottom + u_height * (top - bottom), 2 * math.pi * u_angle
        ring = math.sqrt(max(0.0, 1 - z * z))
        return (ring * math.cos(angle), ring * math.sin(angle), z)

    def plain(self) -> Any:
        return {"sphere": [self.low_elevation_deg, self.high_elevation_deg]}


@dataclass(frozen=True)
class Cone(Distribution):
    """A unit direction, uniform over the cap within half_angle_deg of straight up."""

    half_angle_deg: float
    keyword: ClassVar[str] = "cone"
    dimensions: ClassVar[int] = 2

    def __post_init__(self) -> None:
        half = self.half_angle_deg
        require(0 < half <= 180, f"cone needs a half angle above 0 and up to 180 degrees, got {half:g}")

    def quantile(self, u_height: float, u_angle: float) -> tuple[float, float, float]:
        return Sphere(90 - self.half_angle_deg, 90).quantile(u_height, u_angle)

    def plain(self) -> Any:
        return {"cone": self.half_angle_deg}
