"""Background: the colour of what lies around the things in a photo, and the colour of its light.

In: (h, w, 3) uint8 sRGB. Out: linear colours, or None where they cannot be read off. Colours are compared in
OKLab (Ottosson 2020), in which equal distances look equal; lightness counts less, as a surface is not lit
evenly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blendgen.geometry.arrays import AnyArray, FloatArray, ImageHW3U8, MaskHW, MaskN
from blendgen.geometry.color import blackbody_linear, luminance, srgb_to_linear

_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_LIGHTNESS_WEIGHT = 0.35
_CELL = 0.025  # of the histogram
_REACH = 0.07  # around the most frequent colour; a little more than shading and texture make of one colour
_STEPS = 12
_EDGE = 0.2  # of the frame: things are in the middle, so what is near the edges counts twice
_RIM = 0.05  # of the frame: plain things in the middle have a more frequent colour than carpet around them
_LEAST_SHARE = 0.25  # of the pixels
_CLIPPED = 250  # levels: brighter pixels may have been brighter still
_BRIGHT = (0.97, 0.995)  # quantiles of the luminance of what may be white
_NEUTRAL, _OFF_LOCUS = 0.11, 0.025  # chroma of a white thing in warm light, and how far from a black body's
_OF_THE_SURFACE = 0.035  # chromaticity difference below which bright pixels belong to the surface
_BRIGHTER = 4.0  # than the surface: another thing
_TEMPERATURES_K = np.geomspace(2000, 12000, 121)


@dataclass(frozen=True)
class Background:
    """The most frequent colour, above all at the edges.

    rgb_linear: its median; darker_linear, lighter_linear: the median of its darker and of its lighter half
    share: of the pixels that have about this colour
    """

    rgb_linear: FloatArray
    darker_linear: FloatArray
    lighter_linear: FloatArray
    share: float


def oklab(rgb_linear: AnyArray) -> FloatArray:
    return np.asarray(np.cbrt(np.maximum(rgb_linear, 0) @ _LMS.T) @ _LAB.T)


def background(image: ImageHW3U8) -> Background:
    """The colour around which most pixels are."""
    linear = srgb_to_linear(image / 255)
    return of_mask(linear, background_mask(linear))


def background_mask(linear: FloatArray) -> MaskHW:
    """(h, w) which pixels of linear light (h, w, 3) have about the most frequent colour at the edges.

    Where that is rare elsewhere, as the frame of a machine is, that of the whole photo.
    """
    height, width = linear.shape[:2]
    lab = oklab(linear.reshape(-1, 3)) * [_LIGHTNESS_WEIGHT, 1, 1]
    weight = np.where(_is_near_edge(height, width, _EDGE), 2.0, 1.0)
    near = _near(lab, weight, _most_frequent(lab, np.where(_is_near_edge(height, width, _RIM), 1.0, 0.0)))
    if near.mean() < _LEAST_SHARE:
        near = _near(lab, weight, _most_frequent(lab, weight))
    return near.reshape(height, width)


def of_mask(linear: FloatArray, near: MaskHW) -> Background:
    """The colours of the background whose pixels are known."""
    colours = linear[near]
    light = luminance(colours)
    middle = np.median(light)
    return Background(
        np.median(colours, axis=0),
        np.median(colours[light <= middle], axis=0),
        np.median(colours[light >= middle], axis=0),
        float(near.mean()),
    )


def _is_near_edge(height: int, width: int, share: float) -> MaskN:
    """(h * w,) which pixels are within this share of the height or width of an edge."""
    y, x = np.mgrid[0:height, 0:width]
    inner = (np.abs(2 * y / height - 1) < 1 - 2 * share) & (np.abs(2 * x / width - 1) < 1 - 2 * share)
    return np.asarray(~inner.ravel())


def _most_frequent(lab: FloatArray, weight: FloatArray) -> FloatArray:
    """The middle of the fullest cell of a histogram."""
    cells = np.floor(lab / _CELL).astype(np.int64)
    cells -= (lowest := cells.min(axis=0))
    fullest = np.bincount(np.ravel_multi_index(cells.T, cells.max(axis=0) + 1), weight).argmax()
    cell = np.array(np.unravel_index(fullest, cells.max(axis=0) + 1)) + lowest
    return np.asarray((cell + 0.5) * _CELL, np.float64)


def _near(lab: FloatArray, weight: FloatArray, centre: FloatArray) -> MaskN:
    """Mean shift: the colours around the mean of themselves."""
    near = np.zeros(len(lab), bool)
    for _ in range(_STEPS):
        before, near = near, np.linalg.norm(lab - centre, axis=1) < _REACH
        if np.array_equal(before, near):
            break
        centre = np.average(lab[near], axis=0, weights=weight[near])
    return near


def clipped_share(image: ImageHW3U8) -> float:
    """Share of the pixels that are as bright as the file can say."""
    return float((image.min(axis=2) >= _CLIPPED).mean())


def light_temperature_k(image: ImageHW3U8, surface: Background) -> float | None:
    """Colour temperature of the light by the brightest things that may be white; None if there are none.

    The camera has removed part of the light's colour: this is what it left.
    """
    pixels = image.reshape(-1, 3)
    rgb = srgb_to_linear(pixels[pixels.max(axis=1) < _CLIPPED] / 255)
    light = luminance(rgb)
    if not light.size:
        return None
    low, high = np.quantile(light, _BRIGHT)
    white = rgb[(light >= low) & (light <= high)].mean(axis=0)
    chroma = oklab(white / luminance(white))[1:] if luminance(white) > 0 else np.array([1.0, 1.0])
    of_surface = oklab(surface.rgb_linear / max(float(luminance(surface.rgb_linear)), 1e-6))[1:]
    is_alike = np.linalg.norm(chroma - of_surface) < _OF_THE_SURFACE
    is_surface = is_alike and luminance(white) < _BRIGHTER * luminance(surface.lighter_linear)
    off_locus = np.linalg.norm(_black_bodies() - chroma, axis=1)
    if np.linalg.norm(chroma) > _NEUTRAL or off_locus.min() > _OFF_LOCUS:
        return None
    if is_surface and np.linalg.norm(of_surface) > _OF_THE_SURFACE / 2:
        return None
    return float(_TEMPERATURES_K[off_locus.argmin()])


def _black_bodies() -> FloatArray:
    """(n, 2) chroma of black bodies of the temperatures that are compared."""
    return oklab(np.array([blackbody_linear(float(t)) for t in _TEMPERATURES_K]))[:, 1:]
