"""Row diff: the rows of two data sets, matched by the number of their image.

In: two data sets, whose rows are sorted. Out: which rows only one of them has, and which columns differ. Both
manifests are read once, line by line; only lines that differ are parsed.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import read_lines
from blendgen.dataset.rows import head_from, row_values_of
from blendgen.dataset.source import Source
from blendgen.errors import DatasetError
from blendgen.scene.row import RowHead
from blendgen.verification.changes import Change, changes

_MOST_LISTED = 10
_Columns = tuple[dict[str, Any], RowHead]


@dataclass
class LoneRows:
    """Rows that only one data set has: how many, and the first of their images."""

    count: int = 0
    first: list[int] = field(default_factory=list)

    def add(self, index: int) -> None:
        self.count += 1
        if len(self.first) < _MOST_LISTED:
            self.first.append(index)


@dataclass
class ColumnDiff:
    """rows: how many differ; index: of the image of the first one; example: the values there"""

    index: int
    example: Change
    rows: int = 0


@dataclass
class RowDiff:
    """common: images that both have; different: rows of these that differ

    columns: those that differ, by name
    images: numbers of the images whose files differ, by their sha256
    """

    only_a: LoneRows = field(default_factory=LoneRows)
    only_b: LoneRows = field(default_factory=LoneRows)
    common: int = 0
    different: int = 0
    columns: dict[str, ColumnDiff] = field(default_factory=dict)
    images: array[int] = field(default_factory=lambda: array("q"))

    @property
    def equal(self) -> bool:
        return not (self.only_a.count or self.only_b.count or self.different)

    def as_dict(self) -> dict[str, Any]:
        columns = [
            {**one.example.as_dict(), "column": name, "rows": one.rows, "index": one.index}
            for name, one in self.most_frequent()
        ]
        lone = {"only_a": vars(self.only_a), "only_b": vars(self.only_b)}
        return {**lone, "common": self.common, "different": self.different, "columns": columns}

    def most_frequent(self) -> list[tuple[str, ColumnDiff]]:
        """The columns that differ, those that differ in most rows first."""
        return sorted(self.columns.items(), key=lambda item: (-item[1].rows, item[0]))


def row_diff(a: Source, b: Source, advance: Callable[[int], None]) -> RowDiff:
    """Compare all rows; advance(1) for each image. Raises DatasetError for a line that is not a row."""
    diff = RowDiff()
    for index, line_a, line_b in _matched(a, b):
        advance(1)
        if line_b is None:
            diff.only_a.add(index)
        elif line_a is None:
            diff.only_b.add(index)
        else:
            diff.common += 1
            if line_a != line_b:
                _add(diff, index, _read(a, index, line_a), _read(b, index, line_b))
    return diff


def _matched(a: Source, b: Source) -> Iterator[tuple[int, bytes | None, bytes | None]]:
    """(index, line of a, line of b) in the order of the index; None where one does not have that image."""
    left, right = _numbered_lines(a), _numbered_lines(b)
    one, other = next(left, None), next(right, None)
    while one is not None or other is not None:
        index = min(pair[0] for pair in (one, other) if pair is not None)
        line_a = line_b = None
        if one is not None and one[0] == index:
            line_a, one = one[1], next(left, None)
        if other is not None and other[0] == index:
            line_b, other = other[1], next(right, None)
        yield index, line_a, line_b


def _numbered_lines(source: Source) -> Iterator[tuple[int, bytes]]:
    return zip(source.indices, read_lines(Layout(source.root).manifest), strict=True)


def _read(source: Source, index: int, line: bytes) -> _Columns:
    try:
        values = row_values_of(line)
        return values, head_from(values)
    except ValueError as error:
        raise DatasetError(
            f"{source.root}: the row of image {index} cannot be read ({error}); run `blendgen verify` to "
            "list what else is wrong"
        ) from None


def _add(diff: RowDiff, index: int, a: _Columns, b: _Columns) -> None:
    """Count what differs between two rows of one image."""
    (values_a, head_a), (values_b, head_b) = a, b
    differences = list(changes(values_a, values_b))
    diff.different += bool(differences)
    for change in differences:
        if change.field not in diff.columns:
            diff.columns[change.field] = ColumnDiff(index, change.narrowed())
        diff.columns[change.field].rows += 1
    if head_a.image.sha256 != head_b.image.sha256:
        diff.images.append(index)
