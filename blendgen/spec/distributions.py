"""Distributions of numbers and names, which the values of a spec may have.

In: arguments of a YAML form such as {uniform: [0, 1]} or {choice: {a: 3, b: 1}}. Out: a Distribution,
whose `quantile` maps uniform numbers in [0, 1) to values. Nothing here is random: `draw` supplies the
uniform numbers. Distributions of points and directions are in vector_distributions.py. Angles are in
degrees, as everywhere in a spec.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, ClassVar

_ALMOST_ONE = math.nextafter(1.0, 0.0)


class Distribution:
    """The values that a parameter may take; `dimensions` uniform numbers give one of them."""

    keyword: ClassVar[str] = ""

    @property
    def dimensions(self) -> int:
        return 1

    def quantile(self, *u: Any, **named_u: Any) -> Any:
        """The value for `dimensions` numbers in [0, 1): the inverse of the distribution function."""
        raise NotImplementedError

    def support(self) -> tuple[float, float]:
        """Smallest and largest possible value (distributions of numbers only)."""
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
class Constant(Distribution):
    value: Any
    dimensions: ClassVar[int] = 0

    def quantile(self) -> Any:
        return self.value

    def support(self) -> tuple[float, float]:
        return (self.value, self.value)

    def plain(self) -> Any:
        return list(self.value) if isinstance(self.value, tuple) else self.value


@dataclass(frozen=True)
class Uniform(Distribution):
    low: float
    high: float
    keyword: ClassVar[str] = "uniform"

    def __post_init__(self) -> None:
        require(self.low < self.high, f"uniform needs low < high, got {_pair(self)}")

    def quantile(self, u: float) -> float:
        return min(self.low + u * (self.high - self.low), self.high)

    def support(self) -> tuple[float, float]:
        return (self.low, self.high)

    def plain(self) -> Any:
        return {"uniform": [self.low, self.high]}


@dataclass(frozen=True)
class LogUniform(Distribution):
    """Uniform in the logarithm: every doubling is equally likely."""

    low: float
    high: float
    keyword: ClassVar[str] = "log_uniform"

    def __post_init__(self) -> None:
        require(0 < self.low < self.high, f"log_uniform needs 0 < low < high, got {_pair(self)}")

    def quantile(self, u: float) -> float:
        return float(min(max(self.low * (self.high / self.low) ** u, self.low), self.high))

    def support(self) -> tuple[float, float]:
        return (self.low, self.high)

    def plain(self) -> Any:
        return {"log_uniform": [self.low, self.high]}


@dataclass(frozen=True)
class Normal(Distribution):
    mean: float
    standard_deviation: float
    keyword: ClassVar[str] = "normal"

    def __post_init__(self) -> None:
        require(
            self.standard_deviation > 0,
            f"normal needs a standard deviation above 0, got {self.standard_deviation:g}",
        )

    def quantile(self, u: float) -> float:
        return NormalDist(self.mean, self.standard_deviation).inv_cdf(_open(u))

    def support(self) -> tuple[float, float]:
        return (-math.inf, math.inf)

    def plain(self) -> Any:
        return {"normal": [self.mean, self.standard_deviation]}


@dataclass(frozen=True)
class TruncatedNormal(Distribution):
    mean: float
    standard_deviation: float
    low: float
    high: float
    keyword: ClassVar[str] = "truncated_normal"

    def __post_init__(self) -> None:
        require(
            self.standard_deviation > 0,
            f"truncated_normal needs a standard deviation above 0, got {self.standard_deviation:g}",
        )
        require(self.low < self.high, f"truncated_normal needs low < high, got {_pair(self)}")
        below, above = self._cdf_range()
        require(
            above - below > 1e-9,
            "truncated_normal has almost no probability between low and high: move them closer to the mean",
        )

    def _cdf_range(self) -> tuple[float, float]:
        parent = NormalDist(self.mean, self.standard_deviation)
        return parent.cdf(self.low), parent.cdf(self.high)

    def quantile(self, u: float) -> float:
        below, above = self._cdf_range()
        value = NormalDist(self.mean, self.standard_deviation).inv_cdf(_open(below + u * (above - below)))
        return min(max(value, self.low), self.high)

    def support(self) -> tuple[float, float]:
        return (self.low, self.high)

    def plain(self) -> Any:
        return {"truncated_normal": [self.mean, self.standard_deviation, self.low, self.high]}


@dataclass(frozen=True)
class Integers(Distribution):
    """Whole numbers from low to high, both included, equally likely."""

    low: int
    high: int
    keyword: ClassVar[str] = "integers"

    def __post_init__(self) -> None:
        whole = all(float(value).is_integer() for value in (self.low, self.high))
        require(whole, f"integers needs whole numbers, got {_pair(self)}")
        require(self.low <= self.high, f"integers needs low <= high, got {_pair(self)}")

    def quantile(self, u: float) -> int:
        return int(self.low) + int(u * (int(self.high) - int(self.low) + 1))

    def support(self) -> tuple[float, float]:
        return (self.low, self.high)

    def plain(self) -> Any:
        return {"integers": [int(self.low), int(self.high)]}


@dataclass(frozen=True)
class Choice(Distribution):
    """One of several values; weights need not sum to 1."""

    values: tuple[Any, ...]
    weights: tuple[float, ...]
    keyword: ClassVar[str] = "choice"

    @classmethod
    def even(cls, values: Iterable[Any]) -> Choice:
        """All of the values, equally likely."""
        values = tuple(values)
        return cls(values, (1.0,) * len(values))

    def __post_init__(self) -> None:
        require(len(self.values) > 0, "choice needs at least one value")
        require(all(weight >= 0 for weight in self.weights), "choice needs weights of 0 or more")
        require(sum(self.weights) > 0, "choice needs at least one weight above 0")

    def quantile(self, u: float) -> Any:
        threshold, total = u * sum(self.weights), 0.0
        for value, weight in zip(self.values, self.weights, strict=True):
            total += weight
            if threshold < total:
                return value
        return self.possible()[-1]

    def possible(self) -> tuple[Any, ...]:
        """The values with a weight above 0."""
        return tuple(v for v, weight in zip(self.values, self.weights, strict=True) if weight > 0)

    def support(self) -> tuple[float, float]:
        return (min(self.possible()), max(self.possible()))

    def plain(self) -> Any:
        if len(set(self.weights)) == 1:
            return {"choice": list(self.values)}
        return {"choice": dict(zip(self.values, self.weights, strict=True))}


@dataclass(frozen=True)
class SameAs(Distribution):
    """The value of another parameter, plus an offset with a distribution of its own.

    path: the other parameter; target: its distribution, which links.py fills in
    """

    path: str
    plus: Distribution
    target: Distribution = Constant(0.0)
    keyword: ClassVar[str] = "same_as"

    @property
    def dimensions(self) -> int:
        return self.target.dimensions + self.plus.dimensions

    def shifted(self, value: Any, plus: float) -> Any:
        """The value for a `value` of the other parameter; an offset applies to numbers only."""
        return value + plus if isinstance(value, int | float) else value

    def support(self) -> tuple[float, float]:
        (low, high), (least, most) = self.target.support(), self.plus.support()
        return (low + least, high + most)

    def plain(self) -> Any:
        plus = {} if self.plus == Constant(0.0) else {"plus": self.plus.plain()}
        return {"same_as": self.path, **plus}


def possible_values(distribution: Distribution) -> tuple[Any, ...]:
    """The values of a Constant or a Choice; none of a distribution of numbers."""
    if isinstance(distribution, Constant):
        return (distribution.value,)
    return distribution.possible() if isinstance(distribution, Choice) else ()


def _open(u: float) -> float:
    return min(max(u, 1e-16), _ALMOST_ONE)


def _pair(distribution: Uniform | LogUniform | TruncatedNormal | Integers) -> list[float]:
    return [distribution.low, distribution.high]


def require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)
