"""FBX numbers: whether the vertices and transforms of an FBX file are numbers. Does not load bpy.

Blender's importer turns those that are not into 0. The few arrays and properties in question are recognised
by their names in the bytes of the file; nothing else of it is read.
source: Blender, io_scene_fbx/parse_fbx.py
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from blendgen.engine.blender.importing.coordinates.origin import (
    FAR,
    NOT_FINITE,
    NOT_FINITE_TEXT,
    coordinate_fault,
)
from blendgen.engine.blender.importing.fbx_bytes import byte_order

_ARRAY = re.compile(rb"\x08Vertices([df])(.{12})", re.S)  # type, then count, encoding and size
_TRANSFORM = re.compile(
    rb"S.{4}Lcl (?:Translation|Rotation|Scaling)(?:S.{4}[\w ]*?){3}D(.{8})D(.{8})D(.{8})", re.S
)
_TEXT_ARRAY = re.compile(rb"\bVertices:\s*\*\d+\s*\{\s*a:([^}]*)\}")
_TEXT_TRANSFORM = re.compile(rb'"Lcl (?:Translation|Rotation|Scaling)"[^\n]*"[^"\n]*",([^\n]*)')
_KINDS = {b"d": "f8", b"f": "f4"}


@dataclass(frozen=True)
class FbxNumbers:
    """fault: why the coordinates of a file cannot be used, in one line; None if nothing is wrong.

    may_be_far: they may be far from the origin, compared with the size of a mesh
    """

    fault: str | None
    may_be_far: bool = False


def read_numbers(data: bytes) -> FbxNumbers:
    """Of the content of an FBX file; text is only searched for numbers that are not finite."""
    if not data.startswith(b"Kaydara"):
        texts = (match[1] for pattern in (_TEXT_ARRAY, _TEXT_TRANSFORM) for match in pattern.finditer(data))
        return FbxNumbers(NOT_FINITE if any(NOT_FINITE_TEXT.search(text) for text in texts) else None)
    size = distance = 0.0
    for values in filter(len, _vertices(data)):
        fault = coordinate_fault(values)
        if fault:
            return FbxNumbers(fault)
        size = max(size, float(np.ptp(values, axis=0).max()))
        distance = max(distance, float(np.abs(values).max()))
    stored = (b"".join(match.groups()) for match in _TRANSFORM.finditer(data))
    transforms = np.array([np.frombuffer(one, f"{byte_order(data)}f8") for one in stored])
    distance = max(distance, float(np.abs(transforms).max(initial=0)))
    return FbxNumbers(coordinate_fault(transforms), distance > FAR * size > 0)


def _vertices(data: bytes) -> Iterator[np.ndarray]:
    order = byte_order(data)
    for match in _ARRAY.finditer(data):
        count, is_compressed, size = np.frombuffer(match[2], f"{order}u4").tolist()
        kind = np.dtype(f"{order}{_KINDS[match[1]]}")
        stored = data[match.end() : match.end() + size]
        if is_compressed:
            stored = _inflated(stored, count * kind.itemsize)
        values = np.frombuffer(stored[: len(stored) // kind.itemsize * kind.itemsize], kind)
        yield values[: len(values) // 3 * 3].reshape(-1, 3)


def _inflated(data: bytes, size: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, size)
    except zlib.error:  # left to Blender, which reads the file or names the reason
        return b""
