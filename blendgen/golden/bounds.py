"""Bounds: how far the clean image of another machine may be away from a golden one.

In: the deviations of each image with other seeds of the render. Out: its Bounds: twice the largest deviation,
or twice the median of all images where that is more, so that an image whose few seeds happened to agree gets
no bound that is too narrow.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from blendgen.golden.files import Bounds
from blendgen.golden.pixels import Deviation

_FACTOR = 2.0
# rounding to 8 bits, and the last digits of tone curve and denoiser
_LEAST_BRIGHTNESS, _LEAST_BLOCK = 0.005, 2.0


def bounds_of(noise: Mapping[int, tuple[Deviation, ...]]) -> dict[int, Bounds]:
    """By index of the image."""
    brightness = {index: max(abs(one.brightness) for one in many) for index, many in noise.items()}
    block = {index: max(one.block for one in many) for index, many in noise.items()}
    usual = median(brightness.values()), median(block.values())
    return {
        index: Bounds(
            brightness=round(max(_LEAST_BRIGHTNESS, _FACTOR * max(brightness[index], usual[0])), 4),
            block=round(max(_LEAST_BLOCK, _FACTOR * max(block[index], usual[1])), 2),
        )
        for index in noise
    }
