"""Defocus: points off the focal plane become circles of confusion.

In: sharp light and depth. Out: the same light, blurred as by a thin lens. Each pixel is blurred by its own
circle, interpolated in a stack of evenly blurred copies, so that the sharp edge of a product in front of a
far background stays where its mask has it. Labels do not change.
"""

from __future__ import annotations

import numpy as np

from blendgen.geometry.arrays import AnyArray, ImageHW3F32, ImageHWF32
from blendgen.scene.shot import Camera

_LEVELS_PX = (0.0, 0.7, 1.4, 2.8, 5.6, 11.2)
_FAR_M = 1e4


def defocus(radiance_linear: ImageHW3F32, depth_m: ImageHWF32, camera: Camera) -> ImageHW3F32:
    """(h, w, 3) float32; camera is the pinhole that the light and depth were rendered with."""
    if camera.f_number is None:
        return radiance_linear
    from scipy.ndimage import gaussian_filter

    # a Gaussian as wide as a uniform disk has a quarter of its diameter as standard deviation
    sigma_px = np.minimum(circle_of_confusion_px(depth_m, camera) / 4, _LEVELS_PX[-1])
    blurred = np.zeros_like(radiance_linear)
    for number, level in enumerate(_LEVELS_PX):
        weight = _weight(sigma_px, number)
        if weight.any():
            copy = (
                gaussian_filter(radiance_linear, (level, level, 0), mode="nearest")
                if level
                else radiance_linear
            )
            blurred += copy * weight[..., None]
    return blurred


def circle_of_confusion_px(depth_m: ImageHWF32, camera: Camera) -> AnyArray:
    """(h, w) diameter in pixels of the circle of confusion of each point.

    c = f^2 / N |z - s| / (z (s - f)), with focal length f, f-number N, depth z and focus s
    source: thin lens; Potmesil and Chakravarty, A lens and aperture camera model (1981)
    """
    if camera.f_number is None:
        return np.zeros_like(depth_m)
    focal_m = camera.focal_length_mm / 1000
    focus = max(camera.focus_m, 2 * focal_m)
    depth = np.where(np.isfinite(depth_m), np.minimum(depth_m, _FAR_M), _FAR_M)
    diameter_m = focal_m**2 / camera.f_number * np.abs(depth - focus) / (depth * (focus - focal_m))
    return diameter_m * 1000 / camera.sensor_width_mm * camera.resolution[0]


def _weight(sigma_px: np.ndarray, number: int) -> np.ndarray:
    """Share of blur level `number` in each pixel: linear between neighbouring levels."""
    hat = np.zeros(len(_LEVELS_PX))
    hat[number] = 1.0
    return np.interp(sigma_px, _LEVELS_PX, hat).astype(np.float32)
