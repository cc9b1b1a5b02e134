"""Pixels: a photo or a render as a network wants it.

In: (h, w, 3) uint8 sRGB of any size. Out: (3, side, side) float32. The whole picture is kept: it is scaled
so that its longer side fits, and the rest of the square is filled with the colours of its nearest edge.
Cropping would cut off products near the edge, and stretching would change their shapes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from blendgen.geometry.arrays import AnyArray, ImageHW3U8
from blendgen.learn.backbones import Preprocessing

PIXELS_VERSION = 1  # of this module: part of the key of cached features


def network_input(image: ImageHW3U8, expected: Preprocessing) -> AnyArray:
    """(3, side, side) float32"""
    square = fitted(image, expected.side_px).astype(np.float64)
    normalised = (square - np.array(expected.mean)) / np.array(expected.spread)
    return np.ascontiguousarray(normalised.transpose(2, 0, 1), np.float32)


def fitted(image: ImageHW3U8, side_px: int) -> ImageHW3U8:
    """(side, side, 3) uint8: all of the image, upright and undistorted, in the middle."""
    height, width = image.shape[:2]
    scale = side_px / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    picture: Any = Image.fromarray(image)
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.BICUBIC)
    spare_x, spare_y = side_px - size[0], side_px - size[1]
    sides = (spare_y // 2, spare_y - spare_y // 2), (spare_x // 2, spare_x - spare_x // 2), (0, 0)
    return np.pad(np.asarray(picture), sides, mode="edge")


def statement(expected: Preprocessing) -> dict[str, Any]:
    """The same in words, for who runs the network elsewhere."""
    return {
        "input": "image", "layout": "NCHW float32, RGB", "side_px": expected.side_px,
        "mean": list(expected.mean), "spread": list(expected.spread), "resize": "longer side, bicubic",
        "padding": "nearest edge, centred", "formula": "(level - mean) / spread, levels from 0 to 255",
        "version": PIXELS_VERSION,
    }  # fmt: skip
