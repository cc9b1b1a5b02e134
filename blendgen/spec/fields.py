"""Field types of the schema: a value that may be a distribution, with its bounds.

In: the plain YAML value. Out: a Distribution within the bounds of its field, or a ValueError that
pydantic collects. Each field also has a JSON Schema, so that editors can complete the file.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, get_args

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema

from blendgen.errors import did_you_mean
from blendgen.geometry.color import hex_to_srgb
from blendgen.spec.distribution_parsing import (
    SCALAR_DISTRIBUTIONS,
    OutOfRange,
    distribution_from_mapping,
    is_number,
    number_advice,
    same_as,
    yaml_text,
)
from blendgen.spec.distributions import Choice, Constant, Distribution, SameAs
from blendgen.spec.vector_distributions import Cone, Disk, Sphere

_PAIR = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
_QUAD = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}
_ARGUMENTS_SCHEMA = {
    **dict.fromkeys(("uniform", "log_uniform", "normal", "integers", "sphere"), _PAIR),
    "truncated_normal": _QUAD,
    "disk": {"type": "number"},
    "cone": {"type": "number"},
}
_SAME_AS_SCHEMA = {
    "type": "object",
    "properties": {"same_as": {"type": "string"}, "plus": {}},
    "required": ["same_as"],
    "additionalProperties": False,
}


class DistributionField:
    """Base of the pydantic annotations below."""

    def distribution(self, value: Any) -> Distribution:
        """The distribution of a plain value; raises ValueError."""
        raise NotImplementedError

    def check(self, distribution: Distribution) -> None:
        """Raises ValueError if a value of the distribution can be outside of the bounds of the field."""

    def json_schema(self) -> dict[str, Any]:
        raise NotImplementedError

    def span(self) -> str:
        """The allowed values in words, for the documentation."""
        raise NotImplementedError

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, Distribution) else self.distribution(value),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda one: one.plain()),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return self.json_schema()


@dataclass(frozen=True)
class _NumberField(DistributionField):
    low: float
    high: float
    above_low: bool
    whole: bool

    def distribution(self, value: Any) -> Distribution:
        distribution = self._unchecked(value)
        if not isinstance(distribution, SameAs):  # links.py checks it once its target is known
            self.check(distribution)
        return distribution

    def check(self, distribution: Distribution) -> None:
        if isinstance(distribution, Choice) and not all(is_number(v) for v in distribution.values):
            raise ValueError(f"choice needs numbers here, got {list(distribution.values)!r}")
        if isinstance(distribution, SameAs) and not all(is_number(v) for v in _support(distribution.target)):
            raise ValueError(f"same_as: {distribution.path} is not a numeric parameter; refer to one that is")
        low, high = distribution.support()
        if low < self.low or high > self.high or (self.above_low and low <= self.low):
            advice = "; use truncated_normal to keep it within bounds" if math.isinf(high) else ""
            message = f"must be {self._rule()}, got {yaml_text(distribution.plain())}{advice}"
            raise OutOfRange(message, (low, high), (self.low, self.high))
        if self.whole and not self._is_whole(distribution):
            raise ValueError(f"must give whole numbers, got {distribution.plain()!r}; use integers or choice")

    def _unchecked(self, value: Any) -> Distribution:
        if isinstance(value, dict) and "same_as" in value:
            return same_as(value)
        if isinstance(value, dict):
            return distribution_from_mapping(value, SCALAR_DISTRIBUTIONS)
        if is_number(value):
            return Constant(value)
        kinds = "a number or a distribution such as {uniform: [low, high]}"
        raise ValueError(f"must be {kinds}, got {value!r}{number_advice(value)}")

    def _is_whole(self, distribution: Distribution) -> bool:
        if distribution.keyword == "integers":
            return True
        if isinstance(distribution, SameAs):
            return self._is_whole(distribution.target) and self._is_whole(distribution.plus)
        values = distribution.possible() if isinstance(distribution, Choice) else [distribution.plain()]
        return all(is_number(v) and float(v).is_integer() for v in values)

    def _rule(self) -> str:
        lower = f"{'above' if self.above_low else 'at least'} {self.low:g}" if self.low > -math.inf else ""
        upper = f"at most {self.high:g}" if self.high < math.inf else ""
        return " and ".join(part for part in (lower, upper) if part)

    def span(self) -> str:
        if math.isinf(self.low) or math.isinf(self.high):
            return self._rule() or "any"
        return f"{'above ' if self.above_low else ''}{self.low:g} to {self.high:g}"

    def json_schema(self) -> dict[str, Any]:
        number: dict[str, Any] = {"type": "integer" if self.whole else "number"}
        if self.low > -math.inf:
            number["exclusiveMinimum" if self.above_low else "minimum"] = self.low
        if self.high < math.inf:
            number["maximum"] = self.high
        keywords = ["integers"] if self.whole else [one.keyword for one in SCALAR_DISTRIBUTIONS[:-1]]
        distributions = [_distribution_schema(keyword) for keyword in keywords]
        return {"anyOf": [number, *distributions, _choice_schema(number), _SAME_AS_SCHEMA]}


def _support(distribution: Distribution) -> tuple[Any, ...]:
    try:
        return distribution.support()
    except NotImplementedError:  # a direction
        return (None,)


def _choice_or_constant(value: Any) -> tuple[Distribution, tuple[Any, ...]]:
    """The distribution of {choice: ...} or of a single value, and its possible values."""
    if isinstance(value, dict):
        choice = distribution_from_mapping(value, [Choice])
        return choice, choice.values
    return Constant(value), (value,)


@dataclass(frozen=True)
class _NameField(DistributionField):
    known: tuple[str, ...]

    def distribution(self, value: Any) -> Distribution:
        distribution, names = _choice_or_constant(value)
        for name in names:
            if name not in self.known:
                raise ValueError(f"unknown name {name!r}{did_you_mean(name, self.known)}")
        return distribution

    def span(self) -> str:
        return f"one of {len(self.known)}"

    def json_schema(self) -> dict[str, Any]:
        name = {"enum": list(self.known)}
        return {"anyOf": [name, _choice_schema(name)]}


@dataclass(frozen=True)
class _ColorField(DistributionField):
    def distribution(self, value: Any) -> Distribution:
        distribution, colors = _choice_or_constant(value)
        for color in colors:
            hex_to_srgb(color)
        return distribution

    def span(self) -> str:
        return "'#rrggbb'"

    def json_schema(self) -> dict[str, Any]:
        color = {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"}
        return {"anyOf": [color, _choice_schema(color)]}


@dataclass(frozen=True)
class _DirectionField(DistributionField):
    """A direction at least `lowest_deg` above the horizon."""

    lowest_deg: float

    def distribution(self, value: Any) -> Distribution:
        if isinstance(value, dict):
            distribution: Sphere | Cone = distribution_from_mapping(value, [Sphere, Cone])
            lowest = (
                distribution.low_elevation_deg
                if isinstance(distribution, Sphere)
                else 90 - distribution.half_angle_deg
            )
            if lowest < self.lowest_deg:
                raise ValueError(
                    f"must stay at least {self.lowest_deg:g} degrees above the horizon, got {distribution}, "
                    f"which goes down to {lowest:g}"
                )
            return distribution
        raise ValueError(f"must be {{sphere: [low, high]}} or {{cone: degrees}}, got {value!r}")

    def span(self) -> str:
        return f"elevation {self.lowest_deg:g} to 90"

    def json_schema(self) -> dict[str, Any]:
        return {"anyOf": [_distribution_schema("sphere"), _distribution_schema("cone")]}


@dataclass(frozen=True)
class _PointInDiskField(DistributionField):
    """(x, y), each from -limit to limit, or a disk of at most that radius."""

    limit: float

    def distribution(self, value: Any) -> Distribution:
        if isinstance(value, dict):
            distribution = distribution_from_mapping(value, [Disk])
            if distribution.radius > self.limit:
                raise ValueError(
                    f"disk: the radius must be at most {self.limit:g}, got {distribution.radius:g}"
                )
            return distribution
        if isinstance(value, list | tuple) and len(value) == 2 and all(is_number(v) for v in value):
            if max(abs(v) for v in value) > self.limit:
                raise ValueError(f"must be from {-self.limit:g} to {self.limit:g} each, got {list(value)}")
            return Constant((float(value[0]), float(value[1])))
        raise ValueError(f"must be [x, y] or {{disk: radius}}, got {value!r}")

    def span(self) -> str:
        return f"{-self.limit:g} to {self.limit:g} each"

    def json_schema(self) -> dict[str, Any]:
        return {"anyOf": [_PAIR, _distribution_schema("disk")]}


def _distribution_schema(keyword: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {keyword: _ARGUMENTS_SCHEMA[keyword]},
        "required": [keyword],
        "additionalProperties": False,
    }


def _choice_schema(item: dict[str, Any]) -> dict[str, Any]:
    weights = {"type": "object", "additionalProperties": {"type": "number", "minimum": 0}}
    choices = {"anyOf": [{"type": "array", "items": item, "minItems": 1}, weights]}
    return {
        "type": "object",
        "properties": {"choice": choices},
        "required": ["choice"],
        "additionalProperties": False,
    }


def number(low: float = -math.inf, high: float = math.inf, *, above_low: bool = False) -> DistributionField:
    """A number or a distribution of numbers within [low, high]; (low, high] with above_low."""
    return _NumberField(low, high, above_low, False)


def whole_number(low: float, high: float) -> DistributionField:
    """A whole number or a distribution of whole numbers within [low, high]."""
    return _NumberField(low, high, False, True)


def name_of(known: Iterable[str]) -> DistributionField:
    """One of the known names, or a choice of them."""
    return _NameField(tuple(known))


Color = Annotated[Distribution, _ColorField()]


def direction_above(lowest_deg: float) -> DistributionField:
    """A distribution of directions, all at least lowest_deg above the horizon."""
    return _DirectionField(lowest_deg)


def point_in_disk(limit: float) -> DistributionField:
    """[x, y], each from -limit to limit, or {disk: radius} with a radius of at most `limit`."""
    return _PointInDiskField(limit)


def distribution_field(info: FieldInfo) -> DistributionField | None:
    """The DistributionField of a pydantic field, also inside `... | None`; None for other fields."""
    candidates = [*info.metadata, *(m for one in get_args(info.annotation) for m in get_args(one))]
    return next((candidate for candidate in candidates if isinstance(candidate, DistributionField)), None)
