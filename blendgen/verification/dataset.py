"""Verify: a data set on disk against itself: every file, every row, every label that can be checked.

In: a folder. Out: Faults, one a wrong thing, in the order of the manifest. Nothing is changed. What a
fault says names the file and what is wrong with it; which of two that disagree is wrong, it cannot know.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blendgen.dataset.label_file import Channels, decode
from blendgen.dataset.label_files import FOLDERS
from blendgen.dataset.layout import Layout, file_keys, sha256_key, size_key
from blendgen.dataset.manifest import checked_row, file_names
from blendgen.dataset.schema import MAX_ROW_BYTES
from blendgen.dataset.store import read_record
from blendgen.files.regular_file import links_outside
from blendgen.scene.shot import Row
from blendgen.verification.labels import label_faults
from blendgen.verification.rows import row_faults

_MAX_IMAGE_BYTES = 2**30


@dataclass(frozen=True)
class Fault:
    """place: file, or manifest.jsonl:line; what: in one line."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


@dataclass
class _Seen:
    """What the rows before have shown, for what must not come twice or must agree."""

    indices: set[int] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    digests: dict[str, str] = field(default_factory=dict)
    split_of_shot: dict[int, str] = field(default_factory=dict)
    counts: dict[str, Counter[str]] = field(default_factory=lambda: {"split": Counter(), "label": Counter()})


def verify(folder: Path, advance: Callable[[int], None] = lambda count: None) -> Iterator[Fault]:
    """All faults of a data set; advance(1) for each row."""
    layout, seen = Layout(Path(folder)), _Seen()
    record = read_record(layout)
    if not record:
        yield Fault(layout.record.name, "is missing or cannot be read")
    for number, line in enumerate(_lines(layout.manifest), start=1):
        place = f"{layout.manifest.name}:{number}"
        try:
            row = _parsed(line)
        except ValueError as error:
            yield Fault(place, f"is not a row ({error})")
            continue
        try:
            yield from (Fault(*fault) for fault in _of_row(layout, record, row, place, seen))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError) as error:
            yield Fault(place, f"is not a whole row: {type(error).__name__} {error}")
        advance(1)
    if links_outside(layout.manifest):
        yield Fault(layout.manifest.name, "is a link that leads out of the data set")
    elif not layout.manifest.is_file():
        yield Fault(layout.manifest.name, "is missing")
    yield from _of_record(record, seen)
    yield from _strays(layout, seen)


def _lines(path: Path) -> Iterator[bytes]:
    """Lines, of one that is too long for a row a part only."""
    if path.is_file() and not links_outside(path):
        with path.open("rb") as file:
            while line := file.readline(MAX_ROW_BYTES + 1):
                yield line
                while line and not line.endswith(b"\n"):
                    line = file.readline(MAX_ROW_BYTES)


def _parsed(line: bytes) -> Row:
    if not line.endswith(b"\n"):
        raise ValueError("torn off" if len(line) <= MAX_ROW_BYTES else "too long")
    try:
        return checked_row(line)
    except json.JSONDecodeError:
        raise ValueError("no JSON") from None


def _of_row(layout: Layout, record: dict[str, Any], row: Row, place: str, seen: _Seen):
    index = row["index"]
    if index in seen.indices:
        yield place, f"index {index} comes twice"
    seen.indices.add(index)
    if seen.split_of_shot.setdefault(row["shot_index"], row["split"]) != row["split"]:
        yield place, f"shot {row['shot_index']} is in two splits"
    per_shot = record.get("exposures_per_shot", 1)
    if row["shot_index"] != index // per_shot:
        yield place, f"index {index} does not belong to shot {row['shot_index']}"
    seen.counts["split"][row["split"]] += 1
    seen.counts["label"][row["label"]] += 1
    images: dict[str, Channels] = {}
    yield from _files(layout, row, place, seen, images)
    mask = images["mask"][""] if "mask" in images else None
    for what in row_faults(row, record.get("classes", ()), mask):
        yield place, what
    for what in label_faults(row, record, images):
        yield place, what


def _files(layout: Layout, row: Row, place: str, seen: _Seen, images: dict):
    """Faults of the row's files; the label images that are whole go into `images`, by kind."""
    for name in file_names(row):
        if name in seen.files:
            yield place, f"{name} belongs to another row too"
        seen.files.add(name)
    for key in file_keys(row):
        name, size = row[key], row.get(size_key(key))
        try:
            path = layout.file(name)
        except ValueError as error:
            yield place, str(error)
            continue
        if not path.is_file():
            yield name, "is missing"
            continue
        if size is not None and size != path.stat().st_size:
            yield name, f"is not the file that was written: {path.stat().st_size} bytes, not {size}"
        with path.open("rb") as file:
            data = file.read(_MAX_IMAGE_BYTES + 1)
        if len(data) > _MAX_IMAGE_BYTES:
            yield name, f"is larger than {_MAX_IMAGE_BYTES // 2**20} MB"
            continue
        digest = hashlib.sha256(data).hexdigest()
        if digest != row[sha256_key(key)]:
            yield name, "is not the file that was written: its sha256 differs"
        if key == "file_name":
            if digest in seen.digests:
                yield name, f"is the same picture as {seen.digests[digest]}"
            seen.digests[digest] = name
        channels = decode(data, path.suffix, row["width"] * row["height"])
        if channels is None:
            yield name, "cannot be decoded"
            continue
        height, width = next(iter(channels.values())).shape
        if (width, height) != (row["width"], row["height"]):
            yield name, f"is {width} x {height} pixels, not {row['width']} x {row['height']}"
        elif key != "file_name":
            images[key.removesuffix("_file_name")] = channels


def _of_record(record: dict[str, Any], seen: _Seen) -> Iterator[Fault]:
    for key in ("split", "label"):
        told = record.get(f"images_per_{key}")
        if record and told != dict(seen.counts[key]):
            yield Fault(
                "dataset.json", f"images_per_{key} says {told}, the rows say {dict(seen.counts[key])}"
            )
    if record and record.get("images") != len(seen.indices):
        yield Fault(
            "dataset.json", f"says {record.get('images')} images, the manifest has {len(seen.indices)}"
        )


def _strays(layout: Layout, seen: _Seen) -> Iterator[Fault]:
    """Files that no row names: trainers would take them for data."""
    for folder in FOLDERS:
        for path in sorted((layout.root / folder).rglob("*")):
            name = path.relative_to(layout.root).as_posix()
            if path.is_file() and name not in seen.files:
                yield Fault(name, "belongs to no row")
