"""PLY: the vertices of a PLY file, ASCII or binary, in double precision. Does not load bpy.

source: Turk, The PLY Polygon File Format, 1998
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from blendgen.engine.blender.importing.coordinates.vertex_text import point_text, values_of
from blendgen.engine.blender.importing.damaged import DamagedFile
from blendgen.engine.blender.importing.ply_header import Element, read_header
from blendgen.files.regular_file import MAX_MODEL_BYTES, read_bounded

_AXES = ("x", "y", "z")


class PlyVertices:
    """The vertices of a PLY file in memory.

    raises: DamagedFile if the header or a coordinate cannot be understood
    """

    def __init__(self, path: Path):
        self._data = bytearray(read_bounded(path, MAX_MODEL_BYTES))
        header = read_header(self._data)
        self._is_ascii, self._order, elements = header.is_ascii, header.order, header.elements
        before = (
            [e.name for e in elements].index("vertex") if any(e.name == "vertex" for e in elements) else 0
        )
        self._vertex = elements[before] if elements else Element("", 0)
        self._start, self._before = header.start, elements[:before]
        self.points = self._points() if _has_coordinates(self._vertex) else np.empty((0, 3))

    @property
    def is_single_precision(self) -> bool:
        kinds = [self._vertex.properties[i][1] for i in _columns(self._vertex)] if len(self.points) else []
        return not self._is_ascii and "f4" in kinds

    def moved(self, shift: np.ndarray) -> bytes:
        """The file with a shift of whole numbers subtracted from all coordinates."""
        moved = self.points - shift
        return self._with_text(moved) if self._is_ascii else self._with_doubles(moved)

    def _points(self) -> np.ndarray:
        columns = _columns(self._vertex)
        if self._is_ascii:
            first, rows = self._text_rows()
            rows = rows[first : first + self._vertex.count]
            return values_of([b" ".join(_pick(row.split(), columns)) for row in rows])
        vertices = self._rows()
        return np.stack([vertices[f"{column}"].astype(np.float64) for column in columns], axis=-1)

    def _text_rows(self) -> tuple[int, list[bytes]]:
        """The number of the first vertex, and all rows of the body that are not empty."""
        rows = [row for row in bytes(self._data[self._start :]).splitlines() if row.strip()]
        return sum(element.count for element in self._before), rows

    def _with_text(self, points: np.ndarray) -> bytes:
        first, rows = self._text_rows()
        columns = _columns(self._vertex)
        for number, point in enumerate(points.tolist(), start=first):
            words = rows[number].split()
            for column, text in zip(columns, point_text(point).split(), strict=True):
                words[column] = text
            rows[number] = b" ".join(words)
        return bytes(self._data[: self._start]) + b"\n".join(rows) + b"\n"

    def _with_doubles(self, points: np.ndarray) -> bytes:
        """With coordinates of any type as doubles: moved whole numbers may not fit theirs."""
        old, columns = self._rows(), _columns(self._vertex)
        doubles = [
            (name, "f8" if i in columns else kind, items)
            for i, (name, kind, items) in enumerate(self._vertex.properties)
        ]
        new = np.empty(len(old), Element("vertex", len(old), doubles).row(self._order))
        for name in old.dtype.names or ():
            new[name] = old[name]
        for axis, column in enumerate(columns):
            new[f"{column}"] = points[:, axis]
        start = self._first_row()
        header, between, rest = self._data[: self._start], self._data[self._start : start], start + old.nbytes
        return b"".join([_stating_doubles(bytes(header)), between, new.tobytes(), self._data[rest:]])

    def _rows(self) -> np.ndarray:
        """The vertices of a binary file; they share the memory of the file."""
        return self._values(self._vertex.row(self._order), self._vertex.count, self._first_row())

    def _first_row(self) -> int:
        start = self._start
        for element in self._before:
            start = self._end_of(element, start)
        return start

    def _values(self, kind: np.dtype, count: int, start: int) -> np.ndarray:
        if len(self._data) < start + count * kind.itemsize:
            raise DamagedFile("truncated: it ends before its last vertex; export it again")
        return np.frombuffer(self._data, kind, count, start)

    def _end_of(self, element: Element, start: int) -> int:
        if not element.has_lists:
            return start + element.count * element.row(self._order).itemsize
        for _ in range(element.count):
            for _, kind, items in element.properties:
                size = np.dtype(kind).itemsize
                if items:
                    length = int(self._values(np.dtype(self._order + kind), 1, start)[0])
                    start += max(length, 0) * np.dtype(items).itemsize
                start += size
        return start


def _stating_doubles(header: bytes) -> bytes:
    lines, element = header.splitlines(keepends=True), b""
    for i, line in enumerate(lines):
        words = line.split()
        if words[:1] == [b"element"]:
            element = words[1]
        if element == b"vertex" and words[:1] == [b"property"] and words[2:] in [[b"x"], [b"y"], [b"z"]]:
            lines[i] = line.replace(words[1], b"double", 1)
    return b"".join(lines)


def _pick(words: list[bytes], columns: list[int]) -> list[bytes]:
    if len(words) <= max(columns):
        raise DamagedFile(
            f"vertex {b' '.join(words)[:60].decode('utf-8', 'replace')!r} is incomplete; export it again"
        )
    return [words[column] for column in columns]


def _has_coordinates(element: Element) -> bool:
    names = {name for name, _, items in element.properties if items is None}
    return element.name == "vertex" and not element.has_lists and names >= set(_AXES)


def _columns(element: Element) -> list[int]:
    names = [name for name, _, _ in element.properties]
    return [names.index(axis) for axis in _AXES]
