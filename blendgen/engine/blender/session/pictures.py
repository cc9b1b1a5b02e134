"""Pictures: a user's photos as Blender images, no larger than necessary.

In: files by name, and how many of their pixels are useful. Out: images, read by photos.py, because Blender
ignores the orientation and the colour profile of a photo. Cycles does not use mipmaps: an image much finer
than the pixels that show it would only add noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import bpy
import numpy as np

from blendgen.engine.base import EngineError
from blendgen.files.photos import IMAGE_ERRORS, read_photo
from blendgen.scene.shot import Shot

_SMALLEST_PX, _LARGEST_PX = 64, 8192
_MAX_IMAGES = 8
# texels per pixel, along each axis: filtering removes finer detail
_TEXELS_PER_PIXEL = 1.5


class Pictures:
    """A cache of the images that were used most recently."""

    def __init__(self, photos: Mapping[str, Path], backdrops: Mapping[str, Path]):
        self._photos, self._backdrops = photos, backdrops
        self._images: dict[tuple[Path, int], bpy.types.Image] = {}

    def of_surface(self, shot: Shot) -> bpy.types.Image | None:
        """The photo that the products lie on, in the resolution that the camera needs."""
        photo, camera = shot.surface.photo, shot.camera
        if photo is None:
            return None
        pixels = photo.width_m * camera.intrinsics[0][0] / camera.distance_m
        return self._image(self._photos[photo.image], pixels)

    def of_backdrop(self, shot: Shot) -> bpy.types.Image | None:
        if shot.backdrop is None:
            return None
        pixels = max(shot.camera.resolution) * shot.backdrop.zoom
        return self._image(self._backdrops[shot.backdrop.image], pixels)

    def _image(self, path: Path, pixels: float) -> bpy.types.Image:
        longest_px = _SMALLEST_PX
        while longest_px < min(pixels * _TEXELS_PER_PIXEL, _LARGEST_PX):
            longest_px *= 2
        key = (path, longest_px)
        image = self._images.pop(key, None) or _loaded(path, longest_px)
        self._images[key] = image  # the most recent one is last
        while len(self._images) > _MAX_IMAGES:
            bpy.data.images.remove(self._images.pop(next(iter(self._images))))
        return image


def _loaded(path: Path, longest_px: int) -> bpy.types.Image:
    try:
        rgb_u8 = read_photo(path, longest_px)
    except IMAGE_ERRORS as error:
        raise EngineError(f"{path}: cannot be read as a photo: {error}") from None
    height, width = rgb_u8.shape[:2]
    image = bpy.data.images.new(path.name, width, height, alpha=False)
    pixels = np.ones((height, width, 4), np.float32)
    pixels[..., :3] = rgb_u8[::-1] / np.float32(255)  # Blender's rows start at the bottom
    image.pixels.foreach_set(pixels.ravel())
    image.update()
    return image
