"""FBX bytes: the order of the bytes of numbers in a binary FBX file. Does not load bpy.

source: ufbx, with which Blender reads FBX files; its older reader in Python knows the order "<" only
"""

from __future__ import annotations

import re
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


def text_value(data: bytes, name: str, default: bytes) -> bytes:
    """The word that is the value of a property of the text FBX file `data`; the default if it has none.

    A comma ends it, also one that was meant as a decimal comma, and ; begins a comment.
    """
    head = rb'"' + re.escape(name.encode()) + rb'"(?:[ \t]*,[ \t]*"[^"\n]*"){2,3}'
    match = re.search(head + rb"(?:[ \t]*,[ \t]*([^\s,;]*))?", data)
    return (match[1] or b"") if match else default


def text_length(data: bytes, length: int) -> bytes:
    """The bytes with which the FBX file `data` states the length of a string."""
    return struct.pack(f"{byte_order(data)}I", length)
