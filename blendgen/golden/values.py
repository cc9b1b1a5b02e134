"""Values: how the plain values of specs and rows are compared, and how a difference is written.

In: values of JSON. Out: Changes, each with its path and a text such as "0.62 -> 0.71". A distribution, a
matrix and a list of numbers are one value each.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from blendgen.spec.yaml_source import Path as FieldPath
from blendgen.verification.changes import ABSENT

_MAX_DEPTH = 20
_LONGEST = 70
_DIGITS = 6
_FARTHEST = 1e9  # of a pose; golden files of strangers may hold any number
# mappings that may have a single key and are not distributions
_TABLES = (("objects",), ("group_gain",), ("group_time_s",))


@dataclass(frozen=True)
class Change:
    """path: keys and positions; a, b: the values, or ABSENT"""

    path: FieldPath
    a: Any
    b: Any

    @property
    def text(self) -> str:
        """Both values, or how far a pose is away."""
        if _is_pose(self.a) and _is_pose(self.b):
            return _pose_text(np.array(self.a, float), np.array(self.b, float))
        for digits in (f".{_DIGITS}g", ""):
            a, b = (_shown(value, digits) for value in (self.a, self.b))
            if a != b:
                break
        return f"{_shortened(a)} -> {_shortened(b)}"


def changes(a: Any, b: Any, tolerance: float = 0.0, path: FieldPath = ()) -> Iterator[Change]:
    """What differs, in the order of `a`.

    tolerance: of numbers that are not whole, relative for those above 1 and absolute for those below
    """
    if is_same(a, b, tolerance):
        return
    if _has_parts(a, path) and _has_parts(b, path) and len(path) < _MAX_DEPTH:
        for key in {**a, **b}:
            yield from changes(a.get(key, ABSENT), b.get(key, ABSENT), tolerance, (*path, key))
    elif _are_tables(a, b):
        for number, (one, other) in enumerate(zip(a, b, strict=True)):
            yield from changes(one, other, tolerance, (*path, number))
    else:
        yield Change(path, a, b)


def is_same(a: Any, b: Any, tolerance: float) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(is_same(a[key], b[key], tolerance) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(is_same(*pair, tolerance) for pair in zip(a, b, strict=True))
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance)
    return type(a) is type(b) and a == b


def _has_parts(value: Any, path: FieldPath) -> bool:
    """Whether it is a section with keys of its own; a distribution has a single one."""
    return isinstance(value, dict) and (len(value) > 1 or not path or path[-1:] in _TABLES)


def _are_tables(a: Any, b: Any) -> bool:
    """Whether both are lists of as many sections."""
    both = isinstance(a, list) and isinstance(b, list) and len(a) == len(b)
    return both and all(isinstance(item, dict) for item in [*a, *b])


def _is_pose(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 4
        and all(isinstance(row, list) and len(row) == 4 for row in value)
        and all(isinstance(one, int | float) and abs(one) < _FARTHEST for row in value for one in row)
    )


def _pose_text(a: np.ndarray, b: np.ndarray) -> str:
    moved_m = float(np.linalg.norm(b[:3, 3] - a[:3, 3]))
    cosine = (np.trace(a[:3, :3].T @ b[:3, :3]) - 1) / 2
    turned_deg = math.degrees(math.acos(float(np.clip(cosine, -1, 1))))
    return f"moved by {moved_m:.4g} m, turned by {turned_deg:.4g} deg"


def _shown(value: Any, digits: str, depth: int = 0) -> str:
    if value is ABSENT:
        return "(none)"
    if depth > _MAX_DEPTH:
        return "…"
    if isinstance(value, float):
        return format(value, digits)
    if isinstance(value, list):
        return "[" + ", ".join(_shown(item, digits, depth + 1) for item in value) + "]"
    if isinstance(value, dict):
        items = (f"{key}: {_shown(item, digits, depth + 1)}" for key, item in value.items())
        return "{" + ", ".join(items) + "}"
    return value if isinstance(value, str) else json.dumps(value)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
