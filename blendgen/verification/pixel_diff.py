"""Pixel diff: how much the images of two data sets differ.

In: two data sets and the numbers of images whose files differ. Out: differences of 8-bit values, 0 to 255,
and PSNR in dB, 10 log10(255^2 / mean squared difference).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np

from blendgen.dataset.source import Source
from blendgen.geometry.arrays import ImageHW3U8


@dataclass
class PixelDiff:
    """different: images whose files differ; compared: those of them that were opened

    same_pixels: of these, those that differ as files only; other_size: those of other sizes in pixels
    largest: the largest difference of a value; mean: of all values of the images that differ
    worst_index: the image with the lowest PSNR; psnr_db, means: of each image of which pixels differ
    """

    different: int = 0
    compared: int = 0
    same_pixels: int = 0
    other_size: int = 0
    largest: int = 0
    lowest_psnr_db: float = math.inf
    worst_index: int | None = None
    psnr_db: list[float] = field(default_factory=list)
    means: list[float] = field(default_factory=list)

    @property
    def mean(self) -> float:
        return float(np.mean(self.means)) if self.means else 0.0

    def as_dict(self) -> dict[str, Any]:
        """For JSON; PSNR is None where no pixels differ."""
        measured = bool(self.psnr_db)
        return {
            "different": self.different,
            "compared": self.compared,
            "same_pixels": self.same_pixels,
            "other_size": self.other_size,
            "largest_difference": self.largest,
            "mean_difference": self.mean,
            "lowest_psnr_db": self.lowest_psnr_db if measured else None,
            "median_psnr_db": median(self.psnr_db) if measured else None,
            "lowest_psnr_index": self.worst_index,
        }


def spread(indices: Sequence[int], count: int | None) -> list[int]:
    """At most `count` of the indices, evenly spaced; None for all of them."""
    total = len(indices)
    if count is None or total <= count:
        return list(indices)
    return [indices[i * total // count] for i in range(count)]


def pixel_diff(
    a: Source, b: Source, indices: Sequence[int], count: int | None, advance: Callable[[int], None]
) -> PixelDiff:
    """Open `count` of the images, evenly spaced; raises DatasetError for one that cannot be read."""
    diff = PixelDiff(different=len(indices))
    for index in spread(indices, count):
        _add(diff, index, _image(a, index), _image(b, index))
        advance(1)
    return diff


def _image(source: Source, index: int) -> ImageHW3U8:
    return source.image(source.row(bisect_left(source.indices, index)))


def _add(diff: PixelDiff, index: int, a: ImageHW3U8, b: ImageHW3U8) -> None:
    diff.compared += 1
    if a.shape != b.shape:
        diff.other_size += 1
        return
    difference = np.abs(a.astype(np.int16) - b)
    if not difference.any():
        diff.same_pixels += 1
        return
    psnr_db = 10 * math.log10(255**2 / np.mean(np.square(difference, dtype=np.float64)))
    if psnr_db < diff.lowest_psnr_db:
        diff.lowest_psnr_db, diff.worst_index = psnr_db, index
    diff.psnr_db.append(psnr_db)
    diff.means.append(float(difference.mean()))
    diff.largest = max(diff.largest, int(difference.max()))
