"""Detail: noise and blur of a photo, in its own pixels.

In: (h, w) luma, 0 to 255. Out: standard deviations, or None where the photo has no place to measure them.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, sobel

from blendgen.geometry.arrays import AnyArray, FloatArray, ImageHWF32

_BLOCK_PX = 32
_FLATTEST = 0.1  # share of the blocks that have the least detail
_LEVELS = (16, 240)  # outside, noise is cut off
_REBLUR_PX = 1.0
_STRONGEST, _SHARPEST = 0.005, 0.25  # share of the pixels that are edges, and of those that are in focus
_LEAST_GRADIENT = 12.0  # levels per pixel of what counts as an edge
_FEWEST_EDGES = 200
_OWN_BLUR_PX2 = 0.75  # variance that smoothing and the gradient add, measured on ideal edges


def noise_levels(luma: ImageHWF32) -> tuple[float, float] | None:
    """(standard deviation of the noise, mean level) where the photo is flattest.

    source: Immerkaer 1996, Fast noise variance estimation, in blocks
    """
    across = luma[:, :-2] - 2 * luma[:, 1:-1] + luma[:, 2:]
    both = np.abs(across[:-2] - 2 * across[1:-1] + across[2:])
    noise = np.sqrt(np.pi / 2) / 6 * _blocks(both)
    level = _blocks(luma[1:-1, 1:-1])
    usable = (level > _LEVELS[0]) & (level < _LEVELS[1])
    if not usable.any():
        return None
    noise, level = noise[usable], level[usable]
    flat = noise <= np.quantile(noise, _FLATTEST)
    return float(np.median(noise[flat])), float(level[flat].mean())


def _blocks(values: AnyArray) -> AnyArray:
    """Means of blocks."""
    rows, columns = (max(1, side // _BLOCK_PX) for side in values.shape)
    height, width = values.shape[0] // rows, values.shape[1] // columns
    cut = values[: rows * height, : columns * width]
    return np.asarray(cut.reshape(rows, height, columns, width).mean(axis=(1, 3)))


def blur_px(luma: ImageHWF32) -> float | None:
    """Standard deviation of the blur of the sharpest of the strong edges; None where there are too few."""
    blurs = edge_blurs_px(luma)
    return None if blurs is None else sharp_edge_px(blurs)


def sharp_edge_px(blurs: FloatArray) -> float:
    """That of the sharpest of some edges, without what the measurement adds."""
    return float(np.sqrt(max(0.0, float(np.quantile(blurs, _SHARPEST)) ** 2 - _OWN_BLUR_PX2)))


def edge_blurs_px(luma: ImageHWF32) -> FloatArray | None:
    """(n,) standard deviation of the blur at each pixel of a strong edge.

    source: Zhuo and Sim 2011, Defocus map estimation from a single image: how much blur of a known width
        lowers the gradient of an edge
    """
    smooth = gaussian_filter(luma, 0.5)  # noise has gradients, too
    gradient, lower = _gradient(smooth), _gradient(gaussian_filter(smooth, _REBLUR_PX))
    share = min(1.0, max(_STRONGEST, 1.5 * _FEWEST_EDGES / luma.size))
    threshold = max(_LEAST_GRADIENT, float(np.quantile(gradient, 1 - share)))
    is_edge = gradient >= threshold
    if is_edge.sum() < _FEWEST_EDGES:
        return None
    ratio = gradient[is_edge] / np.maximum(lower[is_edge], 1e-6)
    return np.asarray(_REBLUR_PX / np.sqrt(np.maximum(ratio**2 - 1, 1e-3)), float)


def _gradient(luma: ImageHWF32) -> ImageHWF32:
    """Levels per pixel."""
    return np.asarray(np.hypot(sobel(luma, 0), sobel(luma, 1)) / 8, np.float32)
