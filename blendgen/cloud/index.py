"""Index: what a data set in an object store consists of; written last, so that a reader knows what is whole.

`.blendgen-objects.jsonl` is next to the objects of a data set. The first line states what it is and whether
it is complete, and each further line one object, with its size and sha256. In: bytes that a stranger may have
written. Out: an Index, whose names stay in the folder of a data set.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from blendgen.cloud.objects import ObjectStore
from blendgen.dataset.layout import OBJECTS_NAME
from blendgen.dataset.schema import parsed_json, validation_fault
from blendgen.errors import DatasetError
from blendgen.files.names import path_fault
from blendgen.scene.row import Index as Count

MAX_INDEX_BYTES = 512 * 2**20
_MAX_LINE_BYTES = 16_384
_SHA256 = r"^[0-9a-f]{64}$"
_DAMAGED = "make the data set again with force (--force), or restore it"


class _Line(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class Entry(_Line):
    """An object of a data set; etag: what the store said when it was verified, None if it says nothing."""

    name: str
    size: Count
    sha256: str = Field(pattern=_SHA256)
    etag: str | None = Field(default=None, max_length=200)


class Head(_Line):
    """What an index says of the data set.

    is_complete: all wanted images are there, or cannot be made; is_whole: nothing is being sent
    spec_sha256: of the values of the spec, without the paths of a machine
    wanted: images of this part; spec_images: of all parts together
    record: the keys of dataset.json that decide whether it may be continued
    """

    schema_version: int = 1
    is_complete: bool = False
    is_whole: bool = False
    spec_sha256: str = ""
    wanted: Count = 0
    spec_images: Count = 0
    images: Count = 0
    failed_per_reason: dict[str, Count] = {}
    record: dict[str, str | int] = {}
    objects: Count = 0


@dataclass(frozen=True)
class Index:
    """entries: by name"""

    head: Head
    entries: dict[str, Entry] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        head = self.head.model_copy(update={"objects": len(self.entries)})
        lines = (head, *(self.entries[name] for name in sorted(self.entries)))
        return "".join(f"{_text(line)}\n" for line in lines).encode()


def write_index(store: ObjectStore, prefix: str, index: Index) -> None:
    """raises: DatasetError for a data set of too many files, BlendgenError"""
    data = index.to_bytes()
    if len(data) > MAX_INDEX_BYTES:
        raise DatasetError(
            f"{store.place(prefix)}: has {len(index.entries)} files, which are too many for one data set in "
            "an object store"
        )
    store.write(joined(prefix, OBJECTS_NAME), data)


def read_index(store: ObjectStore, prefix: str) -> Index | None:
    """The index of a data set; None if there is none; raises DatasetError for one that is not ours."""
    name = joined(prefix, OBJECTS_NAME)
    data = store.read(name, MAX_INDEX_BYTES)
    if data is None:
        return None
    try:
        return _parsed(data)
    except ValueError as error:
        raise DatasetError(f"{store.place(name)}: is damaged: {error}; {_DAMAGED}") from None


def read_head(store: ObjectStore, prefix: str) -> Head | None:
    """The first line of an index alone."""
    name = joined(prefix, OBJECTS_NAME)
    data = store.start(name, _MAX_LINE_BYTES)
    if data is None:
        return None
    try:
        return Head.model_validate(_value(data.partition(b"\n")[0]))
    except ValueError as error:
        raise DatasetError(f"{store.place(name)}: is damaged: {_shown(error)}; {_DAMAGED}") from None


def joined(prefix: str, name: str) -> str:
    return f"{prefix}/{name}" if prefix else name


def _parsed(data: bytes) -> Index:
    """raises: ValueError"""
    first, *rest = data.removesuffix(b"\n").split(b"\n")
    try:
        head = Head.model_validate(_value(first))
        lines = [Entry.model_validate(_value(line)) for line in rest]
    except ValueError as error:
        raise ValueError(_shown(error)) from None
    entries = {entry.name: entry for entry in lines}
    if len(lines) != head.objects or len(entries) != len(lines):
        raise ValueError(f"has {len(entries)} objects, not {head.objects}")
    for name in entries:
        fault = path_fault(name) or ("is hidden" if name.startswith(".") else None)
        if fault:
            raise ValueError(f"the name {name[:200]!r} {fault}")
    return Index(head, entries)


def _value(line: bytes) -> Any:
    return parsed_json(line, _MAX_LINE_BYTES)


def _shown(error: ValueError) -> str:
    return validation_fault(error) if isinstance(error, ValidationError) else str(error)


def _text(line: BaseModel) -> str:
    return json.dumps(line.model_dump(), ensure_ascii=False, separators=(",", ":"))
