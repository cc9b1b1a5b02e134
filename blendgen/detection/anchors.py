"""Anchors: boxes of fixed places and sizes, from each of which a detector predicts a box.

In: the side of the network's pictures. Out: (n, 4) as centre x, centre y, width, height in pixels, level by
level, row by row, in the order of the network's outputs. An anchor is what torchvision calls a default box.
source: Liu et al. 2016, SSD: single shot multibox detector, section 2.2; torchvision, DefaultBoxGenerator
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from blendgen.geometry.arrays import AnyArray

STRIDES = (8, 16, 32, 64, 128)
# side of a square anchor of each level, as a share of the picture; the last is of the next level
SCALES = (0.1, 0.2, 0.35, 0.55, 0.75, 0.95)
_RATIOS = (2, 3)  # width to height, and height to width
PER_CELL = 2 + 2 * len(_RATIOS)
# by which differences between boxes and anchors are multiplied: of centres, of logarithms of sides
WEIGHTS = (10.0, 10.0, 5.0, 5.0)


def anchors(side_px: int) -> AnyArray:
    """All anchors; the centres are inside of the picture, the corners need not be."""
    return np.concatenate(
        [_level(side_px, stride, *scales) for stride, scales in zip(STRIDES, pairwise(SCALES), strict=True)]
    )


def cells(side_px: int, stride: int) -> int:
    """Of a level, in each direction: each halving rounds up."""
    count = side_px
    for _ in range(int(math.log2(stride))):
        count = -(-count // 2)
    return count


def corners(boxes: AnyArray) -> AnyArray:
    """x0, y0, x1, y1 of centres and sides."""
    centre, half = boxes[..., :2], boxes[..., 2:] / 2
    return np.concatenate([centre - half, centre + half], axis=-1)


def _level(side_px: int, stride: int, scale: float, next_scale: float) -> AnyArray:
    count = cells(side_px, stride)
    place = (np.arange(count) + 0.5) * side_px / count
    y, x = np.meshgrid(place, place, indexing="ij")
    centres = np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), PER_CELL, axis=0)
    sides = np.clip(_sides(scale, next_scale), 0, 1) * side_px
    return np.concatenate([centres, np.tile(sides, (count * count, 1))], axis=1)


def _sides(scale: float, next_scale: float) -> AnyArray:
    """(anchors of a cell, 2)"""
    between = math.sqrt(scale * next_scale)
    pairs: list[Sequence[float]] = [(scale, scale), (between, between)]
    for ratio in _RATIOS:
        long, short = scale * math.sqrt(ratio), scale / math.sqrt(ratio)
        pairs += [(long, short), (short, long)]
    return np.array(pairs)
