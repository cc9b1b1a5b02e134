"""Manifest: OUT/manifest.jsonl, one Row per line, the source of truth of a data set.

Only the parent process appends (see json_lines.py). At the end the lines are sorted by index, so that the
file does not depend on the order in which the images were made.
"""

from __future__ import annotations

import hashlib
import re
import sys
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeVar

from blendgen.dataset.index_set import IndexSet
from blendgen.dataset.json_lines import JsonLines
from blendgen.dataset.layout import Layout
from blendgen.dataset.packed import ImageFiles
from blendgen.dataset.row_places import RowPlaces
from blendgen.dataset.rows import MAX_ROW_BYTES, parse_head, parse_row, row_line
from blendgen.dataset.whole_files import has_files
from blendgen.files.disk import disk_error
from blendgen.files.folder import Folder
from blendgen.files.names import name_fault
from blendgen.scene.row import Row, RowFile, RowHead

_CONTENT, _MADE_AGAIN = "a row of a manifest", "remove this line to have its image made again"
_AnyRow = TypeVar("_AnyRow", RowHead, Row)
# those of the row itself come first
_SPLIT_AND_INDEX = re.compile(rb'"split": "([ !#-[\]-~]*)", "index": ([0-9]{1,15})\b')


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a manifest, in the order of the file, without a torn last line.

    raises: DatasetError for any other line that is not a row, or that names a file outside the data set
    """
    lines = manifest_lines(path)
    for number, line in enumerate(lines.lines(), start=1):
        yield _parsed(parse_row, line, lines, number)


def read_lines(path: Path) -> Iterator[bytes]:
    """The lines of a manifest, in the order of read_rows, as they are."""
    return manifest_lines(path).lines()


def read_row(path: Path, number: int, offset: int) -> Row:
    """One row of a manifest.

    number: of its line, from 1; offset: where the line starts, in bytes (see Census)
    raises: DatasetError for a line that is not a row
    """
    lines = manifest_lines(path)
    with lines.opened() as file:
        file.seek(offset)
        return _parsed(parse_row, file.readline(MAX_ROW_BYTES + 1), lines, number)


def read_heads(path: Path, way_out: str = _MADE_AGAIN) -> Iterator[RowHead]:
    """As `read_rows`, but only the head of each row; its other columns may be missing or wrong.

    way_out: where a line is not a row, for the message
    """
    lines = JsonLines(path, _CONTENT, way_out)
    for number, line in enumerate(lines.lines(), start=1):
        yield _parsed(parse_head, line, lines, number)


def manifest_lines(path: Path) -> JsonLines:
    return JsonLines(path, _CONTENT, _MADE_AGAIN)


def _parsed(parse: Callable[[bytes], _AnyRow], line: bytes, lines: JsonLines, number: int) -> _AnyRow:
    try:
        return parse(line)
    except ValueError as error:
        raise lines.fault(number, error) from None


def census(path: Path) -> Census:
    """Count the rows of a manifest in one pass; only lines that this program did not write are parsed.

    raises: DatasetError for one of them that is not a row
    """
    counts: Counter[str] = Counter()
    digest = hashlib.sha256()
    lines, offsets, indices, end = manifest_lines(path), array("q"), array("q"), 0
    numbers: dict[str, int] = {}
    splits = array("i")
    for number, line in enumerate(lines.lines(), start=1):
        offsets.append(end)
        end += len(line)
        match = _SPLIT_AND_INDEX.search(line)
        split = match[1].decode("ascii") if match else ""
        if match is None or (split not in counts and name_fault(split)):
            head = _parsed(parse_head, line, lines, number)
            split, index = head.split, head.index
        else:
            index = int(match[2])
        counts[split] += 1
        splits.append(numbers.setdefault(split, len(numbers)))
        indices.append(index)
        digest.update(line)
    return Census(dict(counts), digest.hexdigest(), offsets, indices, splits)


def index_of(path: Path, number: int, line: bytes) -> int:
    """The index of a row of ours, without parsing all of it; number: of the line, for messages.

    raises: DatasetError for a line that is not a row
    """
    match = _SPLIT_AND_INDEX.search(line)
    return int(match[2]) if match else _parsed(parse_head, line, manifest_lines(path), number).index


def head_of(path: Path, number: int, line: bytes) -> RowHead:
    """The head of a line of a manifest; raises DatasetError as read_heads."""
    return _parsed(parse_head, line, manifest_lines(path), number)


def spread_rows(path: Path, limit: int) -> list[Row]:
    """At most `limit` rows, evenly spaced in the manifest; the others are not parsed."""
    if not path.exists():
        return []
    lines = manifest_lines(path)
    with lines.opened() as file:
        total = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    wanted = {i * total // limit for i in range(limit)} if total > limit else set(range(total))
    return [_parsed(parse_row, line, lines, i + 1) for i, line in enumerate(lines.lines()) if i in wanted]


class ManifestWriter:
    """Appends rows; use as a context manager."""

    def __init__(self, path: Path):
        self._lines = manifest_lines(path)

    def __enter__(self) -> ManifestWriter:
        try:
            self._lines.drop_torn_line()
        except OSError as error:
            raise disk_error(self._lines.path, error) from None
        self._file = self._lines.opened_to_append()
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def size_bytes(self) -> int:
        """Size of the manifest."""
        return self._file.tell()

    def append(self, rows: list[Row]) -> list[int]:
        """Returns where each row begins, in bytes.

        raises: DatasetError if the rows cannot be written; a partly written line is then removed
        """
        lines, end = [row_line(row) for row in rows], self.size_bytes
        self._lines.append(self._file, "".join(lines))
        return [*accumulate((len(line.encode()) for line in lines), initial=end)][: len(rows)]


@dataclass(frozen=True)
class Census:
    """images_per_split: number of rows of each split; sha256: of all rows

    offsets: where each row starts, in bytes; indices: the number of each row's image
    splits: of each row, as a position in images_per_split
    """

    images_per_split: dict[str, int]
    sha256: str
    offsets: array[int]
    indices: array[int]
    splits: array[int]


@dataclass(frozen=True)
class Summary:
    """counts: number of images of each (label, split); strays: files of ours without a row

    images_digest: of names and sha256 of all images, in the order of their indices
    last_index: of an image, -1 without images; indices: of all images, unless they come one by one
    """

    counts: Counter[tuple[str, str]]
    strays: frozenset[str] = frozenset()
    images_digest: str = ""
    last_index: int = -1
    indices: IndexSet = field(default_factory=IndexSet)

    @property
    def images(self) -> int:
        return self.counts.total()

    def per_label(self) -> dict[str, int]:
        return self._totals(0)

    def per_split(self) -> dict[str, int]:
        return self._totals(1)

    def lacking_classes(self, classes: Iterable[str]) -> dict[str, list[str]]:
        """Split -> the classes that it lacks, for splits that have images."""
        splits, names = sorted({split for _, split in self.counts}), sorted(classes)
        missing = {split: [name for name in names if not self.counts[name, split]] for split in splits}
        return {split: labels for split, labels in missing.items() if labels}

    def _totals(self, position: int) -> dict[str, int]:
        totals: Counter[str] = Counter()
        for pair, count in self.counts.items():
            totals[pair[position]] += count
        return dict(sorted(totals.items()))


def unbalanced_splits(record: dict[str, Any], summary: Summary) -> dict[str, list[str]]:
    """Split -> the classes that it lacks, for splits that have images."""
    counts, classes = summary.counts, sorted(record["classes"])
    missing = {split: [name for name in classes if not counts[name, split]] for _, split in sorted(counts)}
    return {split: labels for split, labels in sorted(missing.items()) if labels}


class Tally:
    """The Summary of rows that come in the order of their indices; takes the same memory for any number."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._images = hashlib.sha256()

    def add(self, row: RowHead) -> None:
        self._counts[row.label, row.split] += 1
        self._images.update(_digest(row.image).to_bytes(8, sys.byteorder))

    def summary(self) -> Summary:
        return Summary(self._counts, images_digest=self._images.hexdigest())


def sort_manifest(files: ImageFiles, pending: Iterable[str] = (), keep_incomplete: bool = False) -> Summary:
    """Sort the manifest by index, with each index once, and without rows whose files are incomplete.

    The lines themselves do not change, and are never all in memory.
    pending: files that may have been written without a row; keep_incomplete: keep all rows
    """
    layout, strays, places = files.layout, set(pending), RowPlaces()
    lines, offset, count = manifest_lines(layout.manifest), 0, 0
    for count, line in enumerate(lines.lines(), start=1):
        row = _parsed(parse_head, line, lines, count)
        if keep_incomplete or has_files(files, row):
            places.add(row.index, offset, (row.label, row.split), _digest(row.files["image"]))
            strays.difference_update(row.file_names)
        elif row.index not in places:
            strays.update(row.file_names)
        offset += len(line)
    order = places.sorted()
    if count != len(places) or not order.is_sorted:
        _rewrite(layout, order.offsets)
    return Summary(order.counts, frozenset(strays), order.images_digest, order.last_index, places.indices)


def _digest(image: RowFile) -> int:
    """64 bits, which take little memory for each row."""
    return int.from_bytes(hashlib.sha256(f"{image.name} {image.sha256}".encode()).digest()[:8], "little")


def _rewrite(layout: Layout, offsets: Iterable[int]) -> None:
    with layout.manifest.open("rb") as file:

        def lines() -> Iterator[bytes]:
            for offset in offsets:
                file.seek(int(offset))
                yield file.readline()

        Folder(layout.root).write(layout.manifest.name, lines())
