"""Manifest: OUT/manifest.jsonl, one Row a line, the source of truth of a data set.

Only the parent process appends, whole lines, each flushed to the disk. A torn last line (power
cut, full disk) is dropped when the file is opened again. At the end the lines are sorted by
index, so that the file does not tell in which order the images were made.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from blendgen.dataset.layout import Layout
from blendgen.dataset.write import disk_error, write_atomically
from blendgen.errors import DatasetError
from blendgen.shot import Row


def row_line(row: Row) -> str:
    """One line of JSON with its newline."""
    return json.dumps(row, ensure_ascii=False, separators=(", ", ": ")) + "\n"


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a manifest, in the order of the file; a torn last line is left out.

    raises: DatasetError for any other line that is not a row
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            yield _row(line, path, number)


def _row(line: bytes, path: Path, number: int) -> Row:
    try:
        row = json.loads(line)
        if isinstance(row, dict) and isinstance(row["index"], int):
            return row
    except (ValueError, KeyError):
        pass
    raise DatasetError(f"{path}:{number}: not a row of a manifest; the file is damaged")


class ManifestWriter:
    """Appends rows; use as a context manager."""

    def __init__(self, path: Path):
        self._path = path

    def __enter__(self) -> ManifestWriter:
        try:
            _drop_torn_line(self._path)
            self._file = self._path.open("ab")
        except OSError as error:
            raise disk_error(self._path, error) from None
        return self

    def __exit__(self, *_) -> None:
        self._file.close()

    def append(self, rows: list[Row]) -> None:
        """Raises DatasetError where the disk refuses; a part of a line is then taken back."""
        start = self._file.tell()
        try:
            self._file.write("".join(row_line(row) for row in rows).encode())
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            os.truncate(self._path, start)
            raise disk_error(self._path, error) from None


def sort_manifest(layout: Layout) -> int:
    """Rewrite the manifest in the order of the index, each index once; returns how many rows."""
    lines: dict[int, str] = {row["index"]: row_line(row) for row in read_rows(layout.manifest)}
    text = "".join(lines[index] for index in sorted(lines))
    write_atomically(layout, layout.manifest, text.encode())
    return len(lines)


def _drop_torn_line(path: Path) -> None:
    if not path.exists():
        return
    with path.open("r+b") as file:
        content = file.read()
        file.truncate(content.rfind(b"\n") + 1)
