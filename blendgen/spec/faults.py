"""Faults: a ValidationError of pydantic -> paths and messages that a user understands.

Shared by all files that are checked against a schema of Sections: specs and sidecars of models.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from blendgen.errors import did_you_mean
from blendgen.spec.distribution_parsing import OutOfRange
from blendgen.spec.yaml_source import Path

NO_VALUE = "has no value; add one or remove the key (write colours in quotes: '#aabbcc')"
_MESSAGES = {
    "model_type": "must be a mapping of keys",
    "dict_type": "must be a mapping of keys",
    "list_type": "must be a list",
    "string_type": "must be text",
    **dict.fromkeys(("bool_type", "bool_parsing"), "must be true or false"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "must be a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "must be a number"),
    "too_short": "needs at least one entry",
    "string_pattern_mismatch": 'must be a file name: no space or dot first, none of / \\ : * ? " < > |',
}
_MAX_LENGTH = 400


def faults(error: ValidationError, schema: type[BaseModel]) -> Iterator[tuple[Path, str]]:
    """(path, message) of each fault of a value that was validated against `schema`."""
    for fault in error.errors(include_url=False):
        path, message = _translated(fault, schema)
        yield path, message if len(message) <= _MAX_LENGTH else message[: _MAX_LENGTH - 3] + "..."


# unit of a key -> units that people may mean, and what to multiply them with; keys without a unit: a share
_UNITS: dict[str, dict[str, float]] = {
    "_mm": {"m": 1000, "cm": 10}, "_m": {"mm": 0.001, "cm": 0.01}, "_s": {"ms": 0.001, "us": 1e-6},
    "": {"%": 0.01},
}  # fmt: skip
_MEANINGS = {"_mm": "in millimetres", "_m": "in metres", "_s": "in seconds", "": "as a share"}


def without_value(value: Any, path: Path = ()) -> Iterator[Path]:
    """Paths of keys without a value; they are removed, so that nothing else is reported about them."""
    if isinstance(value, dict):
        for key in list(value):
            if value[key] is None:
                yield (*path, key)
                del value[key]
            else:
                yield from without_value(value[key], (*path, key))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from without_value(item, (*path, i))


def _translated(fault: ErrorDetails, schema: type[BaseModel]) -> tuple[Path, str]:
    path: Path = tuple(fault["loc"])
    kind = fault["type"]
    if path and path[-1] == "[key]":
        path = path[:-1]
        if kind == "string_type":
            return path, f"the key must be text: write it in quotes, got {_short(fault['input'])}"
    if kind == "extra_forbidden":
        return path, f"unknown key{did_you_mean(str(path[-1]), _keys(_model_at(schema, path[:-1])))}"
    if kind == "missing":
        meaning = _keys(_model_at(schema, path[:-1]))[str(path[-1])].description or "required"
        return path[:-1] or path, f"{path[-1]} is missing: {meaning}"
    return path, message_of(fault) + _unit_advice(str(path[-1]) if path else "", fault)


def _unit_advice(key: str, fault: ErrorDetails) -> str:
    """What a number that is out of range would be in the unit of its key, if it was meant in another one."""
    error = fault.get("ctx", {}).get("error")
    if not isinstance(error, OutOfRange):
        return ""
    low, high = error.allowed
    suffix = next((one for one in _UNITS if one and key.endswith(one)), "")
    is_possible = suffix or high == 1  # other units, such as degrees, are not shares
    for unit, factor in _UNITS[suffix].items() if is_possible else ():
        if all(low <= one * factor <= high for one in error.values):
            value = error.values[1]
            return f"; {_MEANINGS[suffix]}: {value:g} {unit} is {value * factor:g}"
    return ""


def message_of(fault: ErrorDetails) -> str:
    """The message of a fault that needs no look at the schema."""
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"])
    rule = _MESSAGES.get(fault["type"]) or re.sub(r"^\w+ should ", "must ", fault["msg"])
    return f"{rule[0].lower()}{rule[1:]}, got {_short(fault['input'])}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _keys(model: type[BaseModel]) -> dict[str, Any]:
    """The fields of a section by their keys in a file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _model_at(schema: type[BaseModel], path: Path) -> type[BaseModel]:
    """The section at a path of a file."""
    model = schema
    for part in path:
        field = None if not isinstance(part, str) else _keys(model).get(part)
        model = model if field is None else next(_models_in(field.annotation), model)
    return model


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
