"""Noise: its strength against the level, its growth with the signal, and how neighbours share it.

In: (h, w, 3) uint8 sRGB. Out: Measures. Green alone is read: it is the channel that white balance changes
least, and in which most cameras see best. The picture is cut into patches; a plane is taken off each, and
the quietest patches of each level are those that have the least texture. noise_of_all is the other one: a
number for every image, for reports of many.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from blendgen.geometry.arrays import FloatArray, ImageHW3U8, ImageHWF32
from blendgen.geometry.color import srgb_to_linear
from blendgen.photos.measure import Measure, median_measure, unknown

_PATCH_PX = 8
_QUIETEST = 0.15  # share of the patches of a level
# by which the quietest patches of pure noise are below it: of the chi distribution with 61 degrees of freedom
_QUIET_BY_CHANCE = 0.86
_FEWEST = 24  # patches of a level
_FEWEST_QUIET = 6
_CUT_OFF = 4  # levels from black and white where noise is cut off
BANDS = {"dark": (20.0, 85.0), "mid": (85.0, 170.0), "bright": (170.0, 238.0)}
LEAST_NOISE = 0.45  # levels: rounding to whole levels alone makes 0.29
# noise that is so strong and so alike in neighbours is texture: denoising leaves less
_TEXTURE_LEVELS, _TEXTURE_CORRELATION = 4.0, 0.33
_TEXTURE_RATIO = 4.0  # by which no sensor's noise differs between mid tones and the quietest other band
_FIT_EDGES = (12, 40, 70, 100, 130, 160, 190, 215, 240)
_FEWEST_FITTED = 3
_MASK_SCALE = math.sqrt(math.pi / 2) / 6


@dataclass(frozen=True)
class Patches:
    """level: mean of each patch, 0 to 255; noise: standard deviation about its plane

    shared: covariance of horizontal and of vertical neighbours about that plane, by the variance
    """

    level: FloatArray
    noise: FloatArray
    shared: FloatArray

    def between(self, low: float, high: float) -> Patches:
        inside = (self.level >= low) & (self.level < high)
        return Patches(self.level[inside], self.noise[inside], self.shared[inside])

    def quiet(self) -> Patches | None:
        """The quietest ones; None if there are too few to choose from."""
        if len(self.noise) < _FEWEST:
            return None
        count = max(_FEWEST_QUIET, round(_QUIETEST * len(self.noise)))
        chosen = np.argsort(self.noise, kind="stable")[:count]
        return Patches(self.level[chosen], self.noise[chosen], self.shared[chosen])


def patches(image: ImageHW3U8) -> Patches:
    """The patches of the green channel that touch neither black nor white."""
    green = image[..., 1].astype(np.float32)
    cut = green[_PATCH_PX // 2 :, _PATCH_PX // 2 :]  # not those of a JPEG, which it makes smooth
    rows, columns = cut.shape[0] // _PATCH_PX, cut.shape[1] // _PATCH_PX
    blocks = cut[: rows * _PATCH_PX, : columns * _PATCH_PX].reshape(rows, _PATCH_PX, columns, _PATCH_PX)
    flat = blocks.transpose(0, 2, 1, 3).reshape(-1, _PATCH_PX**2)
    inside = (flat.min(axis=1) > _CUT_OFF) & (flat.max(axis=1) < 255 - _CUT_OFF)
    flat = flat[inside]
    residual = (flat - flat @ _plane()).reshape(-1, _PATCH_PX, _PATCH_PX)
    variance = (residual**2).sum(axis=(1, 2)) / (_PATCH_PX**2 - 3)
    across = (residual[:, :, 1:] * residual[:, :, :-1]).mean(axis=(1, 2))
    down = (residual[:, 1:] * residual[:, :-1]).mean(axis=(1, 2))
    shared = (across + down) / 2 / np.maximum(variance, 1e-6)
    return Patches(flat.mean(axis=1).astype(float), np.sqrt(variance).astype(float), shared.astype(float))


def noise_of_all(luma: ImageHWF32) -> float:
    """Standard deviation of the noise of all pixels, in which fine texture counts too; luma: (h, w).

    source: Immerkaer 1996, Fast noise variance estimation
    """
    if min(luma.shape) < 3:
        return 0.0
    across = luma[:, :-2] - 2 * luma[:, 1:-1] + luma[:, 2:]
    both = across[:-2] - 2 * across[1:-1] + across[2:]
    return float(np.abs(both).mean()) * _MASK_SCALE


@cache
def _plane() -> np.ndarray:
    """(64, 64) projection of the pixels of a patch on the planes through it."""
    y, x = np.mgrid[0:_PATCH_PX, 0:_PATCH_PX] - (_PATCH_PX - 1) / 2
    basis = np.stack([np.ones(_PATCH_PX**2), x.ravel(), y.ravel()], axis=1)
    return (basis @ np.linalg.pinv(basis)).astype(np.float32)


def noise_at(measured: Patches, band: str) -> Measure:
    """Standard deviation in levels of 255, where the picture is dark, mid or bright."""
    noise = _noise_of(measured, band)
    if noise.value is None or band == "dark":  # read noise may be far above that of the rest
        return noise
    others = [_noise_of(measured, other).value for other in BANDS if other != band]
    least = min((value for value in others if value is not None), default=noise.value)
    return _texture() if noise.value > _TEXTURE_RATIO * max(least, LEAST_NOISE) else noise


def _noise_of(measured: Patches, band: str) -> Measure:
    low, high = BANDS[band]
    quiet = measured.between(low, high).quiet()
    if quiet is None:
        return unknown(f"too few plain places of level {low:.0f} to {high:.0f}")
    noise = median_measure(quiet.noise / _QUIET_BY_CHANCE)
    strong = noise.value is not None and noise.value > _TEXTURE_LEVELS
    if strong and float(np.median(quiet.shared)) > _TEXTURE_CORRELATION:
        return _texture()
    if noise.value is not None and noise.value < LEAST_NOISE:
        return Measure(0.0, LEAST_NOISE / 2)
    return noise


def _texture() -> Measure:
    return unknown("texture hides the noise")


def noise_correlation(measured: Patches) -> Measure:
    """How much neighbouring pixels share their noise: 0 as on a sensor, more after denoising or demosaicing.

    Over the band with most quiet patches of visible noise.
    """
    bands = [band for band in BANDS if (noise_at(measured, band).value or 0) > 2 * LEAST_NOISE]
    quiet = [measured.between(*BANDS[band]).quiet() for band in bands]
    shared = max((one.shared for one in quiet if one is not None), key=len, default=np.empty(0))
    if len(shared) < _FEWEST_QUIET:
        return unknown("there is too little noise to see how neighbours share it")
    return median_measure(shared)


@dataclass(frozen=True)
class NoiseFit:
    """Variance = constant + growth * signal, of linear light in which white is 1."""

    constant: Measure
    growth: Measure


def noise_fit(measured: Patches) -> NoiseFit:
    """Signal-dependent noise as of a sensor: growth is 1 / electrons of white, constant its dark noise.

    source: Foi et al. 2008, Practical Poissonian-Gaussian noise modeling and fitting for single-image raw
        data
    """
    signals, variances, weights = [], [], []
    for low, high in itertools.pairwise(_FIT_EDGES):
        quiet = measured.between(low, high).quiet()
        if quiet is None or np.median(quiet.noise) < 2 * LEAST_NOISE:
            continue
        level = quiet.level / 255
        slope = (srgb_to_linear(level + 0.004) - srgb_to_linear(level - 0.004)) / (0.008 * 255)
        signals.append(float(np.median(srgb_to_linear(level))))
        variances.append(float(np.median((quiet.noise / _QUIET_BY_CHANCE * slope) ** 2)))
        weights.append(1 / variances[-1])
    if len(signals) < _FEWEST_FITTED:
        none = unknown("too few levels have plain places with visible noise")
        return NoiseFit(none, none)
    return _line(np.array(signals), np.array(variances), np.array(weights))


def _line(signals: FloatArray, variances: FloatArray, weights: FloatArray) -> NoiseFit:
    """Neither part of the variance is negative: the constant is 0 where a line would fall below it."""
    basis = np.stack([np.ones_like(signals), signals], axis=1)
    if (np.linalg.lstsq(basis * weights[:, None], variances * weights, rcond=None)[0] < 0)[0]:
        basis[:, 0] = 0
    scaled = basis * weights[:, None]
    solution = np.linalg.pinv(scaled) @ (variances * weights)
    errors = scaled @ solution - variances * weights
    covariance = np.linalg.pinv(scaled.T @ scaled) * float(errors @ errors) / max(len(signals) - 2, 1)
    constant, growth = (
        Measure(max(float(value), 0.0), float(np.sqrt(max(variance, 0))))
        for value, variance in zip(solution, np.diag(covariance), strict=True)
    )
    return NoiseFit(constant, growth)
