"""Tile images: the maps of tile_patterns.py as images of this session, read from the cache or drawn.

A node of a material that shows one is found by its name; its image is set after the material was built or
read, as materials in the cache do not contain images.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np

from blendgen.engine.blender.shading import tile_patterns
from blendgen.engine.blender.shading.cache_files import cache_file
from blendgen.files.whole_file import whole_file

DUST, MARKS = "tile.dust", "tile.marks"
FINE, SLOW, FLOW = "tile.fine", "tile.slow", "tile.flow"
_DRAW: dict[str, Callable[[], np.ndarray]] = {
    DUST: tile_patterns.dust_tile,
    MARKS: tile_patterns.marks_tile,
    FINE: tile_patterns.fine_tile,
    SLOW: tile_patterns.slow_tile,
    FLOW: tile_patterns.flow_tile,
}


def show_tiles(tree: bpy.types.NodeTree) -> None:
    """Give the nodes of a tree that are named after a tile their image."""
    for node in tree.nodes:
        if node.bl_idname == "ShaderNodeTexImage" and node.image is None:
            name = next((name for name in _DRAW if node.name.startswith(name)), None)
            if name is not None:
                node.image = _image(name)


def _image(name: str) -> bpy.types.Image:
    known = bpy.data.images.get(name)
    if known is not None:
        return known
    texels = _texels(name)
    image = bpy.data.images.new(name, texels.shape[1], texels.shape[0], alpha=True, is_data=True)
    image.alpha_mode = "CHANNEL_PACKED"
    image.use_fake_user = True
    image.pixels.foreach_set((texels.astype(np.float32) / np.float32(255)).ravel())
    return image


def _texels(name: str) -> np.ndarray:
    file = cache_file(f"{name}.npy", tile_patterns.__name__)
    if file is None:
        return _DRAW[name]()
    texels = _read(file)
    if texels is None:
        texels = _DRAW[name]()
        with contextlib.suppress(OSError), whole_file(file) as temporary, temporary.open("wb") as stream:
            np.save(stream, texels)
    return texels


def _read(file: Path) -> np.ndarray | None:
    """None where the file is missing or damaged."""
    try:
        texels = np.load(file)
    except (OSError, ValueError, EOFError):
        return None
    whole = isinstance(texels, np.ndarray) and texels.shape[2:] == (4,) and texels.dtype == np.uint8
    return texels if whole else None
