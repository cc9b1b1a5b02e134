"""Pixels: how far a clean image is from another one of the same shot.

In: two images, (h, w, 3) uint8 sRGB. Out: a Deviation in two measures that noise changes little, and that a
darker lamp or another model changes much: the brightness of the whole image, and the means of its blocks.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from blendgen.geometry.arrays import ImageHW3U8
from blendgen.geometry.color import srgb_to_linear

BLOCK_PX = 8
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])  # of linear sRGB


@dataclass(frozen=True)
class Deviation:
    """brightness: relative change of the mean linear luminance, signed

    block: largest change of the mean of a block, in 8-bit values; block_px: (x, y) of its middle
    """

    brightness: float
    block: float
    block_px: tuple[int, int]


def deviation(golden: ImageHW3U8, now: ImageHW3U8) -> Deviation:
    """How far `now` is from an image of the same size."""
    before, after = brightness(golden), brightness(now)
    blocks = np.abs(_blocks(now.astype(np.float64) - golden)).max(axis=2)
    row, column = np.unravel_index(blocks.argmax(), blocks.shape)
    middle = BLOCK_PX // 2
    place = (int(column) * BLOCK_PX + middle, int(row) * BLOCK_PX + middle)
    return Deviation((after - before) / max(before, 1e-6), float(blocks.max()), place)


def brightness(image: ImageHW3U8) -> float:
    """Mean linear luminance, 0 to 1."""
    return float((srgb_to_linear(image / 255.0) @ _LUMINANCE).mean())


def pixel_digest(array: np.ndarray) -> str:
    """Hex sha256 of pixels, whatever packed them into a file."""
    head = f"{array.dtype.str} {array.shape} ".encode()
    return hashlib.sha256(head + np.ascontiguousarray(array).tobytes()).hexdigest()


def _blocks(values: np.ndarray) -> np.ndarray:
    """Means of blocks of BLOCK_PX pixels; the last ones of a row or column may be smaller."""
    for axis in (0, 1):
        starts = np.arange(0, values.shape[axis], BLOCK_PX)
        sizes = np.diff(np.append(starts, values.shape[axis]))
        sums = np.add.reduceat(values, starts, axis=axis)
        values = sums / (sizes[:, None, None] if axis == 0 else sizes[None, :, None])
    return values
