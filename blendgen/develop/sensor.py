"""Sensor: light to electrons to digital numbers, the raw image of a camera.

In: exposed light on the sensor, where 1 is a white patch. Out: digital numbers (DN), (h, w) for a mosaic or
a monochrome sensor, (h, w, 3) where every pixel senses all colours. In the order of the physics: colour
filters, photo response (PRNU), dark current, shot noise, offsets (DSNU), row noise, read noise, hot and dead
pixels, full well, converter.
source: EMVA Standard 1288, release 4.0, sections 2 and 4: mu_y = K mu_e + mu_dark,
var_y = K^2 (mu_e + mu_dark_current t + sigma_read^2) + 1/12
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from blendgen.geometry.arrays import FloatArray
from blendgen.geometry.color import times_color
from blendgen.scene.shot import Exposure, Sensor
from blendgen.streams import noise_stream

# weights of red, green and blue light on a sensor without colour filters
_MONO_RESPONSE = (0.30, 0.42, 0.28)
_MANY_E = 128
# range of the signal of a hot pixel, as a share of saturation
_HOT_SHARE = (0.2, 1.0)


def saturation_e(sensor: Sensor, gain_db: float) -> float:
    """Electrons at which the converter is full; each 6 dB of gain halves it."""
    return sensor.full_well_e / 10 ** (gain_db / 20)


def system_gain_dn_per_e(sensor: Sensor, gain_db: float) -> float:
    """K of EMVA 1288: digital numbers per electron."""
    return (2**sensor.bits - 1 - sensor.black_level_dn) / saturation_e(sensor, gain_db)


def white_e(sensor: Sensor, gain_db: float) -> float:
    """Mean electrons of a white patch in the most sensitive pixels: headroom_ev below saturation."""
    return saturation_e(sensor, gain_db) / 2**sensor.headroom_ev


def camera_white(sensor: Sensor, light_linear) -> np.ndarray:
    """(3,) camera colours of a white patch under light of some colour."""
    return np.maximum(_to_camera(sensor.color_matrix) @ np.asarray(light_linear, float), 1e-3)


def exposure_reserve(exposure: Exposure) -> float:
    """Factor, at most 1, by which the exposure is reduced so that no colour of a white patch saturates early:
    coloured light fills the pixels of one colour first. 1 in daylight."""
    if exposure.sensor.mosaic == "mono":
        return 1.0
    white = camera_white(exposure.sensor, exposure.light_linear)
    return 1.0 / max(1.0, float(np.max(white * exposure.sensor.channel_sensitivity)))


def camera_colors(light_linear: np.ndarray, sensor: Sensor) -> np.ndarray:
    """(h, w, 3) camera colours of linear sRGB light; white is (1, 1, 1).

    Saturated colours outside the gamut of the camera are clipped to 0, as in a real camera.
    """
    if sensor.color_matrix == ((1, 0, 0), (0, 1, 0), (0, 0, 1)):
        return np.maximum(light_linear, 0)
    return np.maximum(light_linear @ _to_camera(sensor.color_matrix).T.astype(np.float32), 0)


@lru_cache(maxsize=8)
def _to_camera(color_matrix: tuple[tuple[float, ...], ...]) -> np.ndarray:
    """(3, 3) linear sRGB to camera colours."""
    return np.linalg.inv(np.array(color_matrix))


def photo_electrons(light_linear: np.ndarray, sensor: Sensor, gain_db: float) -> np.ndarray:
    """Mean electrons of exposed light, before any non-uniformity: (h, w) or (h, w, 3)."""
    if sensor.mosaic == "mono":
        sensed = np.maximum(light_linear, 0) @ np.array(_MONO_RESPONSE, np.float32)
    else:
        sensed = times_color(camera_colors(light_linear, sensor), sensor.channel_sensitivity)
        if sensor.mosaic == "rggb":
            sensed = sampled(sensed)
    return sensed.astype(np.float64) * white_e(sensor, gain_db)


def sampled(camera_rgb: np.ndarray) -> np.ndarray:
    """(h, w) of (h, w, 3): the colour that each pixel of an RGGB mosaic senses."""
    raw = camera_rgb[..., 1].copy()
    raw[0::2, 0::2] = camera_rgb[0::2, 0::2, 0]
    raw[1::2, 1::2] = camera_rgb[1::2, 1::2, 2]
    return raw


def raw_dn(light_linear: np.ndarray, exposure: Exposure, noise: bool = True) -> np.ndarray:
    """Digital numbers (float64; whole numbers with noise) of exposed light.

    noise: without it, the exact mean of the converter's output, clipped where it saturates
    """
    sensor, gain_db = exposure.sensor, exposure.gain_db
    electrons = np.minimum(photo_electrons(light_linear, sensor, gain_db), 1e9)
    if noise:
        electrons = _noisy(electrons, exposure)
    dn = np.minimum(electrons, sensor.full_well_e) * system_gain_dn_per_e(sensor, gain_db)
    dn += sensor.black_level_dn
    return np.clip(np.rint(dn) if noise else dn, 0, 2**sensor.bits - 1)


def _noisy(mean_e: np.ndarray, exposure: Exposure) -> np.ndarray:
    """Electrons that are read out, of expected ones."""
    sensor, seed = exposure.sensor, exposure.noise_seed
    shape = mean_e.shape
    response, offset_e = fixed_pattern(sensor, shape)
    electrons = mean_e * response + sensor.dark_current_e_per_s * exposure.time_s
    electrons = _counted(electrons, noise_stream(seed, "shot_noise")) + offset_e
    if sensor.row_noise_e:
        rows = noise_stream(seed, "row_noise").standard_normal((shape[0], 1))
        electrons += sensor.row_noise_e * rows.reshape(-1, *(1,) * (len(shape) - 1))
    electrons += sensor.read_noise_e * noise_stream(seed, "read_noise").standard_normal(shape)
    return _with_defects(electrons, sensor, saturation_e(sensor, exposure.gain_db))


def _counted(mean_e: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Whole electrons, Poisson distributed with mean mean_e.

    Large means use the expansion of Cornish and Fisher (1938) of a normal number: mean, variance and skewness
    are correct to a thousandth, in half the time of an exact draw.
    """
    normal = chance.standard_normal(mean_e.shape)
    counted = np.rint(mean_e + np.sqrt(mean_e) * normal + (normal * normal - 1) / 6)
    few = ~(mean_e >= _MANY_E)  # includes NaN, which the exact draw refuses
    counted[few] = chance.poisson(mean_e[few])
    return counted


def fixed_pattern(sensor: Sensor, shape) -> tuple[np.ndarray | float, np.ndarray | float]:
    """(photo response, offset in electrons) of each pixel of one camera: PRNU and DSNU."""
    response: FloatArray | float = 1.0
    offset_e: FloatArray | float = 0.0
    if sensor.prnu_percent:
        pattern = _pattern(sensor.pattern_seed, "prnu", shape)
        response = np.maximum(1 + sensor.prnu_percent / 100 * pattern, 0)
    if sensor.dsnu_e:
        offset_e = sensor.dsnu_e * _pattern(sensor.pattern_seed, "dsnu", shape)
    return response, offset_e


@lru_cache(maxsize=3)  # the patterns of one camera
def _pattern(seed: int, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """One fixed number per pixel of a camera: standard normal, or uniform for "defects"."""
    chance = noise_stream(seed, name)
    pattern = chance.random(shape) if name == "defects" else chance.standard_normal(shape)
    pattern.setflags(write=False)
    return pattern


def _with_defects(electrons: np.ndarray, sensor: Sensor, saturation: float) -> np.ndarray:
    """Electrons with the hot and dead pixels of the camera, which are always the same ones."""
    if not (sensor.hot_pixels_ppm or sensor.dead_pixels_ppm):
        return electrons
    u = _pattern(sensor.pattern_seed, "defects", electrons.shape[:2])
    hot, dead = sensor.hot_pixels_ppm * 1e-6, sensor.dead_pixels_ppm * 1e-6
    is_hot, is_dead = u < hot, u > 1 - dead
    glow = np.interp(u[is_hot], (0, max(hot, 1e-12)), _HOT_SHARE)
    electrons[is_hot] += (glow * saturation).reshape(-1, *(1,) * (electrons.ndim - 2))
    electrons[is_dead] = 0
    return electrons
