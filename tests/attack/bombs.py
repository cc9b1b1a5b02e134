"""Bombs: small files whose headers claim a huge size, and a few huge ones."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path


def png_bomb(side: int) -> bytes:
    """A complete PNG of side x side equal grey pixels, in few bytes."""
    packer = zlib.compressobj(9)
    line = bytes(side + 1)
    body = b"".join(packer.compress(line) for _ in range(side)) + packer.flush()
    return _png(side, side, body)


def png_claim(side: int) -> bytes:
    """A PNG whose header claims side x side RGB pixels, without their data."""
    return _png(side, side, zlib.compress(bytes(64)), kind=2)


def _png(width: int, height: int, body: bytes, kind: int = 0) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def exr_claim(width: int, height: int) -> bytes:
    """An EXR header that claims width x height pixels, without their data."""
    box = struct.pack("<iiii", 0, 0, width - 1, height - 1)
    attributes = [
        ("channels", "chlist", b"Z\0" + struct.pack("<iBxxxii", 2, 0, 1, 1) + b"\0"),
        ("compression", "compression", b"\x03"),
        ("dataWindow", "box2i", box),
        ("displayWindow", "box2i", box),
        ("lineOrder", "lineOrder", b"\0"),
        ("pixelAspectRatio", "float", struct.pack("<f", 1)),
        ("screenWindowCenter", "v2f", struct.pack("<ff", 0, 0)),
        ("screenWindowWidth", "float", struct.pack("<f", 1)),
    ]
    parts = [
        name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(data)) + data
        for name, kind, data in attributes
    ]
    return struct.pack("<II", 20000630, 2) + b"".join(parts) + b"\0" + bytes(64)


def hdr_claim(width: int, height: int) -> bytes:
    """A Radiance header that claims width x height pixels, without their data."""
    return f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y {height} +X {width}\n".encode() + bytes(64)


def fill(path: Path, piece: str, megabytes: int, start: str = "", end: str = "") -> Path:
    """A large file, written piece by piece."""
    count = megabytes * 1_000_000 // len(piece.encode())
    with path.open("w", encoding="utf-8") as file:
        file.write(start)
        for done in range(0, count, 10_000):
            file.write(piece * min(10_000, count - done))
        file.write(end)
    return path


def sparse(path: Path, start: bytes, size: int) -> Path:
    """A sparse file of a given size, which takes almost no space."""
    with path.open("wb") as file:
        file.write(start)
        file.truncate(size)
    return path


def laughs(levels: int = 9) -> str:
    """YAML whose aliases expand to 10 ** levels strings."""
    lines = ['l0: &l0 "lol"']
    for level in range(1, levels + 1):
        lines.append(f"l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 10)}]")
    return "\n".join(lines) + "\n"


def deep(count: int, opening: str = "[", closing: str = "]") -> str:
    return opening * count + closing * count
