"""{keyword: arguments} -> Distribution, with an error that says which rule is broken.

In: the plain value of a parameter as the YAML reader gives it. Out: one of the distributions of
distributions.py. Bounds of a single parameter are checked by its field, not here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

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

SCALAR_LAWS = (Uniform, LogUniform, Normal, TruncatedNormal, Integers, Choice)
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


def distribution_from_mapping(mapping: dict, allowed: Sequence[type[Distribution]]) -> Distribution:
    """The distribution of {keyword: arguments}; raises ValueError with the rule that is broken."""
    by_keyword = {distribution.keyword: distribution for distribution in allowed}
    if len(mapping) != 1 or next(iter(mapping)) not in by_keyword:
        got = ", ".join(str(key) for key in mapping) or "nothing"
        raise ValueError(f"expected one of {', '.join(by_keyword)}, got {got}")
    keyword, arguments = next(iter(mapping.items()))
    if keyword == "choice":
        return _choice(arguments)
    values = list(arguments) if isinstance(arguments, list | tuple) else [arguments]
    distribution = by_keyword[keyword]
    expected = len(fields(distribution))
    if len(values) != expected or not all(is_number(value) for value in values):
        raise ValueError(f"{keyword} needs {_ARGUMENTS[keyword]}, got {arguments!r}")
    return distribution(*values)


def same_as(mapping: dict) -> SameAs:
    """{same_as: path} or {same_as: path, plus: number or distribution}; raises ValueError."""
    path, plus = mapping["same_as"], mapping.get("plus", 0.0)
    if set(mapping) - {"same_as", "plus"} or not isinstance(path, str):
        raise ValueError("same_as takes the path of a parameter, and plus a number or a distribution")
    shift = distribution_from_mapping(plus, SCALAR_LAWS) if isinstance(plus, dict) else Constant(plus)
    if not all(is_number(end) or (isinstance(end, float) and math.isinf(end)) for end in shift.support()):
        raise ValueError(f"plus must be a number or a distribution of numbers, got {plus!r}")
    return SameAs(path, shift)


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
    """A finite int or float, and not a bool."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
