"""PLY: the vertices of a PLY file, ASCII or binary, in double precision. Does not load bpy.

source: Turk, The PLY Polygon File Format, 1998
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from blendgen.engine.blender.importing.coordinates.vertex_text import point_text, values_of
from blendgen.files.regular_file import MAX_MODEL_BYTES, read_bounded

_KINDS = {
    **dict.fromkeys(("char", "int8"), "i1"),
    **dict.fromkeys(("uchar", "uint8"), "u1"),
    **dict.fromkeys(("short", "int16"), "i2"),
    **dict.fromkeys(("ushort", "uint16"), "u2"),
    **dict.fromkeys(("int", "int32"), "i4"),
    **dict.fromkeys(("uint", "uint32"), "u4"),
    **dict.fromkeys(("float", "float32"), "f4"),
    **dict.fromkeys(("double", "float64"), "f8"),
}
_AXES = ("x", "y", "z")
_HEADER_END = re.compile(rb"[\r\n]end_header[ \t]*(?:\r\n|\r|\n)")


@dataclass
class _Element:
    """An element of the header: names and NumPy's kinds of its properties, two kinds for a list."""

    name: str
    count: int
    properties: list[tuple[str, str, str | None]] = field(default_factory=list)

    @property
    def has_lists(self) -> bool:
        return any(items for _, _, items in self.properties)

    @property
    def has_coordinates(self) -> bool:
        names = [name for name, _, items in self.properties if items is None]
        return self.name == "vertex" and not self.has_lists and set(names) >= set(_AXES)

    def row(self, order: str) -> np.dtype:
        """Of an element without lists, which may have several properties of one name."""
        kinds = [order + kind for _, kind, _ in self.properties]
        return np.dtype([(f"{i}", kind) for i, kind in enumerate(kinds)])

    def columns(self) -> list[int]:
        names = [name for name, _, _ in self.properties]
        return [names.index(axis) for axis in _AXES]


class PlyVertices:
    """The vertices of a PLY file in memory.

    raises: ValueError if the header or a coordinate cannot be understood
    """

    def __init__(self, path: Path):
        self._data = bytearray(read_bounded(path, MAX_MODEL_BYTES))
        end = _HEADER_END.search(self._data)
        if end is None:
            raise ValueError("its header does not end")
        lines = [line.split() for line in self._data[: end.start()].decode("latin-1").splitlines()]
        formats = [line[1] for line in lines if line[:1] == ["format"] and len(line) > 1]
        self._is_ascii = formats[:1] == ["ascii"]
        self._order = ">" if formats[:1] == ["binary_big_endian"] else "<"
        elements = _elements(lines)
        before = (
            [e.name for e in elements].index("vertex") if any(e.name == "vertex" for e in elements) else 0
        )
        self._vertex = elements[before] if elements else _Element("", 0)
        self._start, self._before = end.end(), elements[:before]
        self.points = self._points() if self._vertex.has_coordinates else np.empty((0, 3))

    @property
    def is_single_precision(self) -> bool:
        kinds = [self._vertex.properties[i][1] for i in self._vertex.columns()] if len(self.points) else []
        return not self._is_ascii and "f4" in kinds

    def moved(self, shift: np.ndarray) -> bytes:
        """The file with a shift of whole numbers subtracted from all coordinates."""
        moved = self.points - shift
        if self._is_ascii:
            return self._with_text(moved)
        rows = self._rows()
        for axis, column in enumerate(self._vertex.columns()):
            rows[f"{column}"] = moved[:, axis]
        return bytes(self._data)

    def _points(self) -> np.ndarray:
        columns = self._vertex.columns()
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
        columns = self._vertex.columns()
        for number, point in enumerate(points.tolist(), start=first):
            words = rows[number].split()
            for column, text in zip(columns, point_text(point).split(), strict=True):
                words[column] = text
            rows[number] = b" ".join(words)
        return bytes(self._data[: self._start]) + b"\n".join(rows) + b"\n"

    def _rows(self) -> np.ndarray:
        """The vertices of a binary file; they share the memory of the file."""
        start = self._start
        for element in self._before:
            start = self._end_of(element, start)
        return np.frombuffer(self._data, self._vertex.row(self._order), self._vertex.count, start)

    def _end_of(self, element: _Element, start: int) -> int:
        if not element.has_lists:
            return start + element.count * element.row(self._order).itemsize
        for _ in range(element.count):
            for _, kind, items in element.properties:
                size = np.dtype(kind).itemsize
                if items:
                    length = int(np.frombuffer(self._data, self._order + kind, 1, start)[0])
                    start += max(length, 0) * np.dtype(items).itemsize
                start += size
        return start


def _pick(words: list[bytes], columns: list[int]) -> list[bytes]:
    if len(words) <= max(columns):
        raise ValueError(f"vertex {b' '.join(words)[:60].decode('utf-8', 'replace')!r} is incomplete")
    return [words[column] for column in columns]


def _elements(lines: list[list[str]]) -> list[_Element]:
    elements: list[_Element] = []
    for line in lines:
        match line:
            case ["element", name, count]:
                elements.append(_Element(name, int(count)))
            case ["property", "list", length, item, name] if elements:
                elements[-1].properties.append((name, _kind(length), _kind(item)))
            case ["property", kind, name] if elements:
                elements[-1].properties.append((name, _kind(kind), None))
    return elements


def _kind(name: str) -> str:
    if name not in _KINDS:
        raise ValueError(f"its header has a property of the unknown type {name!r}")
    return _KINDS[name]
