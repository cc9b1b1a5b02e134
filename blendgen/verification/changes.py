"""Changes: which fields of two plain values differ, such as those of two specs or of two rows.

In: values of JSON or YAML. Out: the paths of the fields with both values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

_MAX_DEPTH = 20  # what is nested more deeply is compared as a whole


class _Absent(Enum):
    ABSENT = "absent"


ABSENT: Final = _Absent.ABSENT  # in place of the value of a field that one side does not have


@dataclass(frozen=True)
class Change:
    """field: its path, with dots; a, b: its values, or ABSENT"""

    field: str
    a: Any
    b: Any

    def as_dict(self) -> dict[str, Any]:
        """For JSON: without the value that is absent."""
        values = {"field": self.field, "a": self.a, "b": self.b}
        return {name: value for name, value in values.items() if value is not ABSENT}

    def narrowed(self) -> Change:
        """The first part that differs, where both values are lists of one length or mappings."""
        field, a, b = self.field, self.a, self.b
        while part := _first_part(a, b):
            field, a, b = f"{field}{part.field}", part.a, part.b
        return Change(field, a, b)


def changes(a: Any, b: Any, field: str = "", depth: int = 0) -> Iterator[Change]:
    """The fields that differ, in the order of `a`, then those that only `b` has; a list is one field."""
    if a == b:
        return
    if not isinstance(a, dict) or not isinstance(b, dict) or depth > _MAX_DEPTH:
        yield Change(field, a, b)
        return
    for key in {**a, **b}:
        path = f"{field}.{key}" if field else str(key)
        yield from changes(a.get(key, ABSENT), b.get(key, ABSENT), path, depth + 1)


def _first_part(a: Any, b: Any) -> Change | None:
    """The first difference one level down; None where the values have no parts that can be compared."""
    if isinstance(a, dict) and isinstance(b, dict):
        pairs = ((f".{key}", a.get(key, ABSENT), b.get(key, ABSENT)) for key in {**a, **b})
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        pairs = ((f"[{i}]", one, other) for i, (one, other) in enumerate(zip(a, b, strict=True)))
    else:
        return None
    return next((Change(*pair) for pair in pairs if pair[1] != pair[2]), None)
