"""Index: what a data set in an object store consists of; written last, so that a reader knows what is whole.

`.blendgen-objects.jsonl` is next to the objects of a data set. The first line states what it is and whether
it is complete, and each further line one object, with its size and sha256. In: bytes that a stranger may have
written. Out: an Index, whose names stay in the folder of a data set.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass

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


@checked_dataclass(frozen=True, slots=True, config=ConfigDict(strict=True, extra="ignore"))
class Entry:
    """An object of a data set; etag: what the store said when it was verified, None if it says nothing."""

    name: str
    size: Count
    sha256: Annotated[str, Field(pattern=_SHA256)]
    etag: Annotated[str, Field(max_length=200)] | None = None


_ENTRY = TypeAdapter(Entry)
_Parsed = TypeVar("_Parsed")


class Head(BaseModel):
    """What an index says of the data set.

    is_complete: all wanted images are there, or cannot be made; is_whole: nothing is being sent
    spec_sha256: of the values of the spec, without the paths of a machine
    wanted: images of this part; spec_images: of all parts together
    record: the keys of dataset.json that decide whether it may be continued
    """

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

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
        lines = (asdict(self.entries[name]) for name in sorted(self.entries))
        return "".join(f"{_text(line)}\n" for line in (head.model_dump(), *lines)).encode()


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
    return _read(store.place(name), lambda: _index(_lines(store.opened(name, MAX_INDEX_BYTES))))


def read_head(store: ObjectStore, prefix: str) -> Head | None:
    """As read_index, but only the head is fetched."""
    name = joined(prefix, OBJECTS_NAME)
    return _read(store.place(name), lambda: _head(_lines([store.start(name, _MAX_LINE_BYTES)])))


def joined(prefix: str, name: str) -> str:
    return f"{prefix}/{name}" if prefix else name


def _lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of an index, which is never whole in memory; raises ValueError for one that is too long."""
    rest = b""
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        if max(map(len, (*lines, rest))) > _MAX_LINE_BYTES:
            raise ValueError(f"has a line of more than {_MAX_LINE_BYTES // 1024} KiB")
        yield from lines
    if rest:
        yield rest


def _read(place: str, parsed: Callable[[], _Parsed]) -> _Parsed | None:
    """What is parsed; None where the object is missing; raises DatasetError."""
    try:
        return parsed()
    except FileNotFoundError:
        return None
    except ValueError as error:
        what = validation_fault(error) if isinstance(error, ValidationError) else str(error)
        raise DatasetError(f"{place}: is damaged: {what}; {_DAMAGED}") from None


def _head(lines: Iterator[bytes]) -> Head:
    """raises: ValueError"""
    return Head.model_validate(parsed_json(next(lines, b""), _MAX_LINE_BYTES))


def _index(lines: Iterator[bytes]) -> Index:
    """raises: ValueError"""
    index = Index(_head(lines))
    for line in lines:
        entry = _ENTRY.validate_json(line)
        _refuse(entry.name, index)
        index.entries[entry.name] = entry
    if len(index.entries) != index.head.objects:
        raise ValueError(f"has {len(index.entries)} objects, not {index.head.objects}")
    return index


def _refuse(name: str, index: Index) -> None:
    """Raises ValueError for the name of an object that cannot follow those of an index."""
    fault = path_fault(name) or ("is hidden" if name.startswith(".") else None)
    if name in index.entries:
        fault = "occurs twice"
    if fault:
        raise ValueError(f"the name {name[:200]!r} {fault}")
    if len(index.entries) == index.head.objects:
        raise ValueError(f"has more than {index.head.objects} objects")


def _text(line: dict[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":"))
