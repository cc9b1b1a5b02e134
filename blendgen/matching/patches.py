"""Patches: pieces of the background of photos, for a surface that shows them.

In: a PhotoSet. Out: (h, w, 3) uint8 pieces that show nothing but the background, lit evenly, and how much of
the width of their photo each one has. Noise of the photos stays in them; images are smaller and show little.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_closing, gaussian_filter, uniform_filter

from blendgen.geometry.arrays import ImageHW3U8, MaskHW
from blendgen.geometry.color import linear_to_srgb, luminance, srgb_to_linear
from blendgen.matching.photo_set import Photo, PhotoSet
from blendgen.photos.background import background_mask, oklab

MOST_PATCHES = 12
_SMALL_PX = 96  # of the longer side of the picture in which a piece is looked for
_LEAST_SHARE = 0.3  # of the background in a photo
_LEAST_SIDE = 0.28  # of a piece, as a share of the photo's shorter side
_SMALLEST_PX = 96
_FILLED = 0.97  # of each place of a piece
_RIM = 2  # cells
_LONGEST = 2.5  # sides of a piece
_PLACES = 6  # along each side of a piece, which must look alike
_ALIKE = 0.06  # OKLab distance of the mean colour of a place, lightness counts half
_EVEN = 0.25  # of a piece's shorter side: changes of light over more than that are taken out


@dataclass(frozen=True)
class Patch:
    """share: its width as a share of that of its photo"""

    image: ImageHW3U8
    share: float


def patches_of(photos: PhotoSet) -> Iterator[Patch]:
    """At most one of each photo; only of photos with enough plain background."""
    count = 0
    for photo in photos.photos:
        if count < MOST_PATCHES and (patch := _patch(photo)) is not None:
            count += 1
            yield patch


def _patch(photo: Photo) -> Patch | None:
    if photo.background is None or photo.background.share < _LEAST_SHARE:
        return None
    image = photo.full()
    height, width = image.shape[:2]
    step = max(1, round(max(height, width) / _SMALL_PX))
    small = uniform_filter(image.astype(np.float32), (step, step, 0))[step // 2 :: step, step // 2 :: step]
    mask = binary_closing(background_mask(srgb_to_linear(small / 255)), iterations=1)
    top, left, bottom, right = _without_rim(largest_rectangle(mask))
    if min(bottom - top, right - left) < _LEAST_SIDE * min(mask.shape):
        return None
    piece = image[top * step : bottom * step, left * step : right * step]
    if min(piece.shape[:2]) < min(_SMALLEST_PX, min(height, width) // 3):
        return None
    even = _evenly_lit(piece)
    return Patch(even, piece.shape[1] / width) if _is_of_one_thing(even) else None


def _without_rim(rectangle: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Without the rim, where other things may begin, and no longer than a few widths."""
    top, left, bottom, right = rectangle
    top, left, bottom, right = top + _RIM, left + _RIM, bottom - _RIM, right - _RIM
    most = round(_LONGEST * min(bottom - top, right - left))
    return top, left, min(bottom, top + most), min(right, left + most)


def _is_of_one_thing(piece: ImageHW3U8) -> bool:
    """Whether all places of a piece have about the same mean colour: else something else lies in it."""
    height, width = (side // _PLACES * _PLACES for side in piece.shape[:2])
    linear = srgb_to_linear(piece[:height, :width] / 255)
    means = linear.reshape(_PLACES, height // _PLACES, _PLACES, width // _PLACES, 3).mean(axis=(1, 3))
    colors = oklab(means.reshape(-1, 3)) * [0.5, 1, 1]
    return bool(np.linalg.norm(colors - np.median(colors, axis=0), axis=1).max() < _ALIKE)


def largest_rectangle(mask: MaskHW) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) of the largest rectangle of True, by area."""
    best, area = (0, 0, 0, 0), 0
    heights = np.zeros(mask.shape[1], int)
    for row, line in enumerate(mask):
        heights = np.where(line, heights + 1, 0)
        stack: list[tuple[int, int]] = []  # where a height begins
        for column, high in enumerate([*heights.tolist(), 0]):
            begin = column
            while stack and stack[-1][1] >= high:
                begin, tall = stack.pop()
                if tall * (column - begin) > area:
                    area = tall * (column - begin)
                    best = (row + 1 - tall, begin, row + 1, column)
            stack.append((begin, high))
    return best


def _evenly_lit(piece: ImageHW3U8) -> ImageHW3U8:
    linear = srgb_to_linear(piece / 255)
    light = luminance(linear)
    slow = gaussian_filter(light, _EVEN * min(light.shape), mode="reflect")
    even = linear * (np.median(slow) / np.maximum(slow, 1e-4))[..., None]
    return np.round(255 * np.clip(linear_to_srgb(even), 0, 1)).astype(np.uint8)
