"""Laws: a value of a spec is a constant or a distribution; here is what each one means.

In: the plain YAML form, such as 0.5, {uniform: [0, 1]} or {choice: {a: 3, b: 1}}.
Out: a Law that maps numbers of the unit interval to values (the inverse of its distribution
function). No chance in here: `draw` feeds it uniform numbers, evenly spread ones if it likes.
Vector laws (disk, sphere, cone) give tuples. Angles in degrees, as everywhere in a spec.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, ClassVar

_ALMOST_ONE = math.nextafter(1.0, 0.0)


class Law:
    """What a parameter may be. `dimensions` uniform numbers in [0, 1) give one value."""

    keyword: ClassVar[str] = ""
    dimensions: ClassVar[int] = 1

    def at(self, *units: float) -> Any:
        """The value at `dimensions` numbers in [0, 1)."""
        raise NotImplementedError

    def support(self) -> tuple[float, float]:
        """Smallest and largest number that can come out (scalar laws of numbers only)."""
        raise NotImplementedError

    def plain(self) -> Any:
        """The YAML form, as plain values."""
        raise NotImplementedError

    def __str__(self) -> str:
        """The YAML form, as text."""
        plain = self.plain()
        if not isinstance(plain, dict):
            return str(plain)
        return "{" + ", ".join(f"{key}: {value}" for key, value in plain.items()) + "}"


@dataclass(frozen=True)
class Constant(Law):
    value: Any
    dimensions: ClassVar[int] = 0

    def at(self) -> Any:
        return self.value

    def support(self):
        return (self.value, self.value)

    def plain(self):
        return list(self.value) if isinstance(self.value, tuple) else self.value


@dataclass(frozen=True)
class Uniform(Law):
    low: float
    high: float
    keyword: ClassVar[str] = "uniform"

    def __post_init__(self):
        _require(self.low < self.high, f"uniform needs low < high, got {_pair(self)}")

    def at(self, unit: float) -> float:
        return min(self.low + unit * (self.high - self.low), self.high)

    def support(self):
        return (self.low, self.high)

    def plain(self):
        return {"uniform": [self.low, self.high]}


@dataclass(frozen=True)
class LogUniform(Law):
    """Uniform in the logarithm: each doubling is as likely as the next."""

    low: float
    high: float
    keyword: ClassVar[str] = "log_uniform"

    def __post_init__(self):
        _require(0 < self.low < self.high, f"log_uniform needs 0 < low < high, got {_pair(self)}")

    def at(self, unit: float) -> float:
        return min(max(self.low * (self.high / self.low) ** unit, self.low), self.high)

    def support(self):
        return (self.low, self.high)

    def plain(self):
        return {"log_uniform": [self.low, self.high]}


@dataclass(frozen=True)
class Normal(Law):
    mean: float
    standard_deviation: float
    keyword: ClassVar[str] = "normal"

    def __post_init__(self):
        _require(
            self.standard_deviation > 0,
            f"normal needs a standard deviation above 0, got {self.standard_deviation:g}",
        )

    def at(self, unit: float) -> float:
        return NormalDist(self.mean, self.standard_deviation).inv_cdf(_open(unit))

    def support(self):
        return (-math.inf, math.inf)

    def plain(self):
        return {"normal": [self.mean, self.standard_deviation]}


@dataclass(frozen=True)
class TruncatedNormal(Law):
    mean: float
    standard_deviation: float
    low: float
    high: float
    keyword: ClassVar[str] = "truncated_normal"

    def __post_init__(self):
        _require(
            self.standard_deviation > 0,
            f"truncated_normal needs a standard deviation above 0, got {self.standard_deviation:g}",
        )
        _require(self.low < self.high, f"truncated_normal needs low < high, got {_pair(self)}")
        below, above = self._cdf_range()
        _require(
            above - below > 1e-9,
            "truncated_normal has no probability left between low and high: move them nearer the mean",
        )

    def _cdf_range(self) -> tuple[float, float]:
        parent = NormalDist(self.mean, self.standard_deviation)
        return parent.cdf(self.low), parent.cdf(self.high)

    def at(self, unit: float) -> float:
        below, above = self._cdf_range()
        value = NormalDist(self.mean, self.standard_deviation).inv_cdf(_open(below + unit * (above - below)))
        return min(max(value, self.low), self.high)

    def support(self):
        return (self.low, self.high)

    def plain(self):
        return {"truncated_normal": [self.mean, self.standard_deviation, self.low, self.high]}


@dataclass(frozen=True)
class Integers(Law):
    """Whole numbers from low to high, both included, equally likely."""

    low: int
    high: int
    keyword: ClassVar[str] = "integers"

    def __post_init__(self):
        whole = all(float(value).is_integer() for value in (self.low, self.high))
        _require(whole, f"integers needs whole numbers, got {_pair(self)}")
        _require(self.low <= self.high, f"integers needs low <= high, got {_pair(self)}")

    def at(self, unit: float) -> int:
        return int(self.low) + int(unit * (int(self.high) - int(self.low) + 1))

    def support(self):
        return (self.low, self.high)

    def plain(self):
        return {"integers": [int(self.low), int(self.high)]}


@dataclass(frozen=True)
class Choice(Law):
    """One of several values; weights need not sum to 1."""

    values: tuple[Any, ...]
    weights: tuple[float, ...]
    keyword: ClassVar[str] = "choice"

    def __post_init__(self):
        _require(len(self.values) > 0, "choice needs at least one value")
        _require(all(weight >= 0 for weight in self.weights), "choice needs weights of 0 or more")
        _require(sum(self.weights) > 0, "choice needs at least one weight above 0")

    def at(self, unit: float) -> Any:
        threshold, total = unit * sum(self.weights), 0.0
        for value, weight in zip(self.values, self.weights, strict=True):
            total += weight
            if threshold < total:
                return value
        return self.possible()[-1]

    def possible(self) -> tuple[Any, ...]:
        """The values that can come out."""
        return tuple(v for v, weight in zip(self.values, self.weights, strict=True) if weight > 0)

    def support(self):
        return (min(self.possible()), max(self.possible()))

    def plain(self):
        if len(set(self.weights)) == 1:
            return {"choice": list(self.values)}
        return {"choice": dict(zip(self.values, self.weights, strict=True))}


@dataclass(frozen=True)
class Disk(Law):
    """(x, y) uniform over the area of a disk about (0, 0)."""

    radius: float
    keyword: ClassVar[str] = "disk"
    dimensions: ClassVar[int] = 2

    def __post_init__(self):
        _require(self.radius > 0, f"disk needs a radius above 0, got {self.radius:g}")

    def at(self, unit_radius: float, unit_angle: float) -> tuple[float, float]:
        radius, angle = self.radius * math.sqrt(unit_radius), 2 * math.pi * unit_angle
        return (radius * math.cos(angle), radius * math.sin(angle))

    def support(self):
        return (-self.radius, self.radius)

    def plain(self):
        return {"disk": self.radius}


@dataclass(frozen=True)
class Sphere(Law):
    """Unit direction, uniform over the sphere between two elevations above the horizon."""

    low_elevation_deg: float
    high_elevation_deg: float
    keyword: ClassVar[str] = "sphere"
    dimensions: ClassVar[int] = 2

    def __post_init__(self):
        low, high = self.low_elevation_deg, self.high_elevation_deg
        _require(-90 <= low < high <= 90, f"sphere needs -90 <= low < high <= 90, got {_pair(self)}")

    def at(self, unit_height: float, unit_angle: float) -> tuple[float, float, float]:
        bottom, top = (math.sin(math.radians(e)) for e in _pair(self))
        z, angle = bottom + unit_height * (top - bottom), 2 * math.pi * unit_angle
        ring = math.sqrt(max(0.0, 1 - z * z))
        return (ring * math.cos(angle), ring * math.sin(angle), z)

    def plain(self):
        return {"sphere": _pair(self)}


@dataclass(frozen=True)
class Cone(Law):
    """Unit direction, uniform over the cap within half_angle_deg of straight up."""

    half_angle_deg: float
    keyword: ClassVar[str] = "cone"
    dimensions: ClassVar[int] = 2

    def __post_init__(self):
        half = self.half_angle_deg
        _require(0 < half <= 180, f"cone needs a half angle above 0 and up to 180 degrees, got {half:g}")

    def at(self, unit_height: float, unit_angle: float) -> tuple[float, float, float]:
        return Sphere(90 - self.half_angle_deg, 90).at(unit_height, unit_angle)

    def plain(self):
        return {"cone": self.half_angle_deg}


def _open(unit: float) -> float:
    return min(max(unit, 1e-16), _ALMOST_ONE)


def _pair(law) -> list:
    if hasattr(law, "low"):
        return [law.low, law.high]
    return [law.low_elevation_deg, law.high_elevation_deg]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)
