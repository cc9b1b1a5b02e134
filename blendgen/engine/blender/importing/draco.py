"""Draco: the compressed meshes of a GLB -> accessors without compression. Does not load bpy.

Every Blender version uses this, also those with a decoder: the bpy 5.2 wheel lacks it, and that of 4.5 leaves
out a damaged mesh instead of failing. So the same file gives the same vertices, or the same refusal, in all
of them. Attributes are identified by the unique ids that the extension states.
source: Khronos, KHR_draco_mesh_compression
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from blendgen.engine.blender.importing.glb import Glb
from blendgen.engine.blender.importing.preflight import ImportRefused

EXTENSION = "KHR_draco_mesh_compression"
_TRIANGLES, _UINT32 = 4, 5125
_COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", _UINT32: "<u4", 5126: "<f4"}
_LENGTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}


def decode_primitives(glb: Glb) -> None:
    """Change the primitives in place; raises ImportRefused for damaged data."""
    decoded = {}  # primitives may share their compressed data
    for name, primitive in list(_compressed(glb.content)):
        extension = primitive["extensions"].pop(EXTENSION)
        view = extension["bufferView"]
        if view not in decoded:
            decoded[view] = _decode(glb.view_bytes(view), name)
        _fill_primitive(glb, primitive, extension["attributes"], decoded[view], name)
        if not primitive["extensions"]:
            del primitive["extensions"]
    for key in ("extensionsUsed", "extensionsRequired"):
        glb.content[key] = [other for other in glb.content.get(key, ()) if other != EXTENSION]
        if not glb.content[key]:
            del glb.content[key]


def _compressed(content: dict) -> Iterator[tuple[str, dict]]:
    """Name of the mesh and the primitive, for all primitives that are Draco-compressed."""
    for number, mesh in enumerate(content.get("meshes", ())):
        for primitive in mesh["primitives"]:
            if EXTENSION in primitive.get("extensions", {}):
                yield mesh.get("name", f"{number}"), primitive


def _decode(data: bytes, name: str):
    """The DracoMesh of compressed data: its faces, and its attributes by unique id."""
    import DracoPy

    try:
        mesh = DracoPy.decode(data)
    except Exception as error:  # the exception types are not reliable: truncated data are "not Draco"
        raise ImportRefused(f"the Draco data of mesh {name!r} are damaged") from error
    faces = getattr(mesh, "faces", np.empty(0))  # a point cloud has no faces
    vertices = min((len(attribute["data"]) for attribute in mesh.attributes), default=0)
    if faces.size == 0 or faces.max() >= vertices:
        raise ImportRefused(f"the Draco data of mesh {name!r} contain no valid triangles")
    return mesh


def _fill_primitive(glb: Glb, primitive: dict, ids: dict[str, int], mesh, name: str) -> None:
    primitive["mode"] = _TRIANGLES  # strips are decoded to triangles too
    primitive["indices"] = _add_indices(glb, primitive.get("indices"), mesh.faces)
    for semantic, unique_id in ids.items():
        index = primitive["attributes"][semantic]
        attribute = mesh.get_attribute_by_unique_id(unique_id)
        data = _as_declared(attribute["data"], glb.content["accessors"][index]) if attribute else None
        if data is None:
            raise ImportRefused(f"the Draco data of mesh {name!r} do not fit its accessor {semantic}")
        primitive["attributes"][semantic] = _add_attribute(glb, index, data)


def _add_indices(glb: Glb, index: int | None, faces: np.ndarray) -> int:
    accessor: dict[str, Any] = {"componentType": _UINT32, "type": "SCALAR"}
    if index is not None:
        accessor = glb.content["accessors"][index]
    dtype = np.dtype(_COMPONENTS[accessor["componentType"]])
    if faces.max() >= np.iinfo(dtype).max:  # the largest index is reserved
        accessor, dtype = accessor | {"componentType": _UINT32}, np.dtype("<u4")
    return glb.add_accessor(faces.astype(dtype).tobytes(), accessor | {"count": faces.size})


def _as_declared(data: np.ndarray, accessor: dict) -> np.ndarray | None:
    """Attribute values in the accessor's component type; None if they do not fit it.

    DracoPy returns signed integers as float32: as fractions if they are marked as normalized.
    """
    dtype = np.dtype(_COMPONENTS[accessor["componentType"]])
    if data.ndim != 2 or data.shape[1] != _LENGTHS.get(accessor["type"]):
        return None
    if dtype.kind == "f":
        return data.astype(dtype) if data.dtype.kind == "f" else None
    if dtype.kind == "i" and accessor.get("normalized") and np.abs(data).max() < 1.5:
        data = np.round(data * np.iinfo(dtype).max)
    with np.errstate(invalid="ignore"):
        values = data.astype(dtype)
    return values if np.array_equal(values, data) else None


def _add_attribute(glb: Glb, index: int, data: np.ndarray) -> int:
    """An accessor with every vertex at a multiple of 4 bytes, as glTF requires."""
    rows = data.view(np.uint8).reshape(len(data), -1)
    padded = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))
    accessor = glb.content["accessors"][index] | {"count": len(data)}
    return glb.add_accessor(padded.tobytes(), accessor, byteStride=padded.shape[1])
