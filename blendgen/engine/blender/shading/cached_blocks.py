"""Cached blocks: node trees that take long to build are read from the cache on disk.

In: the kind and the name of a data block, and a function that builds it. Out: the block, in this session.
Blender needs a millisecond or more for each of a tree's hundreds of nodes, and ten for reading them all.
The name of a file's folder is a digest of the code that builds the block and of Blender's version: files
never go stale and may be deleted at any time. Where the cache cannot be used, the block is built again;
that only costs time.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import bpy

from blendgen.errors import SetupError
from blendgen.files.whole_file import whole_file
from blendgen.models.measuring.cache import cache_folder
from blendgen.system.code_digest import code_digest


def cached_block(kind: str, name: str, module: str, build: Callable[[], bpy.types.ID]) -> bpy.types.ID:
    """The block of that name: the one in this session, or read from the cache, or built and cached.

    kind: a collection of bpy.data, such as "materials"
    module: the module that builds it; a change to this module or to anything that it imports rebuilds it
    """
    block = getattr(bpy.data, kind).get(name)
    if block is None:
        file = _cache_file(name, module)
        block = build() if file is None else _read(file, kind, name) or _built(file, build)
    return block


def _cache_file(name: str, module: str) -> Path | None:
    """None where there is no cache: without a home folder, or in an installation without source files."""
    try:
        return cache_folder() / "shaders" / _version(module) / f"{name}.blend"
    except SetupError:
        return None


@cache
def _version(module: str) -> str:
    return hashlib.sha256(f"{code_digest(module)} {bpy.app.version_string}".encode()).hexdigest()[:32]


def _read(file: Path, kind: str, name: str) -> bpy.types.ID | None:
    if not file.is_file():
        return None
    try:
        with bpy.data.libraries.load(str(file), link=False) as (there, into):
            setattr(into, kind, [one for one in getattr(there, kind) if one == name])
    except (OSError, RuntimeError):  # damaged, or deleted in the meantime
        return None
    blocks = getattr(into, kind)
    return blocks[0] if blocks else None


def _built(file: Path, build: Callable[[], bpy.types.ID]) -> bpy.types.ID:
    block = build()
    with contextlib.suppress(OSError, RuntimeError), whole_file(file) as temporary:
        bpy.data.libraries.write(str(temporary), {block}, fake_user=True, compress=True)
    return block
