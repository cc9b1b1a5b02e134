"""OFF: a file of the Object File Format in, a binary PLY out, which Blender reads.

Loads bpy only for a face that has more corners than Blender reads, to make triangles of it.

Text in lines: the numbers of vertices and faces, the vertices, the faces. Colours of vertices are used.
ModelNet has files in which the first two lines are one, as in OFF8 6 0.
source: Geomview manual, 4.2.5 (OFF files)
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from blendgen.engine.blender.importing.coordinates.vertex_text import values_of
from blendgen.engine.blender.importing.damaged import DamagedFile
from blendgen.engine.blender.importing.ply_faces import MAX_CORNERS

_NUMBER = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_HEADER = re.compile(rb"\s*(ST)?(C)?(N)?(4|n)?OFF(?![A-Za-z])\s*(BINARY)?")


def ply_of_off(path: Path) -> tuple[bytes, bool]:
    """The PLY, and whether faces have colours, which it lacks; raises DamagedFile."""
    data = path.read_bytes()
    header = _HEADER.match(data)
    if header is None:
        raise DamagedFile("not an OFF file (its header is missing)")
    if header[4] or header[5]:
        raise DamagedFile("binary, or not three-dimensional; only OFF text with x, y and z can be read")
    lines = _lines(data[header.end() :])
    counts = _counts(next(lines, [])[:2])
    vertices = list(islice(lines, counts[0]))
    faces = list(islice(lines, counts[1]))
    if len(faces) < counts[1]:
        raise DamagedFile(f"truncated: {len(vertices) + len(faces)} of {sum(counts)} rows")
    short = next((row for row in vertices if len(row) < 3), None)
    if short is not None:
        raise _damaged("vertices", short)
    points = values_of([b" ".join(row[:3]) for row in vertices])
    first = 6 if header[3] else 3
    colors = _colors([row[first : first + 3] for row in vertices]) if header[2] else None
    corners = [face for row in faces for face in _as_ply_faces(_corners(row, len(points)), points)]
    return _ply(points, colors, corners), any(map(_is_colored, faces))


def _lines(data: bytes) -> Iterator[list[bytes]]:
    """The words of each line that has any; # begins a comment."""
    for line in data.splitlines():
        words = line.partition(b"#")[0].split()
        if words:
            yield words


def _counts(row: list[bytes]) -> list[int]:
    if len(row) < 2:
        raise DamagedFile("truncated: it does not say how many vertices and faces it has")
    if not all(word.isdigit() for word in row):
        raise _damaged("numbers of vertices and faces", row)
    return [int(word) for word in row]


def _damaged(what: str, row: list[bytes]) -> DamagedFile:
    return DamagedFile(f"its {what} are damaged: {b' '.join(row)[:60].decode('latin-1')}")


def _corners(row: list[bytes], vertices: int) -> list[int]:
    count = int(row[0]) if row[0].isdigit() else -1
    words = row[1 : 1 + count]
    if len(words) != count or not all(word.isdigit() and int(word) < vertices for word in words):
        raise _damaged("faces", row)
    return [int(word) for word in words]


def _as_ply_faces(corners: list[int], points: np.ndarray) -> list[list[int]]:
    """A face as it is; as triangles if Blender would not read it from PLY."""
    if len(corners) <= MAX_CORNERS:
        return [corners]
    import bpy  # noqa: F401 - without it there is no mathutils
    from mathutils.geometry import tessellate_polygon

    outline = points[corners] - points[corners[0]]  # it is in single precision there
    return [[corners[i] for i in triangle] for triangle in tessellate_polygon([outline.tolist()])]


def _is_colored(row: list[bytes]) -> bool:
    return len(row) > 1 + int(row[0])


def _colors(rows: list[list[bytes]]) -> np.ndarray:
    """(n, 3) uint8; fractions have a decimal point, integers go to 255."""
    for row in rows:
        if len(row) < 3 or not all(_NUMBER.fullmatch(word) for word in row):
            raise _damaged("colours", row)
    values = np.array(rows, float).reshape(-1, 3)
    is_fraction = any(b"." in word for row in rows for word in row)
    return np.clip(np.round(values * (255 if is_fraction else 1)), 0, 255).astype(np.uint8)


def _ply(points: np.ndarray, colors: np.ndarray | None, faces: list[list[int]]) -> bytes:
    rgb = (
        "".join(f"property uchar {name}\n" for name in ("red", "green", "blue")) if colors is not None else ""
    )
    header = (
        f"ply\nformat binary_little_endian 1.0\nelement vertex {len(points)}\nproperty double x\n"
        f"property double y\nproperty double z\n{rgb}element face {len(faces)}\n"
        "property list uchar int vertex_indices\nend_header\n"
    )
    kind = [("place", "<f8", 3)] + ([("color", "u1", 3)] if colors is not None else [])
    table = np.empty(len(points), kind)
    table["place"] = points
    if colors is not None:
        table["color"] = colors
    body = b"".join(struct.pack(f"<B{len(face)}i", len(face), *face) for face in faces)
    return header.encode() + table.tobytes() + body
