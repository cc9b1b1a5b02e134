"""Measures: brightness, sharpness and noise of an image, and a small picture that finds near-duplicates.

In: (h, w, 3) uint8 images. Out: plain numbers, on the scale 0 to 255, and bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from blendgen.geometry.arrays import ImageHW3U8
from blendgen.photos.noise import noise_of_all
from blendgen.photos.sharpness import laplacian_sharpness

DARK_BELOW = 64.0  # the brightest parts of an image (99 % of its pixels are darker)
BRIGHT_ABOVE = 192.0  # its darkest parts (5 % of its pixels are darker)
_BLURRED_DEVIATIONS = 3.5  # below the median of the logarithm, as of Iglewicz and Hoaglin (1993)
_FEWEST_JUDGED = 30
_SIDE = 16  # of the small picture
_LEAST_CORRELATION = 0.99
_MOST_DIFFERENT_LEVELS = 16
_BLOCK = 128  # pictures that are compared with all others at once
_AT_ONCE = 4096
_MOST_PAIRS = 500
_MOST_CANDIDATES = 200_000
_CROP_PX = 384


@dataclass(frozen=True)
class Measures:
    """brightness: mean luma; dark_end, bright_end: quantiles 0.05 and 0.99 of it

    sharpness, noise: laplacian_sharpness and noise_of_all (photos/) of the middle of the image, at most
        384 x 384 pixels
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
    counts = np.array(picture.histogram())
    brightness = float(counts @ np.arange(256)) / counts.sum()
    dark_end, bright_end = (_quantile(counts, share) for share in (0.05, 0.99))
    small = picture.resize((_SIDE, _SIDE), Image.Resampling.BOX)
    middle = np.asarray(_middle(picture), np.float32)
    sharpness, noise = round(laplacian_sharpness(middle), 3), round(noise_of_all(middle), 3)
    return Measures(round(brightness, 2), dark_end, bright_end, sharpness, noise, small.tobytes())


def _quantile(counts: np.ndarray, share: float) -> float:
    """The lowest level that at least this share of all pixels does not exceed; counts: by level."""
    return float(np.searchsorted(counts.cumsum(), share * counts.sum()))


def _middle(picture: Image.Image) -> Image.Image:
    """Its pixels as they are, as far as the sides of a square reach."""
    width, height = (min(side, _CROP_PX) for side in picture.size)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


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


def near_duplicates(pictures: Sequence[bytes], groups: Sequence[int]) -> tuple[list[tuple[int, int]], bool]:
    """(positions of pairs of pictures that look the same, at most 500; whether all were compared).

    Fixed cameras make most pictures candidates: this ends after 200,000 pairs that are somewhat alike.
    groups: pictures of the same group are not compared, as they show the same arrangement
    """
    luma = np.frombuffer(b"".join(pictures), np.uint8).reshape(-1, _SIDE**2)
    pairs: list[tuple[int, int]] = []
    left = _MOST_CANDIDATES
    for alike in _alike(luma, np.asarray(groups)):
        pairs += [(int(a), int(b)) for a, b in _same(luma, alike[:left])]
        left -= len(alike)
        if left < 0 or len(pairs) >= _MOST_PAIRS:
            return pairs[:_MOST_PAIRS], False
    return pairs, True


def _alike(luma: np.ndarray, groups: np.ndarray) -> Iterator[np.ndarray]:
    """(n, 2) pairs of (n, pixels) pictures whose pixels correlate; a plain one is like no other."""
    centred = luma - luma.mean(axis=1, keepdims=True, dtype=np.float32)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = centred / np.maximum(length, 1e-6)
    for start in range(0, len(unit), _BLOCK):
        first, second = np.nonzero(unit[start : start + _BLOCK] @ unit[start:].T > _LEAST_CORRELATION)
        first, second = first + start, second + start
        is_pair = (first < second) & (groups[first] != groups[second])
        yield np.stack([first[is_pair], second[is_pair]], axis=1)


def _same(luma: np.ndarray, pairs: np.ndarray) -> Iterator[np.ndarray]:
    """Pairs in which no pixel differs much: a small product elsewhere hardly changes the correlation."""
    for start in range(0, len(pairs), _AT_ONCE):
        some = pairs[start : start + _AT_ONCE]
        first, second = luma[some[:, 0]].astype(np.int16), luma[some[:, 1]].astype(np.int16)
        yield from some[np.abs(first - second).max(axis=1) <= _MOST_DIFFERENT_LEVELS]
