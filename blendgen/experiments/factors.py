"""Factors: the parameters of a spec that an experiment changes, and the levels of each.

In: distributions of the parameters that the spec randomises. Out: Factors. Of a range, the levels are its
outer quarters (by probability), of a full turn all four; of a choice, each of its values, the most likely
ones if there are many.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from blendgen.draw.design import Part
from blendgen.errors import UsageError, did_you_mean
from blendgen.spec.distributions import Choice, Distribution, Integers, Normal, Uniform

MOST_LEVELS = 8
_OUTER = 0.25
_TURN_DEG = 360
_ALMOST_ONE = 0.999999
_RARE = 0.01


@dataclass(frozen=True)
class Level:
    """name: the values of it, for people; part: of the random number that gives them; value: of a choice"""

    name: str
    part: Part
    value: Any = None


@dataclass(frozen=True)
class Factor:
    """name: of the parameter, as in the spec; levels: of a range, low first"""

    name: str
    distribution: Distribution
    levels: tuple[Level, ...]

    @property
    def is_choice(self) -> bool:
        return isinstance(self.distribution, Choice)


def factors(parameters: Mapping[str, Distribution], wanted: Sequence[str] = ()) -> list[Factor]:
    """Of the wanted parameters and sections; of all without any.

    raises: UsageError for a parameter that does not vary
    """
    sections = {name.rsplit(".", depth)[0] for name in parameters for depth in range(1, name.count(".") + 1)}
    for name in wanted:
        if name not in parameters and name not in sections:
            known = {*parameters, *sections}
            raise UsageError(
                f"{name!r} does not vary in this spec: it is constant or not a parameter"
                f"{did_you_mean(name, known)}"
            )
    chosen = (name for name in parameters if not wanted or _is_in(name, wanted))
    return [Factor(name, parameters[name], tuple(_levels(parameters[name]))) for name in chosen]


def _is_in(name: str, wanted: Iterable[str]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in wanted)


def _levels(distribution: Distribution) -> list[Level]:
    if isinstance(distribution, Choice):
        return _of_choice(distribution)
    if isinstance(distribution, Integers) and distribution.high - distribution.low < MOST_LEVELS:
        count = distribution.high - distribution.low + 1
        return [Level(str(distribution.low + n), (n / count, (n + 1) / count)) for n in range(count)]
    starts = (0.0, 0.25, 0.5, 0.75) if _is_circle(distribution) else (0.0, 1 - _OUTER)
    return [_of_range(distribution, (start, min(start + _OUTER, _ALMOST_ONE))) for start in starts]


def _is_circle(distribution: Distribution) -> bool:
    """Whether it is all directions, of which the first and the last are neighbours."""
    return isinstance(distribution, Uniform) and distribution.high - distribution.low == _TURN_DEG


def _of_choice(choice: Choice) -> list[Level]:
    total, low = sum(choice.weights), 0.0
    weighted = []
    for value, weight in zip(choice.values, choice.weights, strict=True):
        high = low + weight / total
        if weight > 0:
            weighted.append((weight, Level(str(value), (low, min(high, _ALMOST_ONE)), value)))
        low = high
    heaviest = sorted(weighted, key=lambda one: -one[0])[:MOST_LEVELS]
    chosen = {id(level) for _, level in heaviest}
    return [level for _, level in weighted if id(level) in chosen]


def _of_range(distribution: Distribution, part: Part) -> Level:
    others = (0.5,) * (distribution.dimensions - 1)
    ends = [distribution.quantile(_finite(distribution, u), *others) for u in part]
    if all(isinstance(end, int | float) for end in ends):
        return Level(f"{_shown(ends[0])} to {_shown(ends[1])}", part)
    return Level("first quarter" if part[0] == 0 else "last quarter", part)


def _finite(distribution: Distribution, u: float) -> float:
    """Nearly all values of a distribution without ends."""
    if isinstance(distribution, Normal):
        return min(max(u, _RARE), 1 - _RARE)
    return u


def _shown(value: float) -> str:
    return f"{float(f'{value:.3g}'):g}"
