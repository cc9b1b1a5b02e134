"""OFF: a file of the Object File Format in, a binary PLY out, which Blender reads. Does not load bpy.

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

_HEADER = re.compile(rb"\s*(ST)?(C)?(N)?(4|n)?OFF(?![A-Za-z])\s*(BINARY)?")
_MAX_CORNERS = 255


def ply_of_off(path: Path) -> tuple[bytes, bool]:
    """The PLY, and whether faces have colours, which it lacks; raises ValueError if the file is damaged."""
    data = path.read_bytes()
    header = _HEADER.match(data)
    if header is None:
        raise ValueError("not an OFF file (its header is missing)")
    if header[4] or header[5]:
        raise ValueError("binary, or not three-dimensional; only OFF text with x, y and z can be read")
    lines = _lines(data[header.end() :])
    counts = [int(number) for number in next(lines, [])[:2]]
    if len(counts) < 2:
        raise ValueError("truncated: it does not say how many vertices and faces it has")
    vertices = list(islice(lines, counts[0]))
    faces = list(islice(lines, counts[1]))
    if len(faces) < counts[1]:
        raise ValueError(f"truncated: {len(vertices) + len(faces)} of {sum(counts)} rows")
    short = next((row for row in vertices if len(row) < 3), None)
    if short is not None:
        raise ValueError(f"its vertices are damaged: {b' '.join(short)[:60].decode('latin-1')}")
    points = np.array([row[:3] for row in vertices], float).reshape(-1, 3)
    first = 6 if header[3] else 3
    colors = _colors([row[first : first + 3] for row in vertices]) if header[2] else None
    return _ply(points, colors, [_corners(row, len(points)) for row in faces]), any(map(_is_colored, faces))


def _lines(data: bytes) -> Iterator[list[bytes]]:
    """The words of each line that has any; # begins a comment."""
    for line in data.splitlines():
        words = line.partition(b"#")[0].split()
        if words:
            yield words


def _corners(row: list[bytes], vertices: int) -> list[int]:
    count = int(row[0])
    corners = [int(word) for word in row[1 : 1 + count]]
    if len(corners) != count or count > _MAX_CORNERS or not all(0 <= i < vertices for i in corners):
        raise ValueError(f"its faces are damaged: {b' '.join(row)[:60].decode('latin-1')}")
    return corners


def _is_colored(row: list[bytes]) -> bool:
    return len(row) > 1 + int(row[0])


def _colors(rows: list[list[bytes]]) -> np.ndarray:
    """(n, 3) uint8; fractions have a decimal point, integers go to 255."""
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
