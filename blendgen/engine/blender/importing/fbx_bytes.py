"""FBX bytes: the order of the bytes of numbers in a binary FBX file. Does not load bpy.

source: ufbx, with which Blender reads FBX files; its older reader in Python knows the order "<" only
"""

from __future__ import annotations

import struct

_MAGIC = b"Kaydara FBX Binary  \x00\x1a"


def byte_order(data: bytes) -> str:
    """ "<" or ">", as `struct` and NumPy name it; "<" for text."""
    return ">" if data.startswith(_MAGIC + b"\x01") else "<"


def stored_number(data: bytes, kind: str, stored: bytes) -> float:
    """A number of the FBX file `data`.

    kind: as `struct` names it; stored: its bytes
    """
    (value,) = struct.unpack(byte_order(data) + kind, stored)
    return value


def text_length(data: bytes, length: int) -> bytes:
    """The bytes with which the FBX file `data` states the length of a string."""
    return struct.pack(f"{byte_order(data)}I", length)
