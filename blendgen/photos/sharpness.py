"""Sharpness: the blur of the strongest edges, of light and of colour, and how fine detail falls off.

In: (h, w) luma, 0 to 255, or (h, w, 3) uint8 sRGB. Out: Measures; laplacian_sharpness is a number for every
image, as reports show it.
"""

from __future__ import annotations

import math

import numpy as np

from blendgen.geometry.arrays import ImageHW3U8, ImageHWF32
from blendgen.photos.detail import edge_blurs_px
from blendgen.photos.measure import Measure, unknown
from blendgen.photos.noise import noise_of_all

_LEAST_SIDE = 32
_COARSE, _FINE = (0.04, 0.12), (0.25, 0.42)  # cycles per pixel
_PARTS = 4
_LAPLACIAN_GAIN = 20  # sum of its squared weights
_SHARPEST = 0.25  # share of the edges that are in focus


def edge_blur(luma: ImageHWF32) -> Measure:
    """Standard deviation of the blur of the sharpest of the strong edges, pixels; an ideal one has 0.87."""
    blurs = edge_blurs_px(luma) if min(luma.shape) > 8 else None
    if blurs is None:
        return unknown("too few strong edges")
    parts = [float(np.quantile(part, _SHARPEST)) for part in np.array_split(blurs, _PARTS)]
    return Measure(float(np.quantile(blurs, _SHARPEST)), float(np.std(parts)) / np.sqrt(_PARTS - 1))


def color_blur(image: ImageHW3U8) -> Measure:
    """Standard deviation of the blur of the sharpest edges of red and of blue against green, pixels."""
    red, green, blue = np.moveaxis(image.astype(np.float32), -1, 0)
    measures = [edge_blur(color - green) for color in (red, blue)]
    known = [one.value for one in measures if one.value is not None]
    if not known:
        return unknown("too few strong edges between colours")
    error = float(np.linalg.norm([one.error for one in measures])) / len(known)
    return Measure(float(np.mean(known)), error)


def fine_detail(luma: ImageHWF32) -> Measure:
    """Power of fine detail (2.4 to 4 pixels) compared with that of coarse detail (8 to 25 pixels), in dB."""
    if min(luma.shape) < _LEAST_SIDE:
        return unknown(f"smaller than {_LEAST_SIDE} pixels")
    width = luma.shape[1]
    ratios = [_ratio_db(half) for half in (luma[:, : width // 2], luma[:, width // 2 :])]
    whole = _ratio_db(luma)
    if whole is None:
        return unknown("nothing but plain colour")
    known = [ratio for ratio in ratios if ratio is not None]
    return Measure(whole, float(np.std(known)) / np.sqrt(2) if len(known) == 2 else 1.0)


def laplacian_sharpness(luma: ImageHWF32) -> float:
    """Standard deviation of the Laplacian, less what noise adds to it."""
    if min(luma.shape) < 3:
        return 0.0
    across = luma[:, :-2] - 2 * luma[:, 1:-1] + luma[:, 2:]
    down = luma[:-2] - 2 * luma[1:-1] + luma[2:]
    laplacian = across[1:-1] + down[:, 1:-1]
    variance = float(laplacian.var()) - _LAPLACIAN_GAIN * noise_of_all(luma) ** 2
    return math.sqrt(max(0.0, variance))


def _ratio_db(luma: ImageHWF32) -> float | None:
    height, width = luma.shape
    window = np.hanning(height)[:, None] * np.hanning(width)[None, :]
    power = np.abs(np.fft.rfft2((luma - luma.mean()) * window)) ** 2
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    coarse, fine = (
        float(power[(frequency >= low) & (frequency < high)].mean()) for low, high in (_COARSE, _FINE)
    )
    return 10 * float(np.log10(fine / coarse)) if coarse > 0 and fine > 0 else None
