"""Processing: raw digital numbers to scene-linear sRGB, as the processor of a camera computes it.

In: DN of sensor.py. Out: (h, w, 3) float32 where 1 is a white patch. Black level, white balance, highlight
clip, demosaic, colour matrix, noise reduction and sharpening, in this order; the tone curve is in display.py.
"""

from __future__ import annotations

import numpy as np

from blendgen.develop.demosaic import demosaic
from blendgen.develop.sensor import camera_white, exposure_reserve, sampled, system_gain_dn_per_e, white_e
from blendgen.geometry.color import white_balance_gain
from blendgen.scene.shot import Exposure, Sensor

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
# at noise reduction 1: standard deviation of the colour blur, and of the noise in square-root light
_CHROMA_BLUR_PX, _NOISE_FLOOR, _GUIDE_RADIUS_PX = 3.0, 0.08, 2


def process(raw: np.ndarray, exposure: Exposure) -> np.ndarray:
    """(h, w, 3) float32 scene-linear sRGB of raw digital numbers."""
    sensor, gain_db = exposure.sensor, exposure.gain_db
    electrons = (raw - sensor.black_level_dn) / system_gain_dn_per_e(sensor, gain_db)
    sensed = (electrons / white_e(sensor, gain_db)).astype(np.float32)
    if sensor.mosaic == "mono":
        linear = np.repeat(sensed[..., None], 3, axis=2)
    else:
        balanced = _balanced(sensed, exposure)
        camera_rgb = demosaic(balanced) if sensor.mosaic == "rggb" else balanced
        linear = camera_rgb @ np.array(sensor.color_matrix, np.float32).T
    linear /= np.float32(exposure_reserve(exposure))
    if sensor.noise_reduction:
        linear = reduce_noise(linear, sensor.noise_reduction)
    return sharpen(linear, sensor.sharpening, sensor.sharpening_radius_px)


def _balanced(sensed: np.ndarray, exposure: Exposure) -> np.ndarray:
    """White balance in camera colours, before demosaicing; white is 1.

    All colours are clipped where the first one saturates, so that blown highlights are white and not pink.
    """
    white = _white(sensed, exposure) * exposure.sensor.channel_sensitivity
    clip = np.float32(2**exposure.sensor.headroom_ev / white.max())
    gain = (1 / white).astype(np.float32)
    if exposure.sensor.mosaic == "rggb":
        gain = sampled(np.broadcast_to(gain, (*sensed.shape, 3)))
    return np.minimum(sensed * gain, clip)


def _white(sensed: np.ndarray, exposure: Exposure) -> np.ndarray:
    """(3,) camera colours, before channel_sensitivity, that the white balance makes white."""
    sensor, gain = exposure.sensor, exposure.white_balance_gain
    if exposure.white_balance_mode == "gray_world":
        light = np.array(sensor.color_matrix) @ _mean_color(sensed, sensor)
        gain = white_balance_gain(light, exposure.white_balance)
    return camera_white(sensor, 1 / np.asarray(gain, float))


def _mean_color(sensed: np.ndarray, sensor: Sensor) -> np.ndarray:
    """(3,) mean of each colour over its unsaturated pixels: the light, by the grey-world assumption."""
    if sensor.mosaic == "rggb":
        channels = [
            sensed[0::2, 0::2],
            np.concatenate([sensed[0::2, 1::2].ravel(), sensed[1::2, 0::2].ravel()]),
            sensed[1::2, 1::2],
        ]
    else:
        channels = [sensed[..., i] for i in range(3)]
    limit = 0.95 * 2**sensor.headroom_ev
    means = [np.mean(c[c < limit] if (c < limit).any() else c, dtype=np.float64) for c in channels]
    return np.maximum(np.array(means) / sensor.channel_sensitivity, 1e-6)


def reduce_noise(linear: np.ndarray, strength: float) -> np.ndarray:
    """Blur colours and smooth luminance between edges, in square-root light, where shot noise is even.

    source: He, Sun and Tang, Guided image filtering (2010), for the luminance
    """
    from scipy.ndimage import gaussian_filter

    root = np.sqrt(np.maximum(linear, 0))
    luma = root @ _LUMINANCE
    sigma = strength * _CHROMA_BLUR_PX
    chroma = gaussian_filter(root - luma[..., None], (sigma, sigma, 0), mode="nearest")
    smooth = _self_guided(luma, (strength * _NOISE_FLOOR) ** 2)
    return np.maximum(smooth[..., None] + chroma, 0) ** 2


def _self_guided(image: np.ndarray, noise_variance: float) -> np.ndarray:
    from scipy.ndimage import uniform_filter

    size = 2 * _GUIDE_RADIUS_PX + 1
    mean = uniform_filter(image, size, mode="nearest")
    variance = np.maximum(uniform_filter(image * image, size, mode="nearest") - mean * mean, 0)
    slope = variance / (variance + noise_variance)
    offset = uniform_filter((1 - slope) * mean, size, mode="nearest")
    return uniform_filter(slope, size, mode="nearest") * image + offset


def sharpen(linear: np.ndarray, strength: float, radius_px: float) -> np.ndarray:
    """Unsharp mask on the luminance, in square-root light, where dark and bright edges ring alike."""
    if strength == 0:
        return linear
    from scipy.ndimage import gaussian_filter

    root = np.sqrt(np.maximum(linear, 0))
    luma = root @ _LUMINANCE
    detail = luma - gaussian_filter(luma, radius_px, mode="nearest")
    return np.maximum(root + np.float32(strength) * detail[..., None], 0) ** 2
