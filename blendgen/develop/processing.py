"""Processing: raw digital numbers back to scene-linear sRGB, as the camera's own processor does it.

Black level, white balance, highlight clip, demosaic, colour matrix, noise reduction, sharpening, in
this order. In: DN of sensor.py. Out: (h, w, 3) float32 where 1 is a white patch. The tone
curve is display.py's.
"""

from __future__ import annotations

import numpy as np

from blendgen.develop.demosaic import demosaic
from blendgen.develop.sensor import camera_white, exposure_reserve, sampled, system_gain_dn_per_e, white_e
from blendgen.geometry.color import white_balance_gain
from blendgen.scene.shot import Exposure, Sensor

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
# noise reduction 1: deviation of the colour blur, and what counts as noise in root light
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
    """White balance in the camera's own colours, before the mosaic is undone; white at 1.

    Where the first colour saturates all are cut, so that burnt highlights are white, not pink.
    """
    white = _white(sensed, exposure) * exposure.sensor.channel_sensitivity
    clip = np.float32(2**exposure.sensor.headroom_ev / white.max())
    gain = (1 / white).astype(np.float32)
    if exposure.sensor.mosaic == "rggb":
        gain = sampled(np.broadcast_to(gain, (*sensed.shape, 3)))
    return np.minimum(sensed * gain, clip)


def _white(sensed: np.ndarray, exposure: Exposure) -> np.ndarray:
    """(3,) camera colours, at even sensitivity, that the white balance takes for white."""
    sensor, gain = exposure.sensor, exposure.white_balance_gain
    if exposure.white_balance_mode == "gray_world":
        light = np.array(sensor.color_matrix) @ _mean_color(sensed, sensor)
        gain = white_balance_gain(light, exposure.white_balance)
    return camera_white(sensor, 1 / np.asarray(gain, float))


def _mean_color(sensed: np.ndarray, sensor: Sensor) -> np.ndarray:
    """(3,) mean of the pixels of each colour that are not burnt: the grey world's guess at the light."""
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
    """Colours blurred, luminance smoothed between edges, in root light, where shot noise is even.

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
    kept = variance / (variance + noise_variance)
    offset = uniform_filter((1 - kept) * mean, size, mode="nearest")
    return uniform_filter(kept, size, mode="nearest") * image + offset


def sharpen(linear: np.ndarray, strength: float, radius_px: float) -> np.ndarray:
    """Unsharp mask on the luminance, in root light, so that dark edges ring no more than bright ones."""
    if strength == 0:
        return linear
    from scipy.ndimage import gaussian_filter

    root = np.sqrt(np.maximum(linear, 0))
    luma = root @ _LUMINANCE
    detail = luma - gaussian_filter(luma, radius_px, mode="nearest")
    return np.maximum(root + np.float32(strength) * detail[..., None], 0) ** 2
