"""Golden: what a spec made when somebody looked at it, as small files that are committed next to the spec.

`golden.json` states spec, models, classes, machine and bounds; `rows.json` has the labels and the sampled
values, one field a line; `clean/` has the images without noise. In: the folder, which a stranger may have
written. Out: a Golden, or a DatasetError.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from blendgen.dataset.label_file import decode
from blendgen.dataset.schema import parsed_json, validation_fault
from blendgen.errors import DatasetError
from blendgen.files.disk import raise_if_passing
from blendgen.files.folder import Folder
from blendgen.files.regular_file import links_outside, read_bounded
from blendgen.geometry.arrays import ImageHW3U8
from blendgen.golden.pixels import pixel_digest
from blendgen.golden.plan import MAX_IMAGES
from blendgen.scene.row import Digest

NAME, ROWS_NAME, CLEAN_FOLDER = "golden.json", "rows.json", "clean"
_MAX_BYTES = 16 * 2**20
_MAX_PICTURE_BYTES, _MAX_SIDE_PX = 4 * 2**20, 1024
_PICTURE = re.compile(rf"{CLEAN_FOLDER}/[0-9]{{6,15}}\.png")
_PARTIAL = re.compile(r"\.partial/[0-9]+-[0-9]+")
_MARK = "golden files of blendgen smoke; update them with `blendgen smoke SPEC --update`"
_Share = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class Bounds(_Part):
    """How far a clean image may be away: see pixels.Deviation."""

    brightness: _Share
    block: _Share


class GoldenModel(_Part):
    """file: as messages name it; sha256: of the model file, None without a file

    content: also of its options and of the other files that it is read with, for one version of Blender
    """

    file: str
    sha256: Digest | None
    content: Digest


class GoldenImage(_Part):
    """digests: name of a label file -> sha256 of its pixels; clean: of the picture in clean/"""

    label: str
    digests: dict[str, Digest]
    clean: Digest
    bounds: Bounds


class GoldenRecord(_Part):
    """The content of golden.json."""

    schema_version: int
    about: str
    blendgen_version: str
    pixels_version: int
    machine: dict[str, str]
    classes: dict[str, list[str]]
    models: dict[str, GoldenModel]
    images: Annotated[dict[str, GoldenImage], Field(max_length=MAX_IMAGES)]
    spec: dict[str, Any]


class Golden:
    """The golden files in a folder, read and checked.

    record: of golden.json; rows: by index, as of plain_row
    """

    def __init__(self, folder: Path, record: GoldenRecord, rows: dict[int, dict[str, Any]]):
        self.folder, self.record, self.rows = folder, record, rows
        self.images = {int(index): image for index, image in record.images.items()}

    def clean(self, index: int) -> ImageHW3U8:
        """The clean image; raises DatasetError if it is not the one that was written."""
        path = self.folder / _clean_name(index)
        channels = decode(_read(path, _MAX_PICTURE_BYTES), path.suffix, _MAX_SIDE_PX**2)
        pixels = None if channels is None else np.stack([*channels.values()], axis=-1)
        if pixels is None or pixel_digest(pixels) != self.images[index].clean:
            raise _damaged(path, "is not the picture that was written")
        return pixels


def has_golden(folder: Path) -> bool:
    """Raises DatasetError if the folder is a file, or cannot be looked into."""
    path = folder / NAME
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        raise _not_a_folder(folder) from None
    except OSError as error:
        raise_if_passing(path, error)
        raise DatasetError(f"{path}: {error.strerror}; choose another folder for the golden files") from None
    return True


def read_golden(folder: Path) -> Golden:
    """raises: DatasetError for files that are damaged, or not golden files"""
    path = folder / NAME
    try:
        record = GoldenRecord.model_validate(_parsed(path))
        images = {_index(index) for index in record.images}
    except ValidationError as error:
        raise _damaged(path, validation_fault(error)) from None
    if record.schema_version != 1:
        raise DatasetError(f"{path}: was written by a newer blendgen; install that version")
    path = folder / ROWS_NAME
    rows = _parsed(path)
    if not isinstance(rows, dict) or not all(isinstance(row, dict) for row in rows.values()):
        raise _damaged(path, "does not hold rows")
    by_index = {_index(index): row for index, row in rows.items()}
    if by_index.keys() != images:
        raise _damaged(path, f"does not hold the rows of the images in {NAME}")
    return Golden(folder, record, by_index)


def write_golden(
    folder: Path,
    record: GoldenRecord,
    rows: Mapping[int, dict[str, Any]],
    clean: Mapping[int, ImageHW3U8],
) -> None:
    """Write golden files, or replace earlier ones; golden.json last.

    In a new folder, an empty golden.json comes first: whatever becomes of the rest, the folder is known as
    ours, and does not look like one without golden files.
    raises: DatasetError, also for a folder with anything else in it
    """
    refuse_others_folder(folder)
    target = Folder(folder)
    if not has_golden(folder):
        target.write(NAME, _json({"about": _MARK}))
    for index, picture in clean.items():
        target.write(_clean_name(index), _png(picture))
    target.write(ROWS_NAME, rows_text(rows).encode())
    target.write(NAME, _json(record.model_dump()))
    for name in [*target.files(CLEAN_FOLDER)]:
        if name not in map(_clean_name, clean):
            target.remove(name)
    target.remove_temporary_files()


def refuse_others_folder(folder: Path) -> None:
    """Raises DatasetError if golden files would be mixed with files of somebody else."""
    is_marked = has_golden(folder) and _is_marked(folder)
    names = [name for name in Folder(folder).files() if not _PARTIAL.fullmatch(name)]
    others = [name for name in names if not (is_marked and _is_ours(name))]
    if others:
        listed = ", ".join(sorted(others)[:3])
        raise DatasetError(
            f"{folder}: contains {listed}, which is not of these golden files; choose another folder for them"
        )


def new_record(**values: Any) -> GoldenRecord:
    return GoldenRecord(schema_version=1, about=_MARK, **values)


def rows_text(rows: Mapping[int, dict[str, Any]]) -> str:
    """Rows as JSON with one field a line, so that a reviewer sees what changed."""
    return "\n".join(_lines({str(index): row for index, row in rows.items()}, "")) + "\n"


def _lines(value: Any, indent: str) -> Iterator[str]:
    """A mapping has a line for each key, and a list of mappings one for each of them."""
    nested = isinstance(value, dict) and value
    if not nested and not (isinstance(value, list) and any(isinstance(item, dict) for item in value)):
        yield json.dumps(value, ensure_ascii=False)
        return
    yield "{" if nested else "["
    entries = [*value.items()] if nested else [(None, item) for item in value]
    for number, (key, item) in enumerate(entries, start=1):
        first, *more = _lines(item, f"{indent} ")
        start = "" if key is None else f"{json.dumps(key, ensure_ascii=False)}: "
        lines = [f"{indent} {start}{first}", *more]
        yield from lines[:-1]
        yield lines[-1] + ("," if number < len(entries) else "")
    yield indent + ("}" if nested else "]")


def _index(text: str) -> int:
    if not text.isdecimal() or len(text) > 15:
        raise DatasetError(f"golden files: expected the number of an image, got {ascii(text)[:40]}")
    return int(text)


def _parsed(path: Path) -> Any:
    try:
        return parsed_json(_read(path, _MAX_BYTES), _MAX_BYTES)
    except ValueError as error:
        raise _damaged(path, f"is not JSON: {error}") from None


def _read(path: Path, max_bytes: int) -> bytes:
    if links_outside(path):
        raise _damaged(path, "is a link that leads out of its folder")
    try:
        return read_bounded(path, max_bytes)
    except OSError as error:
        raise_if_passing(path, error)
        raise _damaged(path, error.strerror or str(error)) from None


def _damaged(path: Path, what: str) -> DatasetError:
    return DatasetError(f"{path}: {what}; restore it, or write golden files again with --update")


def _not_a_folder(path: Path) -> DatasetError:
    return DatasetError(f"{path}: is a file; give the folder of the golden files")


def _is_ours(name: str) -> bool:
    return name in (NAME, ROWS_NAME) or bool(_PICTURE.fullmatch(name))


def _is_marked(folder: Path) -> bool:
    """Whether golden.json is ours, also if the rest is damaged or was never finished."""
    try:
        return b"blendgen smoke" in read_bounded(folder / NAME, _MAX_BYTES)
    except OSError:
        return False


def _clean_name(index: int) -> str:
    return f"{CLEAN_FOLDER}/{index:06d}.png"


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _png(picture: ImageHW3U8) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
