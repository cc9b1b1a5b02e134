"""Sidecar: the schema of a `model.yaml`, which states what cannot be measured from a model's mesh.

All points and directions are in one frame: the model file's own axes and unit, or those that Blender shows
(`coordinates`); apply.py converts them to the product frame. Unknown keys are errors.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, field_validator

from blendgen.files.names import checked_name, is_hidden, nfc
from blendgen.models.product_names import folder_name
from blendgen.models.scan import UP_AXES, UpAxis
from blendgen.scene.vocabulary import Unit
from blendgen.spec.products import Finish
from blendgen.spec.section import Section, ShortSection

VERSION = 1
LONGEST_NAME = 100
MARK = "blendgen_model"  # the key that every sidecar has
FILE: Literal["file"] = "file"  # coordinates as in the model file
_FARTHEST = 1e9  # in any unit; models are measured in single precision
Vector = tuple[float, float, float]
_SIGNED_AXIS = re.compile(r"([+-]?)([xyz])")


def _vector(value: Any) -> Vector:
    numbers = isinstance(value, list | tuple) and all(
        isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x) for x in value
    )
    if not numbers or len(value) != 3:
        raise ValueError(f"must be three numbers, [x, y, z], got {value!r}")
    if max(map(abs, value)) > _FARTHEST:
        raise ValueError(f"must be three numbers below {_FARTHEST:g}, got {value!r}")
    x, y, z = value
    return (float(x), float(y), float(z))


def _axis(value: Any) -> Vector:
    """(3,) unit vector of "+x", "z", "-y", ... or [x, y, z]."""
    if isinstance(value, str):
        match = _SIGNED_AXIS.fullmatch(value)
        if match is None:
            raise ValueError(f"must be an axis such as x, +y or '-z', or [x, y, z], got {value!r}")
        sign = -1.0 if match[1] == "-" else 1.0
        x, y, z = (sign if name == match[2] else 0.0 for name in "xyz")
        return (x, y, z)
    x, y, z = _vector(value)
    length = math.hypot(x, y, z)
    if length == 0:
        raise ValueError("must not be [0, 0, 0]")
    return (x / length, y / length, z / length)


def _patterns(value: Any) -> list[str]:
    patterns = [value] if isinstance(value, str) else value
    if not isinstance(patterns, list) or not patterns or not all(p and isinstance(p, str) for p in patterns):
        raise ValueError(f"must be a pattern, or a list of patterns, of names, got {value!r}")
    return patterns


_PLACE_SCHEMA = {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3}
_AXIS_SCHEMA = {
    "anyOf": [{"enum": [sign + axis for sign in ("", "+", "-") for axis in UP_AXES]}, _PLACE_SCHEMA]
}
_PATTERN_SCHEMA = {"type": "string", "minLength": 1}
_PATTERNS_SCHEMA = {"anyOf": [_PATTERN_SCHEMA, {"type": "array", "items": _PATTERN_SCHEMA, "minItems": 1}]}

Place = Annotated[Vector, BeforeValidator(_vector), WithJsonSchema(_PLACE_SCHEMA)]
Axis = Annotated[Vector, BeforeValidator(_axis), WithJsonSchema(_AXIS_SCHEMA)]
Patterns = Annotated[list[str], BeforeValidator(_patterns), WithJsonSchema(_PATTERNS_SCHEMA)]
Pattern = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Name = Annotated[Pattern, AfterValidator(nfc), AfterValidator(checked_name)]


class KeypointPlace(ShortSection):
    """A named point of the model."""

    SHORT = ("at", _PLACE_SCHEMA)

    at: Place = Field(description="[x, y, z] as `coordinates` says, in the file's own unit")
    mirrored: str | None = Field(
        None, description="the keypoint that it becomes in a mirrored image, left for right"
    )


class ContinuousSymmetry(ShortSection):
    """The product looks the same after any rotation about an axis."""

    SHORT = ("axis", _AXIS_SCHEMA)

    axis: Axis = Field(description="such as z, or [x, y, z]")
    through: Place | None = Field(
        None,
        description="a point of the axis; default: the middle of the box",
    )


class DiscreteSymmetry(Section):
    """The product looks the same after a fraction of a full turn about an axis."""

    axis: Axis = Field(description="such as z, or [x, y, z]")
    fold: int = Field(
        ge=2, le=72, description="how many times a full turn maps it onto itself: 2 for half a turn"
    )
    through: Place | None = Field(
        None,
        description="a point of the axis; default: the middle of the box",
    )


class StatedSymmetries(Section):
    """Rotations under which the product looks the same, including its paint."""

    continuous: list[ContinuousSymmetry] = Field([], description="axes of any rotation")
    discrete: list[DiscreteSymmetry] = Field([], description="axes of a fraction of a turn")


class Sidecar(Section):
    """One model; every key but the first is optional."""

    blendgen_model: Literal[1] = Field(description="the version of this format, 1")
    model_class: Pattern | None = Field(None, alias="class", description="its class; see products[].label")
    unit: Unit | None = Field(
        None,
        description="of the numbers in the model file; overrides the unit that the file states; the spec's "
        "unit overrides both",
    )
    up: UpAxis | None = Field(
        None, description="up axis of an obj, stl, ply, off, step or iges file; the spec's up overrides it"
    )
    textures: Pattern | None = Field(
        None,
        description="the folder of its textures, relative to the model; they are looked up there first",
    )
    coordinates: Literal["file", "blender"] = Field(
        FILE,
        description="of all points and axes below: file, as in the model file; blender, as Blender shows "
        "them after importing the file with default settings",
    )
    colorways: dict[Name, dict[Pattern, Finish]] | None = Field(
        None,
        min_length=1,
        description="instead of the model's own; as `recolor` of a spec, which overrides them",
    )
    parts: dict[Name, Patterns] = Field({}, description="part label -> pattern(s) of material names")
    glass: Patterns = Field(
        [], description="pattern(s) of names of materials that are glass: it cracks, and has no scuffs"
    )
    screen: Patterns = Field(
        [],
        description="pattern(s) of names of materials that condition.screen switches on; glass too",
    )
    hide: Patterns = Field(
        [],
        description="pattern(s) of names of objects that are not part of the product; those of their parents "
        "and collections count too",
    )
    show: Patterns = Field(
        [],
        description="pattern(s) of names of objects that are part of it although the file hides them or they "
        "look like a lower level of detail, a collision hull or a floor",
    )
    keypoints: dict[Name, KeypointPlace] = Field(
        {}, description="named points on the surface, located in each image"
    )
    symmetries: StatedSymmetries = Field(StatedSymmetries(), description="for pose estimation")
    exclude_poses: list[Axis] = Field(
        [], description="stable poses in which one of these axes of the model file points up are not used"
    )

    @field_validator("model_class")
    @classmethod
    def _names_a_folder(cls, name):
        if name is None:
            return None
        name = nfc(name)
        if folder_name(name) != name and not any(map(is_hidden, name)):
            raise ValueError(f"must be usable as a folder name, such as {folder_name(name)}, got {name!r}")
        return checked_name(name)


KEYS = tuple(field.alias or name for name, field in Sidecar.model_fields.items())


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a sidecar."""
    schema = Sidecar.model_json_schema(by_alias=True)
    return schema | {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "blendgen model sidecar",
    }
