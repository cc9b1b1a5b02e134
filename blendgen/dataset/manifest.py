"""Manifest: OUT/manifest.jsonl, one Row a line, the source of truth of a data set.

Only the parent process appends, whole lines, each flushed to the disk. A torn last line (power cut, full
disk) is dropped when the file is opened again. At the end the lines are sorted by index, so that the file
does not depend on the order in which the images were made.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from blendgen.dataset.layout import Layout
from blendgen.dataset.rows import MAX_ROW_BYTES, parse_head, parse_row, row_line
from blendgen.errors import DatasetError
from blendgen.files.folder import Folder, disk_error
from blendgen.files.names import name_fault
from blendgen.files.regular_file import links_outside, open_regular
from blendgen.scene.row import Row, RowFile, RowHead

_AnyRow = TypeVar("_AnyRow", RowHead, Row)
_TAIL_BYTES = 1 << 16
_SPLIT = re.compile(rb'"split": "([ !#-[\]-~]*)"')  # the row's own comes first


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a manifest, in the order of the file, without a torn last line.

    raises: DatasetError for any other line that is not a row, or that names a file outside the data set
    """
    for number, line in enumerate(_whole_lines(path), start=1):
        yield _parsed(parse_row, line, path, number)


def read_row(path: Path, number: int, offset: int) -> Row:
    """One row of a manifest.

    number: of its line, from 1; offset: where the line starts, in bytes (see Census)
    raises: DatasetError for a line that is not a row
    """
    with _opened(path) as file:
        file.seek(offset)
        return _parsed(parse_row, file.readline(MAX_ROW_BYTES + 1), path, number)


def read_heads(path: Path) -> Iterator[RowHead]:
    """As `read_rows`, but only the head of each row; its other columns may be missing or wrong."""
    for number, line in enumerate(_whole_lines(path), start=1):
        yield _parsed(parse_head, line, path, number)


def _parsed(parse: Callable[[bytes], _AnyRow], line: bytes, path: Path, number: int) -> _AnyRow:
    try:
        return parse(line)
    except ValueError as error:
        raise DatasetError(
            f"{path}:{number}: not a row of a manifest ({error}); remove this line, and its image is made "
            "again"
        ) from None


def census(path: Path) -> Census:
    """Count the rows of a manifest in one pass; only lines that this program did not write are parsed.

    raises: DatasetError for one of them that is not a row
    """
    counts: Counter[str] = Counter()
    digest = hashlib.sha256()
    offsets, end = array("q"), 0
    for number, line in enumerate(_whole_lines(path), start=1):
        offsets.append(end)
        end += len(line)
        match = _SPLIT.search(line)
        split = match[1].decode("ascii") if match else ""
        if split not in counts and name_fault(split):
            split = _parsed(parse_head, line, path, number).split
        counts[split] += 1
        digest.update(line)
    return Census(dict(counts), digest.hexdigest(), offsets)


def spread_rows(path: Path, limit: int) -> list[Row]:
    """At most `limit` rows, evenly spaced in the manifest; the others are not parsed."""
    if not path.exists():
        return []
    with _opened(path) as file:
        total = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    wanted = {i * total // limit for i in range(limit)} if total > limit else set(range(total))
    return [_parsed(parse_row, line, path, i + 1) for i, line in enumerate(_whole_lines(path)) if i in wanted]


class ManifestWriter:
    """Appends rows; use as a context manager."""

    def __init__(self, path: Path):
        self._path = path

    def __enter__(self) -> ManifestWriter:
        try:
            _drop_torn_line(self._path)
            # without a buffer, a failed write is not repeated when the file is closed
            self._file = self._path.open("ab", buffering=0)
        except OSError as error:
            raise disk_error(self._path, error) from None
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def append(self, rows: list[Row]) -> None:
        """Raises DatasetError if the rows cannot be written; a partly written line is then removed."""
        start = self._file.seek(0, os.SEEK_END)
        left = memoryview("".join(row_line(row) for row in rows).encode())
        try:
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            self._file.truncate(start)
            raise disk_error(self._path, error) from None


@dataclass(frozen=True)
class Census:
    """images_per_split: number of rows of each split; sha256: of all rows

    offsets: where each row starts, in bytes
    """

    images_per_split: dict[str, int]
    sha256: str
    offsets: array[int]


@dataclass(frozen=True)
class Summary:
    """counts: number of images of each (label, split); strays: files of ours without a row"""

    counts: Counter[tuple[str, str]]
    strays: frozenset[str] = frozenset()

    @property
    def images(self) -> int:
        return self.counts.total()

    def per_label(self) -> dict[str, int]:
        return self._totals(0)

    def per_split(self) -> dict[str, int]:
        return self._totals(1)

    def _totals(self, position: int) -> dict[str, int]:
        totals: Counter[str] = Counter()
        for pair, count in self.counts.items():
            totals[pair[position]] += count
        return dict(sorted(totals.items()))


def sort_manifest(layout: Layout, pending: Iterable[str] = ()) -> Summary:
    """Sort the manifest by index, with each index once, and without rows whose files are incomplete.

    The lines themselves do not change, and are never all in memory.
    pending: files that may have been written without a row
    """
    strays = set(pending)
    places: dict[int, tuple[int, int]] = {}
    pairs: dict[int, tuple[str, str]] = {}
    offset, lines = 0, 0
    for line in _whole_lines(layout.manifest):
        lines += 1
        row = _parsed(parse_head, line, layout.manifest, lines)
        if has_files(layout, row):
            places[row.index] = (offset, len(line))
            pairs[row.index] = (row.label, row.split)
            strays.difference_update(row.file_names)
        elif row.index not in places:
            strays.update(row.file_names)
        offset += len(line)
    order = sorted(places)
    if lines != len(order) or order != list(places):
        _rewrite(layout, [places[index] for index in order])
    return Summary(Counter(pairs.values()), frozenset(strays))


def has_files(layout: Layout, row: RowHead, check: bool = False) -> bool:
    """Whether the files of a row are complete.

    check: compare sha256 too, not only sizes
    """
    return all(_is_whole(layout.root / file.name, file, check) for file in row.files.values())


def _is_whole(path: Path, file: RowFile, check: bool) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    if not stat.S_ISREG(status.st_mode) or status.st_size != file.size_bytes:
        return False
    if not check:
        return True
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest() == file.sha256


def _opened(path: Path) -> BinaryIO:
    if links_outside(path):
        raise DatasetError(f"{path}: is a link that leads out of the data set; put the file itself there")
    try:
        return open_regular(path)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from None


def _whole_lines(path: Path) -> Iterator[bytes]:
    """raises: DatasetError for a line that is too long for a row"""
    if not path.exists():
        return
    with _opened(path) as file:
        number = 1
        while line := file.readline(MAX_ROW_BYTES + 1):
            if len(line) > MAX_ROW_BYTES:
                raise DatasetError(
                    f"{path}:{number}: not a row of a manifest (more than {MAX_ROW_BYTES // 2**20} MB); "
                    "remove this line, and its image is made again"
                )
            if line.endswith(b"\n"):
                yield line
            number += 1


def _rewrite(layout: Layout, places: list[tuple[int, int]]) -> None:
    with layout.manifest.open("rb") as file:

        def lines() -> Iterator[bytes]:
            for offset, length in places:
                file.seek(offset)
                yield file.read(length)

        Folder(layout.root).write(layout.manifest.name, lines())


def _drop_torn_line(path: Path) -> None:
    if not path.exists():
        return
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - _TAIL_BYTES)
            file.seek(start)
            last = file.read(end - start).rfind(b"\n")
            if last >= 0:
                file.truncate(start + last + 1)
                return
            end = start
        file.truncate(0)
