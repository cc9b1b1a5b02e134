"""Rows: lines of manifest.jsonl to Rows and back. The names of its columns are here.

In: the bytes of a line, which a stranger may have written. Out: a RowHead or a Row whose names and paths are
safe to use, or a ValueError that states in one line what is wrong. Back: one line of JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError
from pydantic_core import from_json

from blendgen.dataset.label_file import LabelFile
from blendgen.dataset.label_registry import IMAGE, LABEL_FILES
from blendgen.dataset.schema import shortened, validation_fault
from blendgen.files.names import name_fault, path_fault
from blendgen.scene.row import Objects, Row, RowHead

MAX_ROW_BYTES = 8 * 2**20  # a row of 200 products has 0.3 MB
_FILE_NAME, _SHA256, _SIZE = "file_name", "sha256", "size_bytes"
_AnyRow = TypeVar("_AnyRow", RowHead, Row)


class _Columns(NamedTuple):
    """The columns of a label file that state facts about it, next to that of its path."""

    kind: LabelFile
    sha256: str
    size_bytes: str


def _column(name: str, fact: str) -> str:
    """mask_sha256 for the sha256 of the mask; those of the image have no prefix."""
    return fact if name == IMAGE.name else f"{name}_{fact}"


_COLUMNS = {  # by the column of the path
    _column(name, _FILE_NAME): _Columns(kind, _column(name, _SHA256), _column(name, _SIZE))
    for name, kind in LABEL_FILES.items()
}


def parse_head(line: bytes) -> RowHead:
    """The head of a line, whose other columns may be missing or wrong; raises ValueError."""
    return head_from(row_values_of(line))


def parse_row(line: bytes) -> Row:
    """The row of a line; raises ValueError."""
    return row_from(row_values_of(line))


def row_values_of(line: bytes) -> dict[str, Any]:
    """The columns of a line as they are, unchecked; raises ValueError where it is not a JSON object."""
    if len(line) > MAX_ROW_BYTES:
        raise ValueError(f"larger than {MAX_ROW_BYTES // 2**20} MB")
    try:
        values = from_json(line)
    except ValueError as error:
        raise ValueError(f"not JSON: {str(error).partition(' at line ')[0]}") from None
    if not isinstance(values, dict):
        raise ValueError("not a JSON object")
    return values


def head_from(values: Mapping[str, Any]) -> RowHead:
    """The head of some columns; raises ValueError."""
    head = _checked(RowHead, {**values, "files": _files(values)})
    for column, name in (("label", head.label), ("split", head.split)):
        fault = name_fault(name)
        if fault:
            raise ValueError(f"{column} {shortened(name)} {fault}")
    return head


def row_from(values: Mapping[str, Any], head: RowHead | None = None) -> Row:
    """The row of some columns; head: of the same columns, where it is known; raises ValueError."""
    more = {
        "files": (head or head_from(values)).files,
        "shot_values": values.get("shot", {}),
        "exposure_values": values.get("exposure", {}),
    }
    row = _checked(Row, {**values, **more})
    if row.image.sha256 is None:
        raise ValueError(f"{_SHA256}: field required")
    _check_objects(row.objects)
    return row


def row_values(row: Row) -> dict[str, Any]:
    """The columns of a row, in their order; with tuples where JSON has arrays."""
    files = row.files.items()
    facts: list[tuple[str, str | int | None]] = [
        (_column(name, _SHA256), file.sha256) for name, file in files
    ]
    facts += [(_column(name, _SIZE), file.size_bytes) for name, file in files]
    camera = {name: getattr(row.camera, name) for name in type(row.camera).model_fields}
    drawn = {"shot": row.shot_values, "exposure": row.exposure_values}
    return {
        **{_column(name, _FILE_NAME): file.name for name, file in files},
        "label": row.label,
        "label_id": row.label_id,
        "split": row.split,
        "index": row.index,
        "shot_index": row.shot_index,
        "width": row.width,
        "height": row.height,
        **{column: value for column, value in facts if value is not None},
        "objects": row.objects.columns(),
        "camera": {name: value for name, value in camera.items() if value is not None},
        **{column: values for column, values in drawn.items() if values},
    }


def row_line(row: Row) -> str:
    """The line of a row, with its newline."""
    return json_line(row_values(row))


def line_with_image(line: bytes, sha256: str, size_bytes: int) -> bytes:
    """The line of a row whose image has another content; raises ValueError where it is not a JSON object."""
    values = row_values_of(line)
    return json_line({**values, _SHA256: sha256, _SIZE: size_bytes}).encode()


def json_line(values: Mapping[str, Any]) -> str:
    """One line of JSON with its newline."""
    return json.dumps(values, ensure_ascii=False, separators=(", ", ": ")) + "\n"


def _files(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The files that some columns name: name of the label file -> fields of a RowFile."""
    files = {}
    for column in values:
        if isinstance(column, str) and column.endswith(_FILE_NAME):
            path, columns = values[column], _COLUMNS.get(column)
            fault = _path_fault(columns, path)
            if fault or columns is None:
                raise ValueError(f"{column} {ascii(path)[:120]} {fault}")
            sha256, size_bytes = values.get(columns.sha256), values.get(columns.size_bytes)
            files[columns.kind.name] = {"name": path, "sha256": sha256, "size_bytes": size_bytes}
    if IMAGE.name not in files:
        raise ValueError(f"{_FILE_NAME}: field required")
    return files


def _path_fault(columns: _Columns | None, path: Any) -> str | None:
    """Why the path in a column cannot be that of a file of a data set; None where it can."""
    if columns is None:
        return f"is a file of an unknown kind (known: {', '.join(LABEL_FILES)})"
    return path_fault(path) or columns.kind.path_fault(path)


def _checked(kind: type[_AnyRow], values: dict[str, Any]) -> _AnyRow:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise ValueError(validation_fault(error)) from None


def _check_objects(objects: Objects) -> None:
    columns = objects.columns()
    if len(set(map(len, columns.values()))) > 1:
        lengths = {name: len(values) for name, values in columns.items()}
        raise ValueError(f"objects: columns differ in length: {lengths}")
    for name in {*objects.category, *objects.product, *objects.colorway}:
        if not name.isprintable() and any(map(_is_control, name)):
            raise ValueError(f"objects: {shortened(name)} has a control character in it")


def _is_control(letter: str) -> bool:
    return letter < " " or "\ud800" <= letter <= "\udfff" or letter in "\ufffe\uffff"
