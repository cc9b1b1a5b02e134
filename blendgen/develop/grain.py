"""Grain: film grain on a finished picture; strongest in the mid tones, the same in all channels."""

from __future__ import annotations

import math

import numpy as np

from blendgen.streams import noise_stream


def add_grain(rgb_display: np.ndarray, grain: float, size_px: float, noise_seed: int) -> np.ndarray:
    """Film grain on a display-encoded image in [0, 1].

    grain: 0 (none) to 1 (standard deviation 0.08 in mid grey); size_px: of a grain
    """
    if grain == 0:
        return rgb_display
    from scipy.ndimage import gaussian_filter

    height, width = rgb_display.shape[:2]
    field = noise_stream(noise_seed, "grain").standard_normal((height, width))
    sigma = size_px / 2
    field = gaussian_filter(field, sigma, mode="wrap")
    # filtering white noise by a Gaussian divides its deviation by about 2 sqrt(pi) sigma
    field *= max(1.0, 2 * math.sqrt(math.pi) * sigma)
    tone = rgb_display.mean(axis=-1)
    strength = grain * 0.08 * 4 * tone * (1 - tone)
    return (rgb_display + (field * strength)[..., None]).astype(np.float32)
