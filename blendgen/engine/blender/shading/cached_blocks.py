"""Cached blocks: node trees that take long to build are read from the cache on disk.

In: the kind and the name of a data block, and a function that builds it. Out: the block, in this session.
Blender needs a millisecond or more for each of a tree's hundreds of nodes, and ten for reading them all.
The name of a file's folder is a digest of the code that builds the block and of Blender's version: files
never go stale and may be deleted at any time. Where the cache cannot be used, the block is built again;
that only costs time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import bpy

from blendgen.engine.blender.shading.cache_files import cache_file
from blendgen.engine.blender.shading.tile_images import show_tiles
from blendgen.files.whole_file import whole_file


def cached_block(kind: str, name: str, module: str, build: Callable[[], bpy.types.ID]) -> bpy.types.ID:
    """The block of that name: the one in this session, or read from the cache, or built and cached.

    kind: a collection of bpy.data, such as "materials"
    module: the module that builds it; a change to this module or to anything that it imports rebuilds it
    """
    block = getattr(bpy.data, kind).get(name)
    if block is None:
        file = cache_file(f"{name}.blend", module)
        block = build() if file is None else _read(file, kind, name) or _built(file, build)
    tree = block if isinstance(block, bpy.types.NodeTree) else block.node_tree
    if tree is not None:  # of a material without nodes, before 5.0
        show_tiles(tree)  # of this shot's level of detail
    return block


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
