"""Ranges: what a tuning may do to the ranges of a spec: move them, and make them wider or narrower.

In: a spec and the parameters that it randomises. Out: Ranges, and the distribution of each for two numbers. A
range never becomes a point: its spread has a lower bound, and it stays within the bounds of its field.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from blendgen.errors import UsageError
from blendgen.experiments.factors import factors
from blendgen.spec.distributions import Distribution, LogUniform, Normal, TruncatedNormal, Uniform
from blendgen.spec.fields import distribution_field
from blendgen.spec.model import Spec
from blendgen.starter.guess import rounded

MOST_SHIFT = 0.5  # of the width of the range
MOST_SPREAD = 1.5
LEAST_SPREAD = 0.5
_DIGITS = 4
_TURN_DEG = 360


@dataclass(frozen=True)
class Range:
    """A parameter; bounds: of its field"""

    name: str
    distribution: Distribution
    bounds: tuple[float, float]

    def moved(self, shift: float, spread: float) -> Any:
        """The plain value of the range, moved by `shift` of its width and `spread` times as wide."""
        one = self.distribution
        if isinstance(one, LogUniform):
            ends = [math.log(end) for end in (one.low, one.high)]
            low, high = _placed(ends, shift, spread, [_log(end) for end in self.bounds])
            return {"log_uniform": [_round(math.exp(low)), _round(math.exp(high))]}
        if isinstance(one, Uniform):
            low, high = _placed([one.low, one.high], shift, spread, self.bounds)
            return {"uniform": [_round(low), _round(high)]}
        if isinstance(one, TruncatedNormal):
            low, high = _placed([one.low, one.high], shift, spread, self.bounds)
            place = (one.mean - one.low) / (one.high - one.low)
            values = (low + place * (high - low), one.standard_deviation * spread, low, high)
            return {"truncated_normal": [_round(value) for value in values]}
        if isinstance(one, Normal):
            width = 2 * one.standard_deviation
            return {"normal": [_round(one.mean + shift * width), _round(one.standard_deviation * spread)]}
        raise TypeError(f"{one} is not a range")


def ranges(spec: Spec, parameters: Mapping[str, Distribution], wanted: Sequence[str]) -> list[Range]:
    """Of the wanted parameters and sections, of all without any; raises UsageError if there are none."""
    chosen = [one for one in factors(parameters, wanted) if _is_range(one.distribution)]
    if not chosen:
        raise UsageError(
            "parameters (--parameter): none of these is a range of numbers, such as {uniform: [low, high]}"
        )
    return [Range(one.name, one.distribution, _bounds(spec, one.name)) for one in chosen]


def _is_range(distribution: Distribution) -> bool:
    if isinstance(distribution, Uniform) and distribution.high - distribution.low >= _TURN_DEG:
        return False  # all directions
    return isinstance(distribution, Uniform | LogUniform | Normal | TruncatedNormal)


def _bounds(spec: Spec, name: str) -> tuple[float, float]:
    *sections, last = name.split(".")
    section: Any = spec
    for part in sections:
        section = getattr(section, part)
    field = distribution_field(type(section).model_fields[last])
    low, high = getattr(field, "low", -math.inf), getattr(field, "high", math.inf)
    return low, high


def _placed(
    ends: Sequence[float], shift: float, spread: float, bounds: Sequence[float]
) -> tuple[float, float]:
    """(low, high), pushed back inside the bounds with its width."""
    width = min((ends[1] - ends[0]) * spread, bounds[1] - bounds[0])
    low = (ends[0] + ends[1]) / 2 + shift * (ends[1] - ends[0]) - width / 2
    low = min(max(low, bounds[0]), bounds[1] - width)
    return low, low + width


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


def _round(value: float) -> float:
    return rounded(value, _DIGITS)
