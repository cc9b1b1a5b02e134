"""PLY faces: values of the faces of a PLY file, which Blender's importer leaves out. Does not load bpy.

Where a face is not complete, or has a vertex that does not exist, Blender takes another one without an error:
such a file is damaged.
"""

from __future__ import annotations

import math
import struct
import warnings
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from blendgen.engine.blender.importing.ply_header import CORNERS, Element, PlyHeader, read_header
from blendgen.files.decimals import decimal
from blendgen.files.regular_file import MAX_MODEL_BYTES, read_bounded

MAX_CORNERS = 255  # of a face that Blender reads
_Fields = list[tuple[str, str, int]]  # name, kind and number of values


@dataclass(frozen=True)
class FaceValues:
    """Values of the faces by property, those of lists one face after the other; and the lengths of lists."""

    values: dict[str, np.ndarray]
    lengths: dict[str, np.ndarray]


def faces_fault(path: Path) -> str | None:
    """Why the faces of a PLY file cannot be used, in one line; None if nothing is wrong."""
    header = read_header(read_bounded(path, MAX_MODEL_BYTES))
    if header.is_ascii:  # what follows the corners in a row does not matter to them
        header = replace(header, elements=[_up_to_corners(element) for element in header.elements])
    try:
        faces = read_faces(path, header)
    except ValueError:
        return "its faces are damaged, or fewer than it declares; export it again"
    vertices = sum(element.count for element in header.elements if element.name == "vertex")
    faults = [_corners_fault(faces, name, vertices) for name in CORNERS if name in faces.lengths]
    return next(filter(None, faults), None)


def _corners_fault(faces: FaceValues, name: str, vertices: int) -> str | None:
    corners, lengths = faces.values[name], faces.lengths[name]
    unknown = corners[(corners < 0) | (corners >= vertices)]
    if len(unknown):
        return f"its faces are damaged: one has vertex {unknown[0]:.0f} of {vertices}; export it again"
    if lengths.min(initial=1) < 1:
        return "its faces are damaged: one has no corners; export it again"
    if lengths.max(initial=0) > MAX_CORNERS:
        return (
            f"a face has {lengths.max()} corners, and at most {MAX_CORNERS} can be read from PLY; "
            "triangulate it and export it again"
        )
    return None


def _up_to_corners(element: Element) -> Element:
    end = next((i for i, (name, _, _) in enumerate(element.properties, 1) if name in CORNERS), None)
    return Element(element.name, element.count, element.properties[:end])


def read_faces(path: Path, header: PlyHeader) -> FaceValues:
    """All values of the faces of a file; raises ValueError if there are fewer than the header declares."""
    data = read_bounded(path, MAX_MODEL_BYTES)
    body: _Body = _Text(data, header) if header.is_ascii else _Binary(data, header)
    for element in header.elements:
        if element.name == "face":
            return body.equal_rows(element) or body.rows(element)
        body.skip(element)
    return FaceValues({}, {})


class _Body(ABC):
    """Reads the rows of a body, one element after the other; raises ValueError where it ends too early."""

    _at: int

    @abstractmethod
    def skip(self, element: Element) -> None:
        """Go on behind an element."""

    @abstractmethod
    def rows(self, element: Element) -> FaceValues:
        """The values of all rows, which may have lists of different lengths."""

    @abstractmethod
    def _columns(self, fields: _Fields, rows: int) -> dict[str, np.ndarray]:
        """The values of rows that all have the same fields; {} if they have not."""

    def equal_rows(self, element: Element) -> FaceValues | None:
        """As rows, at once; None if the lists of a property have different lengths."""
        start = self._at
        first = self.rows(Element(element.name, min(element.count, 1), element.properties)).lengths
        self._at = start
        fields = []
        for name, kind, items in element.properties:
            if items:
                fields.append((f"length of {name}", kind, 1))
            fields.append((name, items or kind, int(first[name].sum()) if items else 1))
        columns = self._columns(fields, element.count)
        lengths = {name: columns[f"length of {name}"].ravel().astype(np.int64) for name in first if columns}
        if not columns or any((lengths[name] != first[name][:1]).any() for name in first):
            self._at = start
            return None
        return FaceValues({name: columns[name].ravel() for name, _, _ in element.properties}, lengths)


class _Binary(_Body):
    def __init__(self, data: bytes, header: PlyHeader):
        self._data, self._order, self._at = data, header.order, header.start

    def skip(self, element: Element) -> None:
        if element.has_lists:
            self.rows(element)
        else:
            self._take(element.row(self._order).itemsize, element.count)

    def rows(self, element: Element) -> FaceValues:
        parts: dict[str, list[bytes]] = {name: [] for name, _, _ in element.properties}
        lengths: dict[str, list[int]] = {name: [] for name, _, items in element.properties if items}
        kinds = {name: np.dtype(self._order + (items or kind)) for name, kind, items in element.properties}
        counts = {
            n: struct.Struct(self._order + np.dtype(k).char) for n, k, items in element.properties if items
        }
        for _ in range(element.count):
            for name, kind in kinds.items():
                count = 1
                if name in counts:
                    count = _whole(counts[name].unpack(self._take(counts[name].size, 1))[0])
                    lengths[name].append(count)
                parts[name].append(self._take(kind.itemsize, count))
        values = {name: np.frombuffer(b"".join(parts[name]), kind) for name, kind in kinds.items()}
        return FaceValues(values, {name: np.array(n, dtype=np.int64) for name, n in lengths.items()})

    def _columns(self, fields: _Fields, rows: int) -> dict[str, np.ndarray]:
        row = np.dtype([(f"{i}", self._order + kind, (n,)) for i, (_, kind, n) in enumerate(fields)])
        if len(self._data) < self._at + rows * row.itemsize:
            return {}
        table = np.frombuffer(self._data, row, rows, self._at)
        self._at += rows * row.itemsize
        return {name: table[f"{i}"] for i, (name, _, _) in enumerate(fields)}

    def _take(self, size: int, count: int) -> bytes:
        start = self._at
        self._at += size * count
        if len(self._data) < self._at:
            raise ValueError("the body is too short")
        return self._data[start : self._at]


class _Text(_Body):
    """A row is a line; what is behind its values does not count, as in Blender."""

    def __init__(self, data: bytes, header: PlyHeader):
        self._rows = [row for row in data[header.start :].splitlines() if row.strip()]
        self._at = 0

    def skip(self, element: Element) -> None:
        self._at += element.count

    def rows(self, element: Element) -> FaceValues:
        words: dict[str, list[bytes]] = {name: [] for name, _, _ in element.properties}
        lengths: dict[str, list[int]] = {name: [] for name, _, items in element.properties if items}
        for row in self._take(element.count):
            texts, start = row.split(), 0
            for name, _, items in element.properties:
                count = 1
                if items and start < len(texts):
                    count = _whole(decimal(texts[start].decode("latin-1")))
                    lengths[name].append(count)
                    start += 1
                words[name] += texts[start : start + count]
                start += count
            if start > len(texts):
                raise ValueError("a row is too short")
        values = {name: _numbers(b" ".join(texts)) for name, texts in words.items()}
        if any(len(values[name]) != len(texts) for name, texts in words.items()):
            raise ValueError("a value is not a number")
        return FaceValues(values, {name: np.array(n, dtype=np.int64) for name, n in lengths.items()})

    def _columns(self, fields: _Fields, rows: int) -> dict[str, np.ndarray]:
        values, width = _numbers(b" ".join(self._take(rows))), sum(n for _, _, n in fields)
        if len(values) != rows * width:
            return {}
        ends = np.cumsum([n for _, _, n in fields])
        table = values.reshape(rows, width)
        return {name: table[:, end - n : end] for (name, _, n), end in zip(fields, ends, strict=True)}

    def _take(self, count: int) -> list[bytes]:
        self._at += count
        if len(self._rows) < self._at:
            raise ValueError("the body is too short")
        return self._rows[self._at - count : self._at]


def _whole(number: float) -> int:
    """The length of a list."""
    value = float(number)
    if not 0 <= value < math.inf or value % 1:
        raise ValueError("not a length")
    return int(value)


def _numbers(text: bytes) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # for text that is not a number; it ends there
        return np.fromstring(text, dtype=np.float64, sep=" ")
