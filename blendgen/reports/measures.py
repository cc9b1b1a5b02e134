"""Measures: brightness, sharpness and noise of an image, and a small picture that finds near-duplicates.

In: (h, w, 3) uint8 images. Out: plain numbers, on the scale 0 to 255, and bytes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from blendgen.geometry.arrays import ImageHW3U8

DARK_BELOW = 64.0  # the brightest parts of an image (99 % of its pixels are darker)
BRIGHT_ABOVE = 192.0  # its darkest parts (5 % of its pixels are darker)
_BLURRED_DEVIATIONS = 3.5  # below the median of the logarithm, as of Iglewicz and Hoaglin (1993)
_FEWEST_JUDGED = 30
_SIDE = 16  # of the small picture
_LEAST_CORRELATION = 0.99
_MOST_DIFFERENT_LEVELS = 16
_BLOCK = 512
_MOST_PAIRS = 500
_NOISE_SCALE = math.sqrt(math.pi / 2) / 6


@dataclass(frozen=True)
class Measures:
    """brightness: mean luma; dark_end, bright_end: quantiles 0.05 and 0.99 of it

    sharpness: standard deviation of the Laplacian, less what noise adds to it
    noise: standard deviation as of Immerkaer (1996), which counts fine texture as noise too
    picture: 16 x 16 luma, uint8
    """

    brightness: float
    dark_end: float
    bright_end: float
    sharpness: float
    noise: float
    picture: bytes

    @property
    def is_dark(self) -> bool:
        return self.bright_end < DARK_BELOW

    @property
    def is_bright(self) -> bool:
        return self.dark_end > BRIGHT_ABOVE


def measures(image: ImageHW3U8) -> Measures:
    picture = Image.fromarray(image).convert("L")
    luma = np.asarray(picture, np.float32)
    dark_end, bright_end = np.percentile(luma, (5, 99))
    small = picture.resize((_SIDE, _SIDE), Image.Resampling.BOX)
    sharpness, noise = _sharpness_and_noise(luma)
    return Measures(
        round(float(luma.mean()), 2), float(dark_end), float(bright_end), sharpness, noise, small.tobytes()
    )


def _sharpness_and_noise(luma: np.ndarray) -> tuple[float, float]:
    if min(luma.shape) < 3:
        return 0.0, 0.0
    across = luma[:, :-2] - 2 * luma[:, 1:-1] + luma[:, 2:]
    down = luma[:-2] - 2 * luma[1:-1] + luma[2:]
    both = across[:-2] - 2 * across[1:-1] + across[2:]
    noise = float(np.abs(both).mean()) * _NOISE_SCALE
    laplacian = across[1:-1] + down[:, 1:-1]
    sharpness = math.sqrt(max(0.0, float(laplacian.var()) - 20 * noise**2))  # 20: sum of its squared weights
    return round(sharpness, 3), round(noise, 3)


def blurred(sharpness: Sequence[float]) -> list[int]:
    """Positions of the images that are far less sharp than most; none of a few images."""
    if len(sharpness) < _FEWEST_JUDGED:
        return []
    logarithms = np.log(np.maximum(sharpness, 0.1))
    middle = np.median(logarithms)
    spread = 1.4826 * float(np.median(np.abs(logarithms - middle)))
    if spread == 0:
        return []
    return [int(place) for place in np.flatnonzero(logarithms < middle - _BLURRED_DEVIATIONS * spread)]


def near_duplicates(pictures: Sequence[bytes], groups: Sequence[int]) -> list[tuple[int, int]]:
    """Positions of pairs of pictures that look the same, at most 500.

    groups: pictures of the same group are not compared, as they show the same arrangement
    """
    luma = np.frombuffer(b"".join(pictures), np.uint8).reshape(-1, _SIDE**2)
    pairs = ((a, b) for a, b in _alike(luma) if groups[a] != groups[b] and _same(luma[a], luma[b]))
    return list(itertools.islice(pairs, _MOST_PAIRS))


def _alike(luma: np.ndarray) -> Iterator[tuple[int, int]]:
    """Pairs of (n, pixels) pictures whose pixels correlate; a plain one is like no other."""
    centred = luma - luma.mean(axis=1, keepdims=True, dtype=np.float32)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = centred / np.maximum(length, 1e-6)
    for start in range(0, len(unit), _BLOCK):
        correlations = unit[start : start + _BLOCK] @ unit.T
        for a, b in np.argwhere(correlations > _LEAST_CORRELATION):
            if start + a < b:
                yield int(start + a), int(b)


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether no pixel differs much: a small product elsewhere hardly changes the correlation."""
    return int(np.abs(a.astype(np.int16) - b.astype(np.int16)).max()) <= _MOST_DIFFERENT_LEVELS
