"""Schema: what a row of a manifest and a dataset.json must hold before anything trusts them.

In: bytes and values that a stranger may have written. Out: the same values, or one line that says what is
wrong. Only what this program reads is checked; what else stands in a row is left alone.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from blendgen.files.names import name_fault, printable
from blendgen.scene.shot import Row

MAX_ROW_BYTES = 8 * 2**20  # a row of 200 products has 0.3 MB
MAX_RECORD_BYTES = 16 * 2**20
MAX_SIDE_PX = 65_535

_Index = Annotated[int, Field(ge=0, le=10**15)]
_Id = Annotated[int, Field(ge=0, le=2**31)]
_Number = Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False)]
_Side = Annotated[int, Field(ge=1, le=MAX_SIDE_PX)]
_Pixels = Annotated[float, Field(ge=-(2**20), le=2**20, allow_inf_nan=False)]
_Box = Annotated[list[_Pixels], Field(min_length=4, max_length=4)]
_Area = Annotated[float, Field(ge=0, le=2**40, allow_inf_nan=False)]
_Vector3 = Annotated[list[_Number], Field(min_length=3, max_length=3)]
_Row4 = Annotated[list[_Number], Field(min_length=4, max_length=4)]
_Matrix3 = Annotated[list[_Vector3], Field(min_length=3, max_length=3)]
_Matrix4 = Annotated[list[_Row4], Field(min_length=4, max_length=4)]
_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class _BaseRow(_Strict):
    index: _Index
    file_name: str
    label: str
    split: str


class _Objects(_Strict):
    """Columns of equal length; keypoints and boxes of other kinds where there are some."""

    bbox: list[_Box]
    bbox_amodal: list[_Box]
    category: list[str]
    category_id: list[_Id]
    area: list[_Area]
    product: list[str]
    colorway: list[str]
    visible_fraction: list[_Number]
    instance_id: list[_Id]
    object_to_world: list[_Matrix4]
    object_to_camera: list[_Matrix4]
    size_m: list[_Vector3]
    case: list[str | None] | None = None
    keypoints: list[list[_Vector3]] | None = None


class _Camera(_Strict):
    intrinsics: _Matrix3
    world_to_camera: _Matrix4
    distortion: list[_Number]


class _WholeRow(_BaseRow):
    shot_index: _Index
    label_id: _Id
    width: _Side
    height: _Side
    sha256: _Digest
    objects: _Objects
    camera: _Camera


class _Keypoints(_Strict):
    names: list[str] = []
    mirrored: dict[str, str] = {}


class _Axis(_Strict):
    axis: _Vector3
    offset_m: _Vector3


class _Symmetries(_Strict):
    continuous: list[_Axis] = []
    discrete: list[Any] = []


class _Record(_Strict):
    name: str
    digest: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,128}$")]
    classes: Annotated[list[str], Field(min_length=1)]
    images_per_split: dict[str, _Index]
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


def row_fault(row: Any, whole: bool = False) -> str | None:
    """Why a value cannot be a row, in one line; None where it can.

    whole: with all columns that exports read
    """
    fault = _fault_of(_WholeRow if whole else _BaseRow, row)
    if fault:
        return fault
    for key in ("label", "split"):
        fault = name_fault(row[key])
        if fault:
            return f"{key} {_shown(row[key])} {fault}"
    return _objects_fault(row) if whole else None


def record_fault(record: Any) -> str | None:
    """Why a value cannot be the record of a finished data set, in one line; None where it can."""
    fault = _fault_of(_Record, record)
    if fault:
        return fault
    for key in ("classes", "images_per_split"):
        for name in record[key]:
            fault = name_fault(name)
            if fault:
                return f"{key}: {_shown(name)} {fault}"
    classes = record["classes"]
    return "classes: a name comes twice" if len(set(classes)) < len(classes) else None


def _objects_fault(row: Row) -> str | None:
    objects = row["objects"]
    lengths = {key: len(objects[key]) for key in _Objects.model_fields if objects.get(key) is not None}
    if len(set(lengths.values())) > 1:
        return f"objects: columns differ in length: {lengths}"
    for name in (*objects["category"], *objects["product"], *objects["colorway"]):
        if any(map(_hides, name)):
            return f"objects: {_shown(name)} has a control character in it"
    return None


def _hides(letter: str) -> bool:
    return letter < " " or "\ud800" <= letter <= "\udfff" or letter in "\ufffe\uffff"


def _fault_of(model: type[BaseModel], value: Any) -> str | None:
    if not isinstance(value, dict):
        return "is not a JSON object"
    try:
        model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        return printable(f"{place}: {first['msg'][0].lower()}{first['msg'][1:]}")
    return None


def _shown(text: str) -> str:
    return ascii(text if len(text) < 80 else text[:80] + "...")
