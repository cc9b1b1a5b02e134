"""Schema: what a dataset.json must hold before anything trusts it.

In: bytes and values that a stranger may have written. Out: the same values, or one line that states what is
wrong. Only what this program reads is checked; other keys are left alone.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from blendgen.files.names import name_fault, printable
from blendgen.scene.row import Index, Point3, Transform

MAX_RECORD_BYTES = 16 * 2**20


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class _Keypoints(_Strict):
    names: list[str] = []
    mirrored: dict[str, str] = {}


class _Axis(_Strict):
    axis: Point3
    offset_m: Point3


class _Symmetries(_Strict):
    continuous: list[_Axis] = []
    discrete: list[Transform] = []


class _Record(_Strict):
    name: str
    digest: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,128}$")]
    classes: Annotated[list[str], Field(min_length=1)]
    images_per_split: dict[str, Index]
    keypoints: dict[str, _Keypoints] | None = None
    symmetries: dict[str, _Symmetries] | None = None


def parsed_json(data: bytes, max_bytes: int) -> Any:
    """The value of a JSON text; raises ValueError, also where it is too large or too deep."""
    if len(data) > max_bytes:
        raise ValueError(f"is larger than {max_bytes // 2**20} MB")
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def record_fault(record: Any) -> str | None:
    """Why a value cannot be the record of a finished data set, in one line; None where it can."""
    if not isinstance(record, dict):
        return "is not a JSON object"
    try:
        _Record.model_validate(record)
    except ValidationError as error:
        return validation_fault(error)
    for key in ("classes", "images_per_split"):
        for name in record[key]:
            fault = name_fault(name)
            if fault:
                return f"{key}: {shortened(name)} {fault}"
    classes = record["classes"]
    return "classes: a name occurs twice" if len(set(classes)) < len(classes) else None


def validation_fault(error: ValidationError) -> str:
    """The first thing that is wrong, with its place, in one line."""
    first, *others = error.errors(include_url=False, include_context=False)
    if others and _place(others[0]) == _place(first):  # neither an int nor a float: the second says more
        first = others[0]
    message = first["msg"]
    return printable(f"{_place(first)}: {message[0].lower()}{message[1:]}")


def _place(error: Any) -> str:
    return ".".join(str(part) for part in error["loc"] if not str(part).startswith("constrained-"))


def shortened(text: str) -> str:
    """A text as it may be in a message."""
    return ascii(text if len(text) < 80 else text[:80] + "...")
