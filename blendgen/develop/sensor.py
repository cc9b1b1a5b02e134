"""Sensor: scene-linear light to what a camera's converter makes of it, and back to linear.

In: exposed radiance, where 1 is a white patch. Out: the same scale with shot noise, read noise,
saturation and quantisation. In the words and units of EMVA 1288: electrons (e) and digital
numbers (DN), DN = K e + black level. Every channel is sensed at every pixel (no mosaic yet).
"""

from __future__ import annotations

import math

import numpy as np

from blendgen.spec.presets import SensorSettings
from blendgen.streams import noise_stream


def saturation_e(settings: SensorSettings, gain_db: float) -> float:
    """Electrons at which the converter is full; each 6 dB of gain halves it."""
    return settings.full_well_e / 10 ** (gain_db / 20)


def system_gain_dn_per_e(settings: SensorSettings, gain_db: float) -> float:
    """EMVA 1288's K: digital numbers an electron."""
    return (2**settings.bits - 1 - settings.black_level_dn) / saturation_e(settings, gain_db)


def electrons_of(radiance_linear, settings: SensorSettings, gain_db: float) -> np.ndarray:
    """Mean electrons of exposed radiance: a white patch lies headroom_ev below saturation."""
    white_e = saturation_e(settings, gain_db) / 2**settings.headroom_ev
    return np.maximum(np.asarray(radiance_linear, np.float64), 0) * white_e


def raw_dn(radiance_linear, settings: SensorSettings, gain_db: float, noise_seed: int) -> np.ndarray:
    """Digital numbers (float64, whole) that the converter puts out for exposed radiance."""
    mean_e = np.minimum(electrons_of(radiance_linear, settings, gain_db), 1e9)
    electrons = noise_stream(noise_seed, "shot_noise").poisson(mean_e).astype(np.float64)
    read = noise_stream(noise_seed, "read_noise").standard_normal(electrons.shape)
    electrons += read * settings.read_noise_e
    gain = system_gain_dn_per_e(settings, gain_db)
    return np.clip(np.rint(electrons * gain + settings.black_level_dn), 0, 2**settings.bits - 1)


def sense(radiance_linear, settings: SensorSettings, gain_db: float, noise_seed: int) -> np.ndarray:
    """(h, w, 3) float32 radiance as the camera reads it back from its digital numbers."""
    dn = raw_dn(radiance_linear, settings, gain_db, noise_seed)
    electrons = (dn - settings.black_level_dn) / system_gain_dn_per_e(settings, gain_db)
    white_e = saturation_e(settings, gain_db) / 2**settings.headroom_ev
    return (electrons / white_e).astype(np.float32)


def add_grain(rgb_display, settings: SensorSettings, grain: float, noise_seed: int) -> np.ndarray:
    """Film grain on a display-encoded image in [0, 1]: strongest in mid tones, one for all channels.

    grain: 0 (none) to 1 (standard deviation 0.08 in mid grey)
    """
    if grain == 0:
        return rgb_display
    from scipy.ndimage import gaussian_filter

    height, width = rgb_display.shape[:2]
    field = noise_stream(noise_seed, "grain").standard_normal((height, width))
    sigma = settings.grain_size_px / 2
    field = gaussian_filter(field, sigma, mode="wrap")
    # filtering white noise by a Gaussian divides its deviation by about 2 sqrt(pi) sigma
    field *= max(1.0, 2 * math.sqrt(math.pi) * sigma)
    tone = rgb_display.mean(axis=-1)
    strength = grain * 0.08 * 4 * tone * (1 - tone)
    return (rgb_display + (field * strength)[..., None]).astype(np.float32)
