"""Draco: a glTF file with Draco-compressed meshes in, an equivalent plain GLB out. Does not load bpy.

Blender's importer then reads an ordinary file. Every Blender version uses this, also those with a decoder:
the bpy 5.2 wheel lacks it, and that of 4.5 leaves out a damaged mesh instead of failing. So the same file
gives the same vertices, or the same refusal, in all of them. The GLB contains all buffers and images, because
it is in another folder than the model. Attributes are identified by the unique ids that the extension states;
everything that is not compressed stays as it is.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, unquote, unquote_to_bytes

import numpy as np

from blendgen.engine.blender.importing.preflight import ImportRefused
from blendgen.files.image_size import header_fault
from blendgen.files.regular_file import MAX_MODEL_BYTES, read_bounded
from blendgen.models.companions import OUTSIDE, Companions, gltf_json, gltf_uris, uri_path

EXTENSION = "KHR_draco_mesh_compression"
_TRIANGLES, _UINT32 = 4, 5125
_COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", _UINT32: "<u4", 5126: "<f4"}
_LENGTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
_IMAGE_STARTS = {b"\x89PNG": "image/png", b"\xff\xd8": "image/jpeg", b"RIFF": "image/webp"}
_JSON_CHUNK, _BINARY_CHUNK = 0x4E4F534A, 0x004E4942


def plain_gltf(companions: Companions, into: Path) -> tuple[Path, dict[str, str]]:
    """A plain GLB in the folder `into` with the content of a .glb or .gltf, and the images left out of it.

    returns: the GLB, or the model itself if it does not use the extension and all its images may be read;
        and image file -> the reason why it may not be read
    raises: ImportRefused if the compressed data or the JSON around it is damaged
    """
    path = companions.model
    content = gltf_json(path)
    refused = _refused_images(content, companions)
    if EXTENSION not in json.dumps(content) and not refused:
        return path, refused
    glb = _Glb(content)
    try:
        _embed_buffers(glb, companions)
        _embed_images(glb, companions)
        _decode_primitives(glb)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise ImportRefused(f"its glTF structure is damaged ({type(error).__name__}: {error})") from error
    plain = into / f"{path.stem}.glb"
    plain.write_bytes(glb.packed())
    return plain, refused


def _refused_images(content: dict, companions: Companions) -> dict[str, str]:
    """Image files that the importer must not open: not in the models directory, not files, or too large."""
    refused = {}
    for uri in gltf_uris(content, "images"):
        reason = _image_fault(companions, uri)
        if reason:
            refused[PurePosixPath(uri).name] = reason
    return refused


def _image_fault(companions: Companions, uri: str) -> str | None:
    try:
        file, place = companions.inside(uri), companions.folder / uri
        if file is None:
            return f"it is {OUTSIDE}"
        if not file.is_file():
            return "it is not a regular file" if place.exists() else None
        return header_fault(file)
    except (OSError, ValueError):  # not a valid name
        return "it cannot be read"


@dataclass
class _Glb:
    """The JSON of a glTF file and the bytes of its only buffer; both can grow."""

    content: dict
    body: bytearray = field(default_factory=bytearray)

    def append(self, data: bytes) -> int:
        """Append data; returns its offset, a multiple of 4 bytes as accessors require."""
        self.body.extend(bytes(-len(self.body) % 4))
        self.body.extend(data)
        return len(self.body) - len(data)

    def add_view(self, data: bytes, **properties: int) -> int:
        view = {"buffer": 0, "byteOffset": self.append(data), "byteLength": len(data), **properties}
        return self._add("bufferViews", view)

    def add_accessor(self, data: bytes, accessor: dict, **properties: int) -> int:
        """A copy of the accessor that reads the data; other primitives may use the original."""
        copied = {key: value for key, value in accessor.items() if key != "byteOffset"}
        return self._add("accessors", copied | {"bufferView": self.add_view(data, **properties)})

    def view_bytes(self, index: int) -> bytes:
        view = self.content["bufferViews"][index]
        start = view.get("byteOffset", 0)
        return bytes(self.body[start : start + view["byteLength"]])

    def packed(self) -> bytes:
        self.append(b"")
        self.content["buffers"] = [{"byteLength": len(self.body)}]
        text = json.dumps(self.content).encode()
        text += b" " * (-len(text) % 4)
        chunks = struct.pack("<II", len(text), _JSON_CHUNK) + text
        chunks += struct.pack("<II", len(self.body), _BINARY_CHUNK) + self.body
        return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks

    def _add(self, kind: str, entry: dict) -> int:
        entries = self.content.setdefault(kind, [])
        entries.append(entry)
        return len(entries) - 1


def _compressed(content: dict) -> Iterator[tuple[str, dict]]:
    """Name of the mesh and the primitive, for all primitives that are Draco-compressed."""
    for number, mesh in enumerate(content.get("meshes", ())):
        for primitive in mesh["primitives"]:
            if EXTENSION in primitive.get("extensions", {}):
                yield mesh.get("name", f"{number}"), primitive


def _embed_buffers(glb: _Glb, companions: Companions) -> None:
    """Append all buffers to the only one."""
    starts = [
        glb.append(_buffer_bytes(buffer, number, companions))
        for number, buffer in enumerate(glb.content.get("buffers", ()))
    ]
    for view in glb.content.get("bufferViews", ()):
        view["byteOffset"] = view.get("byteOffset", 0) + starts[view["buffer"]]
        view["buffer"] = 0


def _buffer_bytes(buffer: dict, number: int, companions: Companions) -> bytes:
    uri = buffer.get("uri")
    data = _binary_chunk(companions.model, number) if uri is None else _uri_bytes(uri, companions)
    if data is None:
        raise ImportRefused(f"buffer file {unquote(str(uri))!r} is missing")
    if len(data) < buffer["byteLength"]:
        raise ImportRefused(f"buffer {number} is truncated: {len(data)} of {buffer['byteLength']} bytes")
    return data[: buffer["byteLength"]]


def _binary_chunk(path: Path, number: int) -> bytes:
    """The second chunk of a GLB, which is its first buffer; empty for other files."""
    data = path.read_bytes()
    if data[:4] != b"glTF" or number > 0:
        return b""
    start = 20 + struct.unpack_from("<I", data, 12)[0]
    header = data[start : start + 8]
    return data[start + 8 :][: struct.unpack("<II", header)[0]] if len(header) == 8 else b""


def _uri_bytes(uri: str, companions: Companions) -> bytes | None:
    """The bytes of a data URI, or of a file that the model names; None if that is missing."""
    if uri.startswith("data:"):
        kind, _, data = uri.partition(",")
        return base64.b64decode(data) if kind.endswith(";base64") else unquote_to_bytes(data)
    file = companions.inside(uri_path(uri))
    if file is None or not file.is_file():
        return None
    return read_bounded(file, MAX_MODEL_BYTES)


def _embed_images(glb: _Glb, companions: Companions) -> None:
    """Put image files into the GLB; a missing one keeps its bare name, for the message."""
    for image in glb.content.get("images", ()):
        uri = image.get("uri")
        fault = uri is not None and not uri.startswith("data:") and _image_fault(companions, uri_path(uri))
        data = _uri_bytes(uri, companions) if uri is not None and not fault else None
        name = "" if uri is None or uri.startswith("data:") else PurePosixPath(uri_path(uri)).name
        if name:
            image.setdefault("name", name)
        if data is not None:
            del image["uri"]
            image["bufferView"] = glb.add_view(data)
            image.setdefault("mimeType", _image_type(data))
        elif name:
            image["uri"] = quote(name)


def _image_type(data: bytes) -> str:
    return next((kind for start, kind in _IMAGE_STARTS.items() if data.startswith(start)), "image/png")


def _decode_primitives(glb: _Glb) -> None:
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


def _fill_primitive(glb: _Glb, primitive: dict, ids: dict[str, int], mesh, name: str) -> None:
    primitive["mode"] = _TRIANGLES  # strips are decoded to triangles too
    primitive["indices"] = _add_indices(glb, primitive.get("indices"), mesh.faces)
    for semantic, unique_id in ids.items():
        index = primitive["attributes"][semantic]
        attribute = mesh.get_attribute_by_unique_id(unique_id)
        data = _as_declared(attribute["data"], glb.content["accessors"][index]) if attribute else None
        if data is None:
            raise ImportRefused(f"the Draco data of mesh {name!r} do not fit its accessor {semantic}")
        primitive["attributes"][semantic] = _add_attribute(glb, index, data)


def _add_indices(glb: _Glb, index: int | None, faces: np.ndarray) -> int:
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


def _add_attribute(glb: _Glb, index: int, data: np.ndarray) -> int:
    """An accessor with every vertex at a multiple of 4 bytes, as glTF requires."""
    rows = data.view(np.uint8).reshape(len(data), -1)
    padded = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))
    accessor = glb.content["accessors"][index] | {"count": len(data)}
    return glb.add_accessor(padded.tobytes(), accessor, byteStride=padded.shape[1])
