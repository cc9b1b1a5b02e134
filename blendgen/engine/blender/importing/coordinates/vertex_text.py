"""Vertex text: the vertices of OBJ and ASCII STL files, in double precision. Does not load bpy.

A regular expression for each format matches one vertex; its first group is the keyword, its second group the
text of the three coordinates. Files can have hundreds of megabytes, so they are read in blocks of lines.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from blendgen.engine.blender.importing.coordinates.origin import NOT_FINITE, NOT_FINITE_TEXT
from blendgen.engine.blender.importing.coordinates.text import whole_lines
from blendgen.engine.blender.importing.damaged import DamagedFile
from blendgen.files.decimals import decimals

_NUMBERS = rb"([^\s#]\S*[ \t]+[^\s#]\S*[ \t]+[^\s#]\S*)"
OBJ_VERTEX = re.compile(rb"(\n[ \t]*v[ \t]+)" + _NUMBERS)
STL_VERTEX = re.compile(rb"(\s(?i:vertex)\s+)" + _NUMBERS)
_CONTINUED = re.compile(rb"\\\r?\n")


def read_vertices(path: Path, vertex: re.Pattern[bytes]) -> np.ndarray:
    """(n, 3) float64 coordinates; raises DamagedFile if a vertex is not three finite numbers."""
    blocks, count = [], 0
    for block in _blocks(path):
        blocks.append(values_of([match[1] for match in vertex.findall(block)], count))
        count += len(blocks[-1])
    return np.concatenate([np.empty((0, 3)), *blocks])


def moved_text(path: Path, vertex: re.Pattern[bytes], shift: np.ndarray) -> Iterator[bytes]:
    """The file with the shift subtracted from all vertices, in blocks."""
    for block in _blocks(path):
        between = vertex.split(block)
        between[2::3] = map(point_text, (values_of(between[2::3]) - shift).tolist())
        yield b"".join(between)[1:]


def _blocks(path: Path) -> Iterator[bytes]:
    """Blocks of whole lines, each behind an added line end, so that all lines start alike."""
    for block in whole_lines(path):
        yield b"\n" + (_CONTINUED.sub(b" ", block) if b"\\" in block else block)


def point_text(point: list[float]) -> bytes:
    """Three coordinates near the origin, with more digits than single precision has."""
    return b"%.10g %.10g %.10g" % tuple(point)


def values_of(texts: list[bytes], before: int = 0) -> np.ndarray:
    """(n, 3) float64 numbers of n texts; before: how many vertices of the file are not among them.

    raises: DamagedFile
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)  # what older NumPys raise for other text
            values = np.fromstring(b" ".join(texts), sep=" ") if texts else np.empty(0)
        return values.reshape(-1, 3)
    except (ValueError, DeprecationWarning):
        number = next((i for i, text in enumerate(texts) if not _is_point(text)), 0)
        raise _error(texts[number], before + number + 1) from None


def _is_point(text: bytes) -> bool:
    try:
        return len(decimals(text.decode("latin-1").split())) == 3
    except ValueError:
        return False


def _error(text: bytes, number: int) -> DamagedFile:
    if NOT_FINITE_TEXT.search(text):
        return DamagedFile(NOT_FINITE)
    name = f"vertex {number} is {text[:60].decode('utf-8', 'replace')!r}"
    if b"," in text:
        return DamagedFile(f"{name}, with decimal commas; export it with decimal points")
    return DamagedFile(f"{name}, which is not three numbers; export it again")
