"""Lens: what the glass does to the light before the sensor counts it.

In: scene-linear radiance. Out: the same, blurred by the lens's point spread, which real cameras
have and path tracing has not (aberrations, diffraction and the low-pass filter together).
"""

from __future__ import annotations

import numpy as np


def blur(radiance_linear: np.ndarray, blur_px: float) -> np.ndarray:
    """(h, w, 3) float32 convolved with a Gaussian of standard deviation blur_px; light is kept."""
    if blur_px == 0:
        return radiance_linear
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(radiance_linear, (blur_px, blur_px, 0), mode="nearest")
