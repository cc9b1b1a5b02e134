"""PLY faces: values of the faces of a PLY file, which Blender's importer leaves out. Does not load bpy."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blendgen.engine.blender.importing.ply_header import CORNERS, Element, PlyHeader, read_header
from blendgen.files.regular_file import MAX_MODEL_BYTES, read_bounded

MAX_CORNERS = 255  # of a face that Blender reads


@dataclass(frozen=True)
class FaceValues:
    """Values of the faces by property, those of lists one face after the other; and the lengths of lists."""

    values: dict[str, np.ndarray]
    lengths: dict[str, np.ndarray]


def read_faces(path: Path, header: PlyHeader) -> FaceValues:
    """All values of the faces of a file; raises ValueError if there are fewer than the header declares."""
    body = _Body(read_bounded(path, MAX_MODEL_BYTES), header)
    for element in header.elements:
        values = body.equal_rows(element) or body.rows(element)
        if element.name == "face":
            return values
    return FaceValues({}, {})


def import_fault(path: Path) -> str:
    """Why Blender, which does not name the reason, cannot import a PLY file."""
    header = read_header(read_bounded(path, MAX_MODEL_BYTES))
    try:
        lengths = read_faces(path, header).lengths
    except ValueError:
        lengths = {}
    most = max((int(lengths[name].max(initial=0)) for name in CORNERS if name in lengths), default=0)
    if most > MAX_CORNERS:
        return (
            f"a face has {most} corners, and at most {MAX_CORNERS} can be read from PLY; "
            "triangulate it and export it again"
        )
    return "its faces are damaged; export it again"


class _Body:
    """Reads the rows of a body, one element after the other."""

    def __init__(self, data: bytes, header: PlyHeader):
        self._order = "" if header.is_ascii else header.order
        self._data = _numbers(data[header.start :]) if header.is_ascii else data
        self._at = 0 if header.is_ascii else header.start

    def rows(self, element: Element) -> FaceValues:
        """The values of all rows, which may have lists of different lengths."""
        parts: dict[str, list[np.ndarray]] = {name: [] for name, _, _ in element.properties}
        lengths: dict[str, list[int]] = {name: [] for name, _, items in element.properties if items}
        for _ in range(element.count):
            for name, kind, items in element.properties:
                count = int(self._take(kind, 1)[0]) if items else 1
                if items:
                    lengths[name].append(count)
                parts[name].append(self._take(items or kind, count))
        values = {name: np.concatenate([np.empty(0), *arrays]) for name, arrays in parts.items()}
        return FaceValues(values, {name: np.array(n, dtype=np.int64) for name, n in lengths.items()})

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

    def _columns(self, fields: list[tuple[str, str, int]], rows: int) -> dict[str, np.ndarray]:
        """The values of rows that all have the same fields (name, kind, number of values); {} if too few."""
        if isinstance(self._data, bytes):
            row = np.dtype([(f"{i}", self._order + kind, (n,)) for i, (_, kind, n) in enumerate(fields)])
            if len(self._data) < self._at + rows * row.itemsize:
                return {}
            table = np.frombuffer(self._data, row, rows, self._at)
            self._at += rows * row.itemsize
            return {name: table[f"{i}"] for i, (name, _, _) in enumerate(fields)}
        width = sum(n for _, _, n in fields)
        if len(self._data) < self._at + rows * width:
            return {}
        values = self._data[self._at : self._at + rows * width].reshape(rows, width)
        self._at += rows * width
        ends = np.cumsum([n for _, _, n in fields])
        return {name: values[:, end - n : end] for (name, _, n), end in zip(fields, ends, strict=True)}

    def _take(self, kind: str, count: int) -> np.ndarray:
        """The next values of a kind."""
        start = self._at
        if isinstance(self._data, bytes):
            dtype = np.dtype(self._order + kind)
            self._at += count * dtype.itemsize
            return np.frombuffer(self._data, dtype, count, start) if count else np.empty(0, dtype)
        self._at += count
        if count < 0 or len(self._data) < self._at:
            raise ValueError("the body is too short")
        return self._data[start : self._at]


def _numbers(text: bytes) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # for text that is not a number; it ends there
        return np.fromstring(text, dtype=np.float64, sep=" ")
