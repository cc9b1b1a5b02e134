"""{keyword: arguments} -> Distribution, with an error that names the broken rule.

In: the plain value of a parameter, as read from YAML. Out: a distribution of distributions.py or
vector_distributions.py. The bounds of a parameter are checked by its field, not here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, TypeVar, cast

import yaml

from blendgen.errors import did_you_mean
from blendgen.spec.distributions import (
    Choice,
    Constant,
    Distribution,
    Integers,
    LogUniform,
    Normal,
    SameAs,
    TruncatedNormal,
    Uniform,
)

AnyDistribution = TypeVar("AnyDistribution", bound=Distribution)

SCALAR_DISTRIBUTIONS: tuple[type[Distribution], ...] = (
    Uniform,
    LogUniform,
    Normal,
    TruncatedNormal,
    Integers,
    Choice,
)
_ARGUMENTS = {
    "uniform": "[low, high]",
    "log_uniform": "[low, high]",
    "normal": "[mean, standard deviation]",
    "truncated_normal": "[mean, standard deviation, low, high]",
    "integers": "[low, high]",
    "choice": "[a, b, ...] or {a: weight, b: weight}",
    "disk": "radius",
    "sphere": "[low elevation, high elevation] in degrees",
    "cone": "half angle in degrees",
}


class OutOfRange(ValueError):
    """values: the least and the largest one; allowed: those of the field"""

    def __init__(self, message: str, values: tuple[float, float], allowed: tuple[float, float]):
        super().__init__(message)
        self.values, self.allowed = values, allowed


def yaml_text(value: Any) -> str:
    """A value as it stands in a spec, in one line."""
    if not isinstance(value, dict | list):
        return str(value)
    return yaml.safe_dump(value, default_flow_style=True, width=math.inf, sort_keys=False).strip()


def number_advice(value: Any) -> str:
    """How to write what somebody may have meant as a number or a range."""
    if isinstance(value, list | tuple):
        return f"; for a range, write {{uniform: {[*value]}}}" if len(value) == 2 else ""
    match = re.fullmatch(r"[-+]?[0-9.]+\s*(.*)", value) if isinstance(value, str) else None
    if match is None:
        return ""
    if match[1] == "%":
        return "; write a percentage as a share, such as 0.5 for 50%"
    return "; write the number alone, in the unit of the key" if match[1] else "; leave out the quotes"


def _advice(keys: str, keywords: Iterable[str]) -> str:
    if {"min", "max"} & {*keys.split(", ")}:
        return "; for a range, write {uniform: [low, high]}"
    similar = did_you_mean(keys, keywords)
    return similar if similar.startswith("; did you mean") else ""


def distribution_from_mapping(
    mapping: dict[str, Any], allowed: Sequence[type[AnyDistribution]]
) -> AnyDistribution:
    """The distribution of {keyword: arguments}; raises ValueError with the broken rule."""
    by_keyword: dict[str, Any] = {distribution.keyword: distribution for distribution in allowed}
    if len(mapping) != 1 or next(iter(mapping)) not in by_keyword:
        keys = ", ".join(str(key) for key in mapping) or "nothing"
        raise ValueError(f"expected one of {', '.join(by_keyword)}, got {keys}{_advice(keys, by_keyword)}")
    keyword, arguments = next(iter(mapping.items()))
    if keyword == "choice":
        return cast(AnyDistribution, _choice(arguments))
    values = list(arguments) if isinstance(arguments, list | tuple) else [arguments]
    distribution = by_keyword[keyword]
    expected = len(fields(distribution))
    if len(values) != expected or not all(is_number(value) for value in values):
        raise ValueError(f"{keyword} needs {_ARGUMENTS[keyword]}, got {arguments!r}")
    return cast(AnyDistribution, distribution(*values))


def same_as(mapping: dict[str, Any]) -> SameAs:
    """The distribution of {same_as: path} or {same_as: path, plus: number or distribution}.

    raises: ValueError with the broken rule
    """
    path, plus = mapping["same_as"], mapping.get("plus", 0.0)
    if set(mapping) - {"same_as", "plus"} or not isinstance(path, str):
        raise ValueError(
            f"expected {{same_as: PARAMETER}}, perhaps with plus: NUMBER or distribution, got {mapping!r}"
        )
    offset = (
        distribution_from_mapping(plus, SCALAR_DISTRIBUTIONS) if isinstance(plus, dict) else Constant(plus)
    )
    if not all(is_number(end) or (isinstance(end, float) and math.isinf(end)) for end in offset.support()):
        raise ValueError(f"plus must be a number or a distribution of numbers, got {plus!r}")
    return SameAs(path, offset)


def _choice(arguments: Any) -> Choice:
    if isinstance(arguments, dict):
        if not all(is_number(weight) for weight in arguments.values()):
            raise ValueError(f"choice needs a number as the weight of each value, got {arguments!r}")
        return Choice(tuple(arguments), tuple(float(w) for w in arguments.values()))
    if isinstance(arguments, list | tuple):
        values = tuple(tuple(v) if isinstance(v, list) else v for v in arguments)
        return Choice(values, (1.0,) * len(values))
    raise ValueError(f"choice needs {_ARGUMENTS['choice']}, got {arguments!r}")


def is_number(value: Any) -> bool:
    """Whether a value is a finite int or float, and not a bool."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
