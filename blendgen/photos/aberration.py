"""Aberration: by how much red is larger than green, and blue smaller, as a lens with lateral colour makes it.

In: (h, w, 3) uint8 sRGB. Out: a Measure in pixels at the corners; positive where red lies outside.
source: Kang 2007, Automatic removal of chromatic aberration from a single image, for the radial model; the
shift is that of a linear registration (Lucas and Kanade 1981) of the normalised detail of two channels
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from blendgen.geometry.arrays import FloatArray, ImageHW3U8
from blendgen.photos.measure import Measure, unknown

_SMOOTH_PX, _DETAIL_PX, _LOCAL_PX = 1.0, 4.0, 6.0
_LEAST_DETAIL = 3.0  # levels
_LEAST_LIKENESS = 0.9  # of the detail of two channels: coloured edges say nothing
_FEWEST_PIXELS = 400
_OUTER = 0.35  # of the distance to a corner
_PARTS = 8
_MOST_ERROR_PX = 0.25
_BORDER_PX = 3


def aberration_px(image: ImageHW3U8) -> Measure:
    """Half the distance between red and blue at the corners, pixels."""
    if min(image.shape[:2]) < 48:
        return unknown("smaller than 48 pixels")
    channels = [_detail(image[..., channel].astype(np.float32)) for channel in range(3)]
    shifts = [_shift(channels[1], channels[0]), _shift(channels[1], channels[2])]
    if shifts[0] is None or shifts[1] is None:
        return unknown("too few colourless edges away from the middle")
    red, blue = shifts[0], shifts[1]
    value, error = (red[0] - blue[0]) / 2, float(np.hypot(red[1], blue[1])) / 2
    if error > _MOST_ERROR_PX:
        return unknown(f"its edges leave it open by {error:.1f} pixels")
    return Measure(value, error)


def _detail(channel: np.ndarray) -> tuple[FloatArray, FloatArray]:
    """(detail, its local standard deviation)"""
    smooth = gaussian_filter(channel, _SMOOTH_PX)
    detail = smooth - gaussian_filter(channel, _DETAIL_PX)
    return detail, np.sqrt(np.maximum(gaussian_filter(detail**2, _LOCAL_PX), 1e-6))


def _shift(
    green: tuple[FloatArray, FloatArray], other: tuple[FloatArray, FloatArray]
) -> tuple[float, float] | None:
    """(pixels by which a channel is larger than green at the corners, standard error)"""
    (one, one_size), (two, two_size) = green, other
    likeness = gaussian_filter(one * two, _LOCAL_PX) / (one_size * two_size)
    height, width = one.shape
    y, x = np.mgrid[0:height, 0:width] + 0.5
    x, y, corner = x - width / 2, y - height / 2, np.hypot(width, height) / 2
    usable = (one_size > _LEAST_DETAIL) & (likeness > _LEAST_LIKENESS) & (np.hypot(x, y) > _OUTER * corner)
    usable[:_BORDER_PX], usable[-_BORDER_PX:] = False, False
    usable[:, :_BORDER_PX], usable[:, -_BORDER_PX:] = False, False
    if usable.sum() < _FEWEST_PIXELS:
        return None
    mean = (one / one_size + two / two_size) / 2
    down, across = np.gradient(mean)
    predicted = -(x * across + y * down)[usable] / corner
    difference = (two / two_size - one / one_size)[usable]
    angle = np.arctan2(y, x)[usable]
    part = ((angle + np.pi) / (2 * np.pi) * _PARTS).astype(int).clip(0, _PARTS - 1)
    over = np.bincount(part, difference * predicted, _PARTS)
    under = np.bincount(part, predicted**2, _PARTS)
    if (under > 0).sum() < 3:
        return None
    value = over.sum() / under.sum()
    without = [(over.sum() - o) / max(under.sum() - u, 1e-9) for o, u in zip(over, under, strict=True)]
    return float(value), float(np.std(without) * np.sqrt(_PARTS - 1))
