"""Tile images: the maps of tile_patterns.py as images of this session, read from the cache or drawn.

A node of a material that shows one is found by its name; its image is set after the material was built or
read, as materials in the cache do not contain images. A large map has levels of detail, each with half the
texels along both axes: a shot reads the coarsest whose texels are at most half as large as its pixels. Then
Cycles is given a fraction of the bytes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from blendgen.engine.blender.shading import tile_patterns
from blendgen.engine.blender.shading.cache_files import cache_file
from blendgen.engine.blender.shading.tile_patterns import FINE_M, SIDE_PX, halved
from blendgen.files.whole_file import whole_file
from blendgen.scene.shot import Camera

DUST, MARKS = "tile.dust", "tile.marks"
FINE, SLOW, FLOW = "tile.fine", "tile.slow", "tile.flow"
_DRAW: dict[str, Callable[[], np.ndarray]] = {
    DUST: tile_patterns.dust_tile,
    MARKS: tile_patterns.marks_tile,
    FINE: tile_patterns.fine_tile,
    SLOW: tile_patterns.slow_tile,
    FLOW: tile_patterns.flow_tile,
}


@dataclass(frozen=True)
class _Levels:
    """texel_m: side of a texel at full detail; coarsest: number of the last level, 0 is full detail

    marks: pairs of channels: how strong marks are, and the amounts from which they are there
    """

    texel_m: float
    coarsest: int
    marks: tuple[tuple[int, int], ...] = ()


# those that are larger than a megabyte; how large texels of grain are depends on the material
_LEVELS = {
    DUST: _Levels(FINE_M / SIDE_PX, 2, ((1, 2),)),
    MARKS: _Levels(FINE_M / SIDE_PX, 2, ((0, 1), (2, 3))),
    FINE: _Levels(0.15e-3, 1),
}
# texels per pixel, along a side; with fewer, the finest grain would be lost
_PER_PIXEL = 2


class _Detail:
    """Of the current shot. pixel_m: how large a pixel is where the camera looks at"""

    pixel_m: float = 0.0


def set_detail(camera: Camera) -> None:
    """Maps that are shown from now on have the detail that this camera resolves."""
    pixel_mm = camera.sensor_width_mm / camera.resolution[0]
    _Detail.pixel_m = camera.distance_m * pixel_mm / camera.focal_length_mm


def show_tiles(tree: bpy.types.NodeTree) -> None:
    """Give the nodes of a tree that are named after a tile their image."""
    for node in tree.nodes:
        if node.bl_idname == "ShaderNodeTexImage":
            name = next((name for name in _DRAW if node.name.startswith(name)), None)
            if name is not None:
                image = _image(name, _level(name, _Detail.pixel_m))
                if node.image != image:  # setting it updates the whole tree
                    node.image = image


def _level(name: str, pixel_m: float) -> int:
    """The coarsest level whose texels are fine enough."""
    levels = _LEVELS.get(name)
    if levels is None:
        return 0
    limit_m = pixel_m / _PER_PIXEL
    return next((level for level in range(levels.coarsest, 0, -1) if levels.texel_m * 2**level <= limit_m), 0)


def _image(name: str, level: int) -> bpy.types.Image:
    of_level = _of_level(name, level)
    known = bpy.data.images.get(of_level)
    if known is not None:
        return known
    texels = _texels(name, level)
    image = bpy.data.images.new(of_level, texels.shape[1], texels.shape[0], alpha=True, is_data=True)
    image.alpha_mode = "CHANNEL_PACKED"
    image.use_fake_user = True
    image.pixels.foreach_set((texels.astype(np.float32) / np.float32(255)).ravel())
    return image


def _of_level(name: str, level: int) -> str:
    return f"{name}.{level}" if level else name


def _texels(name: str, level: int = 0) -> np.ndarray:
    file = cache_file(f"{_of_level(name, level)}.npy", tile_patterns.__name__)
    if file is None:
        return _drawn(name, level)
    texels = _read(file)
    if texels is None:
        texels = _drawn(name, level)
        with contextlib.suppress(OSError), whole_file(file) as temporary, temporary.open("wb") as stream:
            np.save(stream, texels)
    return texels


def _drawn(name: str, level: int) -> np.ndarray:
    return halved(_texels(name, level - 1), _LEVELS[name].marks) if level else _DRAW[name]()


def _read(file: Path) -> np.ndarray | None:
    """None where the file is missing or damaged."""
    try:
        texels = np.load(file)
    except (OSError, ValueError, EOFError):
        return None
    whole = isinstance(texels, np.ndarray) and texels.shape[2:] == (4,) and texels.dtype == np.uint8
    return texels if whole else None
