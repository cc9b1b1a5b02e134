"""Kept: node trees that are slow to write, read from the cache instead.

In: the kind and the name of a data block, and who writes it. Out: the block, in this session. Each of a
tree's hundreds of nodes takes Blender a millisecond or more; reading them all takes ten. A file's folder
is named by the code that writes it and by Blender's version, so files never grow stale and may be deleted
at any time. Where the cache cannot be used, the block is written anew: that costs time, and nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import bpy

import blendgen
from blendgen.models.measuring.cache import cache_folder, code_digest

_PACKAGE = Path(blendgen.__file__).resolve().parent


def kept(kind: str, name: str, write: Callable[[], bpy.types.ID]) -> bpy.types.ID:
    """The block of that name of this session, of the cache, or as it is written; kind: of bpy.data."""
    block = getattr(bpy.data, kind).get(name)
    if block is None:
        file = cache_folder() / "shaders" / _version() / f"{name}.blend"
        block = _read(file, kind, name) or _written(file, write)
    return block


@cache
def _version() -> str:
    files = [
        file for room in ("engine/blender", "geometry", "scene") for file in (_PACKAGE / room).rglob("*.py")
    ]
    return hashlib.sha256(f"{code_digest(files)} {bpy.app.version_string}".encode()).hexdigest()[:32]


def _read(file: Path, kind: str, name: str) -> bpy.types.ID | None:
    if not file.is_file():
        return None
    try:
        with bpy.data.libraries.load(str(file), link=False) as (there, into):
            setattr(into, kind, [one for one in getattr(there, kind) if one == name])
    except (OSError, RuntimeError):  # torn, or gone meanwhile
        return None
    blocks = getattr(into, kind)
    return blocks[0] if blocks else None


def _written(file: Path, write: Callable[[], bpy.types.ID]) -> bpy.types.ID:
    block = write()
    part = file.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError, RuntimeError):
        file.parent.mkdir(parents=True, exist_ok=True)
        bpy.data.libraries.write(str(part), {block}, fake_user=True, compress=True)
        part.replace(file)
    with contextlib.suppress(OSError):
        part.unlink(missing_ok=True)
    return block
