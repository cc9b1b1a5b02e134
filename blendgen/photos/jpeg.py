"""JPEG: the quality with which a picture was compressed, from its file, or from what is left in its pixels.

In: a file, or (h, w) luma. Out: Measures on the scale of the IJG library, 1 to 100, which Pillow uses too.
source: ITU-T T.81, annex K, table K.1, for the luminance; Fan and de Queiroz 2003, Identification of bitmap
compression history, for the traces: coefficients of the DCT of 8 x 8 blocks are multiples of their step
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from blendgen.files.photos import opened_photo
from blendgen.geometry.arrays import AnyArray, FloatArray, ImageHWF32
from blendgen.photos.measure import Measure, unknown

_TABLE = np.array(
    [
        *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56),
        *(14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113),
        *(92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
    ]
)
_QUALITIES = np.arange(5, 101)
_BLOCK = 8
# row and column of coefficients that most pictures have
_COEFFICIENTS = tuple((i, j) for i in range(6) for j in range(6) if 1 <= i + j <= 5)
_SMALLEST_STEP = 2.5  # levels: rounding the decoded picture hides smaller ones
_FEWEST = 20  # different values of a coefficient that are not 0
_FEWEST_MATCHES = 3  # coefficients
_UNKNOWN = -2.0  # instead of a match, where there are fewer
_LEAST_MATCH, _OF_THE_BEST, _EQUAL = 0.2, 0.8, 0.97
NO_TRACES, _SMALL_ERROR = 100.0, 1.0  # never compressed, hardly, or resized since


def table_of(quality: int) -> AnyArray:
    """(64,) steps of the luminance at a quality, row by row."""
    scale = 5000 / quality if quality < 50 else 200 - 2 * quality
    return np.clip((_TABLE * scale + 50) // 100, 1, 255).astype(int)


def file_quality(path: Path) -> Measure:
    """The quality that a JPEG file states in its tables; raises one of IMAGE_ERRORS."""
    with opened_photo(path) as image:
        tables = getattr(image, "quantization", None) if image.format in ("JPEG", "MPO") else None
    if not tables:
        return unknown("not a JPEG file")
    return quality_of_table(np.array(next(iter(tables.values()))))


def quality_of_table(steps: AnyArray) -> Measure:
    """The quality whose table is nearest; makers with tables of their own have a larger error."""
    if steps.shape != (64,):
        return unknown("its tables are not those of 8-bit JPEG")
    distances = np.array([np.abs(np.log(table_of(int(q)) / np.maximum(steps, 1))).mean() for q in _QUALITIES])
    best = int(distances.argmin())
    return Measure(float(_QUALITIES[best]), float(10 * distances[best]))


def pixel_quality(luma: ImageHWF32) -> Measure:
    """The quality by the traces of compression in a decoded picture; 100 where there are none."""
    coefficients = _coefficients(luma)
    if coefficients is None:
        return unknown("smaller than 64 pixels")
    matches = np.array([_match(coefficients, table_of(int(q))) for q in _QUALITIES])
    best = float(np.max(matches, initial=_UNKNOWN))
    if best == _UNKNOWN:
        return unknown("too little detail to see traces of JPEG")
    if best < _LEAST_MATCH:
        return Measure(NO_TRACES, _SMALL_ERROR)
    # of a step all its divisors match, too: the coarsest tables that match are those of the quality
    near = np.flatnonzero(matches >= _OF_THE_BEST * best)
    group = near[: np.flatnonzero(np.append(np.diff(near), 99) > 1)[0] + 1]
    equal = group[matches[group] >= _EQUAL * matches[group].max()]
    return Measure(float(np.median(_QUALITIES[equal])), max(1.0, float(np.ptp(equal)) / 2))


def _coefficients(luma: ImageHWF32) -> FloatArray | None:
    """(coefficients, blocks) of the DCT of the blocks of a picture whose first pixel is that of a block."""
    rows, columns = luma.shape[0] // _BLOCK, luma.shape[1] // _BLOCK
    if min(rows, columns) < _BLOCK:
        return None
    cut = luma[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    blocks = cut.transpose(0, 2, 1, 3).reshape(-1, _BLOCK, _BLOCK)
    whole = (blocks.max(axis=(1, 2)) < 253) & (blocks.min(axis=(1, 2)) > 2)  # clipped ones are changed
    basis = _basis()
    spectrum = basis @ (blocks[whole].astype(float) - 128) @ basis.T
    return np.stack([spectrum[:, i, j] for i, j in _COEFFICIENTS])


@cache
def _basis() -> FloatArray:
    """(8, 8) orthonormal DCT-II."""
    n, k = np.arange(_BLOCK), np.arange(_BLOCK)[:, None]
    basis = np.cos(np.pi * (2 * n + 1) * k / (2 * _BLOCK)) * np.sqrt(2 / _BLOCK)
    basis[0] /= np.sqrt(2)
    return np.asarray(basis)


def _match(coefficients: FloatArray, table: AnyArray) -> float:
    """1 where coefficients are multiples of their steps, near 0 where there is no relation.

    The median over the coefficients of which there are enough different values: a straight edge has the same
    ones again and again.
    """
    matches = []
    for values, (i, j) in zip(coefficients, _COEFFICIENTS, strict=True):
        step = float(table[_BLOCK * i + j])
        if step >= _SMALLEST_STEP:
            large = np.unique(np.round(values[np.abs(values) > step / 2], 2))
            if len(large) >= _FEWEST:
                matches.append(float(np.cos(2 * np.pi * large / step).mean()))
    return float(np.median(matches)) if len(matches) >= _FEWEST_MATCHES else _UNKNOWN


def luma_u8(image: AnyArray) -> ImageHWF32:
    """(h, w) luma as JPEG has it."""
    return np.asarray(Image.fromarray(image).convert("YCbCr"), np.float32)[..., 0]
