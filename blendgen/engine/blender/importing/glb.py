"""GLB: a glTF document and its data as one file that needs no other. Does not load bpy.

source: Khronos, glTF 2.0, 4 (GLB file format)
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field

_JSON_CHUNK, _BINARY_CHUNK = 0x4E4F534A, 0x004E4942
_HEADER, _CHUNK_HEADER = 12, 8  # bytes


@dataclass
class Glb:
    """The JSON of a glTF file and the bytes of its only buffer; both can grow."""

    content: dict
    body: bytearray = field(default_factory=bytearray)

    @classmethod
    def unpacked(cls, data: bytes) -> Glb:
        """Of a whole GLB that a library has written."""
        start = _HEADER + _CHUNK_HEADER
        end = start + struct.unpack_from("<I", data, _HEADER)[0]
        return cls(json.loads(data[start:end]), bytearray(data[end + _CHUNK_HEADER :]))

    def append(self, data: bytes) -> int:
        """Append data; returns its offset, a multiple of 4 bytes as accessors require."""
        self.body.extend(bytes(-len(self.body) % 4))
        self.body.extend(data)
        return len(self.body) - len(data)

    def add_view(self, data: bytes, **properties: int) -> int:
        view = {"buffer": 0, "byteOffset": self.append(data), "byteLength": len(data), **properties}
        return self.add("bufferViews", view)

    def add_accessor(self, data: bytes, accessor: dict, **properties: int) -> int:
        """A copy of the accessor that reads the data; other primitives may use the original."""
        copied = {key: value for key, value in accessor.items() if key != "byteOffset"}
        return self.add("accessors", copied | {"bufferView": self.add_view(data, **properties)})

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

    def add(self, kind: str, entry: dict) -> int:
        """Add to "meshes", "materials" or the like; returns its index."""
        entries = self.content.setdefault(kind, [])
        entries.append(entry)
        return len(entries) - 1
