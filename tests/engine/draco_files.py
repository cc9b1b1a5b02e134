"""Write small glTF files twice from the same arrays: plain and Draco-compressed.

A Part is the content of one primitive. Its Draco data are made by DracoPy with 20 bits, so that
what is lost is less than 1e-5 of its extent.
"""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import dataclass, field
from pathlib import Path

import DracoPy
import numpy as np

EXTENSION = "KHR_draco_mesh_compression"
TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}
COMPONENTS = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}
FIRST_FREE_ID = 40  # unique ids of attributes without a name in DracoPy


@dataclass
class Part:
    """Triangles (n, 3) and, for each glTF semantic, an array of (vertices, components)."""

    faces: np.ndarray
    attributes: dict[str, np.ndarray]
    normalized: tuple[str, ...] = ()
    material: int | None = None
    ids: dict[str, int] = field(default_factory=dict)

    def compressed(self, keep_order: bool = True) -> bytes:
        named = {"POSITION", "NORMAL", "TEXCOORD_0"}
        others = [semantic for semantic in self.attributes if semantic not in named]
        self.ids = {semantic: FIRST_FREE_ID + i for i, semantic in enumerate(others)}
        data = DracoPy.encode(
            self._doubles("POSITION"),
            self.faces,
            quantization_bits=20,
            preserve_order=keep_order,
            normals=self._doubles("NORMAL"),
            tex_coord=self._doubles("TEXCOORD_0"),
            generic_attributes={self.ids[s]: _encodable(self.attributes[s]) for s in others} or None,
        )
        kinds = {0: "POSITION", 1: "NORMAL", 3: "TEXCOORD_0"}
        made = DracoPy.decode(data).attributes
        self.ids |= {kinds[a["attribute_type"]]: a["unique_id"] for a in made if a["attribute_type"] in kinds}
        return data

    def _doubles(self, semantic: str) -> np.ndarray | None:
        values = self.attributes.get(semantic)
        return None if values is None else values.astype(np.float64)


def _encodable(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float64) if values.dtype.kind == "f" else values


def sphere(radius: float = 1.0, center=(0.0, 0.0, 0.0), rings: int = 9, sectors: int = 14) -> Part:
    """A sphere with a seam, its normals and texture coordinates."""
    v, u = (grid.ravel() for grid in np.mgrid[0 : rings + 1, 0 : sectors + 1].astype(float))
    polar, azimuth = np.pi * v / rings, 2 * np.pi * u / sectors
    normals = np.stack(
        [np.sin(polar) * np.cos(azimuth), np.cos(polar), np.sin(polar) * np.sin(azimuth)], axis=1
    )
    row, column = (grid.ravel() for grid in np.mgrid[0:rings, 0:sectors])
    a = row * (sectors + 1) + column
    b, c, d = a + 1, a + sectors + 1, a + sectors + 2
    lower, upper = np.stack([a, b, d], axis=1)[row > 0], np.stack([a, d, c], axis=1)[row < rings - 1]
    attributes = {
        "POSITION": normals * radius * (1, 0.5, 2) + center,
        "NORMAL": normals,
        "TEXCOORD_0": np.stack([u / sectors, v / rings], axis=1),
    }
    attributes = {semantic: values.astype(np.float32) for semantic, values in attributes.items()}
    return Part(np.concatenate([lower, upper]).astype(np.uint32), attributes)


def document(parts: list[Part], draco: bool, keep_order: bool = True) -> tuple[dict, bytearray]:
    """JSON and buffer of one mesh with a primitive for each part."""
    body = bytearray()
    content = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "scale": [0.5, 0.5, 0.5], "translation": [0, 3, 0]}],
        "meshes": [{"name": "globe", "primitives": []}],
        "accessors": [],
        "bufferViews": [],
    }
    for part in parts:
        add = _add_compressed if draco else _add_plain
        content["meshes"][0]["primitives"].append(add(content, body, part, keep_order))
    content["buffers"] = [{"byteLength": len(body)}]
    if draco:
        content["extensionsUsed"] = content["extensionsRequired"] = [EXTENSION]
    return content, body


def _add_plain(content: dict, body: bytearray, part: Part, keep_order: bool) -> dict:
    primitive = _add_accessors(content, part)
    arrays = [part.faces.astype(np.uint16), *part.attributes.values()]
    for accessor, values in zip(content["accessors"][-len(arrays) :], arrays, strict=True):
        accessor["bufferView"] = add_view(content, body, values.tobytes())
    return primitive


def _add_compressed(content: dict, body: bytearray, part: Part, keep_order: bool) -> dict:
    primitive = _add_accessors(content, part)
    view = add_view(content, body, part.compressed(keep_order))
    primitive["extensions"] = {EXTENSION: {"bufferView": view, "attributes": part.ids}}
    return primitive


def _add_accessors(content: dict, part: Part) -> dict:
    first = len(content["accessors"])
    indices = {"componentType": 5123, "count": part.faces.size, "type": "SCALAR"}
    content["accessors"].append(indices)
    for semantic, values in part.attributes.items():
        accessor = {
            "componentType": COMPONENTS[values.dtype.str[1:]],
            "count": len(values),
            "type": TYPES[values.shape[1]],
        }
        content["accessors"].append(accessor | ({"normalized": True} if semantic in part.normalized else {}))
    places = {semantic: first + 1 + i for i, semantic in enumerate(part.attributes)}
    primitive = {"indices": first, "attributes": places}
    return primitive if part.material is None else primitive | {"material": part.material}


def add_view(content: dict, body: bytearray, data: bytes) -> int:
    body.extend(bytes(-len(body) % 4))
    view = {"buffer": 0, "byteOffset": len(body), "byteLength": len(data)}
    body.extend(data)
    content["bufferViews"].append(view)
    return len(content["bufferViews"]) - 1


def write_glb(path: Path, content: dict, body: bytes) -> Path:
    text = json.dumps(content).encode()
    text += b" " * (-len(text) % 4)
    body = bytes(body) + bytes(-len(body) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
    chunks += struct.pack("<II", len(body), 0x004E4942) + body
    path.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks)
    return path


def write_gltf(path: Path, content: dict, body: bytes) -> Path:
    """JSON with its buffer in a file next to it."""
    file = path.with_name("my data.bin")
    file.write_bytes(body)
    return _write_json(path, content, "my%20data.bin")


def write_data_uri(path: Path, content: dict, body: bytes) -> Path:
    data = base64.b64encode(body).decode()
    return _write_json(path, content, f"data:application/octet-stream;base64,{data}")


def _write_json(path: Path, content: dict, uri: str) -> Path:
    content["buffers"][0]["uri"] = uri
    path.write_text(json.dumps(content))
    return path


def read_glb(path: Path) -> tuple[dict, bytes]:
    data = path.read_bytes()
    length = struct.unpack_from("<I", data, 12)[0]
    return json.loads(data[20 : 20 + length]), data[28 + length :]


def read_accessor(content: dict, body: bytes, index: int) -> np.ndarray:
    """Values of an accessor (count, components) as they are stored."""
    accessor = content["accessors"][index]
    view = content["bufferViews"][accessor["bufferView"]]
    dtype = np.dtype("<" + next(name for name, n in COMPONENTS.items() if n == accessor["componentType"]))
    length = next(n for n, name in TYPES.items() if name == accessor["type"])
    stride = view.get("byteStride", dtype.itemsize * length)
    start = view.get("byteOffset", 0)
    assert start % 4 == 0 and stride * accessor["count"] <= view["byteLength"]
    return np.ndarray((accessor["count"], length), dtype, body, start, (stride, dtype.itemsize))
