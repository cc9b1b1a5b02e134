"""glTF vertices: whether the coordinates in the buffers of a document are numbers. Does not load bpy.

Blender's importer turns those that are not into 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np

from blendgen.engine.blender.importing.coordinates.origin import coordinate_fault

_FLOAT32 = 5126


def vertex_fault(content: dict, load: Callable[[int], bytes | None]) -> str | None:
    """Why the vertices of a glTF document cannot be used, in one line; None if nothing is wrong.

    load: the bytes of a buffer by its number; what cannot be read is left to the importer
    """
    load = cache(load)
    for number in dict.fromkeys(_positions(content)):
        for values in _arrays(content, number, load):
            fault = coordinate_fault(values)
            if fault:
                return fault
    return None


def _positions(content: dict) -> Iterator[int]:
    """Accessors of vertices and of their shape keys, in single precision."""
    for mesh in content.get("meshes", ()):
        for primitive in mesh.get("primitives", ()):
            for attributes in (primitive["attributes"], *primitive.get("targets", ())):
                if "POSITION" in attributes:
                    yield attributes["POSITION"]


def _arrays(content: dict, number: int, load: Callable[[int], bytes | None]) -> Iterator[np.ndarray]:
    accessor = content["accessors"][number]
    sparse = accessor.get("sparse")
    for part, count in (
        (accessor, accessor["count"]),
        (sparse and sparse["values"], sparse and sparse["count"]),
    ):
        if part and "bufferView" in part and accessor["componentType"] == _FLOAT32:
            view = content["bufferViews"][part["bufferView"]]
            data = None if view.get("extensions") else load(view["buffer"])
            start = view.get("byteOffset", 0) + part.get("byteOffset", 0)
            stride = view.get("byteStride", 12)
            if data is not None and start + stride * (count - 1) + 12 <= len(data):
                yield np.ndarray((count, 3), "<f4", data, start, (stride, 4))
