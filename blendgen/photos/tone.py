"""Tone: brightness, contrast, what is cut off, and the colour cast of a picture.

In: (h, w, 3) uint8 sRGB. Out: Measures, in stops of linear light.
"""

from __future__ import annotations

import numpy as np

from blendgen.geometry.arrays import FloatArray, ImageHW3U8
from blendgen.geometry.color import luminance
from blendgen.photos.measure import Measure, unknown

_CLIPPED = 250
_BLACK = 4
_FLOOR = 1 / 4096  # of linear light, below which 8 bits say nothing
_ENDS = (0.05, 0.95)
_NORM = 6
_PARTS = 4


def brightness_ev(linear: FloatArray) -> Measure:
    """Median of the luminance, in stops from white."""
    return _of_parts(linear, lambda part: float(np.log2(max(float(np.median(luminance(part))), _FLOOR))))


def contrast_ev(linear: FloatArray) -> Measure:
    """Stops between the darker and the brighter parts: quantiles 0.05 and 0.95 of the luminance."""

    def stops(part: FloatArray) -> float:
        dark, bright = np.maximum(np.quantile(luminance(part), _ENDS), _FLOOR)
        return float(np.log2(bright / dark))

    return _of_parts(linear, stops)


def white_share(image: ImageHW3U8) -> Measure:
    """Share of the pixels of which a channel is as bright as the file can say."""
    return _share(image.max(axis=2) >= _CLIPPED)


def black_share(image: ImageHW3U8) -> Measure:
    """Share of the pixels that are black."""
    return _share(image.max(axis=2) <= _BLACK)


def cast_ev(image: ImageHW3U8, linear: FloatArray, channel: int) -> Measure:
    """Stops by which red (0) or blue (2) is above green, by the bright parts of the picture.

    It is that of the light and of the things: one picture cannot separate them.
    source: Finlayson and Trezzi 2004, Shades of gray and colour constancy
    """
    usable = image.max(axis=2) < _CLIPPED
    if usable.mean() < 0.05:
        return unknown("nearly all of it is white")
    pixels = linear[usable]

    def stops(part: FloatArray) -> float:
        mean = (part**_NORM).mean(axis=0) ** (1 / _NORM)
        return float(np.log2(max(mean[channel], _FLOOR) / max(mean[1], _FLOOR)))

    parts = [stops(part) for part in np.array_split(pixels, _PARTS)]
    return Measure(stops(pixels), float(np.std(parts)) / np.sqrt(_PARTS))


def _share(mask: np.ndarray) -> Measure:
    """The standard error is that of its quarters: neighbouring pixels are not independent."""
    parts = [float(part.mean()) for part in np.array_split(mask, _PARTS)]
    return Measure(float(mask.mean()), float(np.std(parts)) / np.sqrt(_PARTS))


def _of_parts(linear: FloatArray, statistic) -> Measure:
    parts = [statistic(part) for part in np.array_split(linear, _PARTS)]
    return Measure(statistic(linear), float(np.std(parts)) / np.sqrt(_PARTS))
