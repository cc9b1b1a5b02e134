"""Field types of the schema: a value that may be a law, with its bounds.

In: the plain YAML value. Out: a Law within the bounds of its field, or a ValueError that
pydantic collects. Also gives each field its JSON Schema, so that editors complete the file.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, get_args

from pydantic_core import core_schema

from blendgen.color import hex_to_srgb
from blendgen.spec.distributions import Choice, Constant, Law, SameAs
from blendgen.spec.law_parsing import SCALAR_LAWS, is_number, law_of_mapping, same_as
from blendgen.spec.vector_laws import Cone, Disk, Sphere
from blendgen.suggestion import nearest

_PAIR = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
_QUAD = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}
_ARGUMENTS_SCHEMA = {
    "uniform": _PAIR,
    "log_uniform": _PAIR,
    "normal": _PAIR,
    "truncated_normal": _QUAD,
    "integers": _PAIR,
    "sphere": _PAIR,
    "disk": {"type": "number"},
    "cone": {"type": "number"},
}


_SAME_AS_SCHEMA = {
    "type": "object",
    "properties": {"same_as": {"type": "string"}, "plus": {}},
    "required": ["same_as"],
    "additionalProperties": False,
}


class LawField:
    """Base of the pydantic annotations below: `law` turns a plain value into a Law."""

    def law(self, value: Any) -> Law:
        raise NotImplementedError

    def check(self, law: Law) -> None:
        """Raises ValueError where a law can leave the bounds of the field."""

    def json_schema(self) -> dict:
        raise NotImplementedError

    def span(self) -> str:
        """The values that the field takes, in words, for the documentation."""
        raise NotImplementedError

    def __get_pydantic_core_schema__(self, source, handler):
        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, Law) else self.law(value),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda law: law.plain()),
        )

    def __get_pydantic_json_schema__(self, schema, handler):
        return self.json_schema()


@dataclass(frozen=True)
class _NumberField(LawField):
    low: float
    high: float
    above_low: bool
    whole: bool

    def law(self, value: Any) -> Law:
        law = self._unchecked(value)
        if not isinstance(law, SameAs):  # whose bounds are those of a parameter not known yet
            self.check(law)
        return law

    def check(self, law: Law) -> None:
        if isinstance(law, Choice) and not all(is_number(v) for v in law.values):
            raise ValueError(f"choice needs numbers here, got {list(law.values)!r}")
        if isinstance(law, SameAs) and not all(is_number(v) for v in _ends(law.target)):
            raise ValueError(f"same_as: {law.path} is not a number")
        low, high = law.support()
        if low < self.low or high > self.high or (self.above_low and low <= self.low):
            unbounded = "; truncated_normal keeps a normal within bounds" if math.isinf(high) else ""
            raise ValueError(f"must be {self._rule()}, got {self._shown(law)}{unbounded}")
        if self.whole and not self._is_whole(law):
            raise ValueError(f"must be whole numbers, got {law.plain()!r}; use integers or choice")

    def _unchecked(self, value: Any) -> Law:
        if isinstance(value, dict) and "same_as" in value:
            return same_as(value)
        if isinstance(value, dict):
            return law_of_mapping(value, SCALAR_LAWS)
        if is_number(value):
            return Constant(value)
        raise ValueError(f"must be a number or a distribution such as {{uniform: [a, b]}}, got {value!r}")

    def _is_whole(self, law: Law) -> bool:
        if law.keyword == "integers":
            return True
        if isinstance(law, SameAs):
            return self._is_whole(law.target) and self._is_whole(law.plus)
        values = law.possible() if isinstance(law, Choice) else [law.plain()]
        return all(is_number(v) and float(v).is_integer() for v in values)

    def _rule(self) -> str:
        lower = f"{'above' if self.above_low else 'at least'} {self.low:g}" if self.low > -math.inf else ""
        upper = f"at most {self.high:g}" if self.high < math.inf else ""
        return " and ".join(part for part in (lower, upper) if part)

    def _shown(self, law: Law) -> Any:
        return law.value if isinstance(law, Constant) else law.plain()

    def span(self) -> str:
        if math.isinf(self.low) or math.isinf(self.high):
            return self._rule() or "any"
        return f"{'above ' if self.above_low else ''}{self.low:g} to {self.high:g}"

    def json_schema(self) -> dict:
        number = {"type": "integer" if self.whole else "number"}
        if self.low > -math.inf:
            number["exclusiveMinimum" if self.above_low else "minimum"] = self.low
        if self.high < math.inf:
            number["maximum"] = self.high
        keywords = ["integers"] if self.whole else [law.keyword for law in SCALAR_LAWS[:-1]]
        laws = [_law_schema(keyword) for keyword in keywords]
        return {"anyOf": [number, *laws, _choice_schema(number), _SAME_AS_SCHEMA]}


def _ends(law: Law) -> tuple:
    try:
        return law.support()
    except NotImplementedError:  # a direction
        return (None,)


@dataclass(frozen=True)
class _NameField(LawField):
    known: tuple[str, ...]

    def law(self, value: Any) -> Law:
        law = law_of_mapping(value, [Choice]) if isinstance(value, dict) else Constant(value)
        for name in law.values if isinstance(law, Choice) else [law.value]:
            if name not in self.known:
                raise ValueError(f"{name!r} is not known{nearest(name, self.known)}")
        return law

    def span(self) -> str:
        return f"one of {len(self.known)}"

    def json_schema(self) -> dict:
        name = {"enum": list(self.known)}
        return {"anyOf": [name, _choice_schema(name)]}


@dataclass(frozen=True)
class _ColorField(LawField):
    def law(self, value: Any) -> Law:
        law = law_of_mapping(value, [Choice]) if isinstance(value, dict) else Constant(value)
        for color in law.values if isinstance(law, Choice) else [law.value]:
            hex_to_srgb(color)
        return law

    def span(self) -> str:
        return "'#rrggbb'"

    def json_schema(self) -> dict:
        color = {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"}
        return {"anyOf": [color, _choice_schema(color)]}


@dataclass(frozen=True)
class _DirectionField(LawField):
    """A unit direction at least `lowest_deg` above the horizon."""

    lowest_deg: float

    def law(self, value: Any) -> Law:
        if isinstance(value, dict):
            law = law_of_mapping(value, [Sphere, Cone])
            lowest = law.low_elevation_deg if isinstance(law, Sphere) else 90 - law.half_angle_deg
            if lowest < self.lowest_deg:
                raise ValueError(
                    f"must stay {self.lowest_deg:g} degrees above the horizon, got {law}, "
                    f"which goes down to {lowest:g}"
                )
            return law
        raise ValueError(f"must be {{sphere: [low, high]}} or {{cone: degrees}}, got {value!r}")

    def span(self) -> str:
        return f"{self.lowest_deg:g} to 90 degrees up"

    def json_schema(self) -> dict:
        return {"anyOf": [_law_schema("sphere"), _law_schema("cone")]}


@dataclass(frozen=True)
class _PointInDiskField(LawField):
    """(x, y) no farther than `limit` from the middle."""

    limit: float

    def law(self, value: Any) -> Law:
        if isinstance(value, dict):
            law = law_of_mapping(value, [Disk])
            if law.radius > self.limit:
                raise ValueError(f"disk must be at most {self.limit:g}, got {law.radius:g}")
            return law
        if isinstance(value, list | tuple) and len(value) == 2 and all(is_number(v) for v in value):
            if max(abs(v) for v in value) > self.limit:
                raise ValueError(f"must be within {self.limit:g} of the middle, got {list(value)}")
            return Constant((float(value[0]), float(value[1])))
        raise ValueError(f"must be [x, y] or {{disk: radius}}, got {value!r}")

    def span(self) -> str:
        return f"within {self.limit:g} of the middle"

    def json_schema(self) -> dict:
        return {"anyOf": [_PAIR, _law_schema("disk")]}


def _law_schema(keyword: str) -> dict:
    return {
        "type": "object",
        "properties": {keyword: _ARGUMENTS_SCHEMA[keyword]},
        "required": [keyword],
        "additionalProperties": False,
    }


def _choice_schema(item: dict) -> dict:
    weights = {"type": "object", "additionalProperties": {"type": "number", "minimum": 0}}
    choices = {"anyOf": [{"type": "array", "items": item, "minItems": 1}, weights]}
    return {
        "type": "object",
        "properties": {"choice": choices},
        "required": ["choice"],
        "additionalProperties": False,
    }


def number(low: float = -math.inf, high: float = math.inf, *, above_low: bool = False):
    """A field that is a number or a law of numbers within [low, high] (or (low, high])."""
    return Annotated[Law, _NumberField(low, high, above_low, False)]


def whole_number(low: float, high: float):
    """A field that is a whole number or a law of whole numbers within [low, high]."""
    return Annotated[Law, _NumberField(low, high, False, True)]


def name_of(known: Iterable[str]):
    """A field that is one of the known names or a choice of them."""
    return Annotated[Law, _NameField(tuple(known))]


Color = Annotated[Law, _ColorField()]


def direction_above(lowest_deg: float):
    """A field that is a direction, never lower over the horizon than lowest_deg."""
    return Annotated[Law, _DirectionField(lowest_deg)]


def point_in_disk(limit: float):
    """A field that is [x, y] or {disk: radius}, no farther out than `limit`."""
    return Annotated[Law, _PointInDiskField(limit)]


def law_field(info) -> LawField | None:
    """What checks a pydantic field that takes laws, also inside `... | None`; None for other fields."""
    candidates = [*info.metadata, *(m for one in get_args(info.annotation) for m in get_args(one))]
    return next((candidate for candidate in candidates if isinstance(candidate, LawField)), None)
