"""Vignetting: how much darker the background is in the corners than in the middle.

In: linear light, and which pixels are background. Out: a Measure in stops. A single picture cannot tell a
lens from a lamp above the middle; over many pictures a lens stays the same.
"""

from __future__ import annotations

import numpy as np

from blendgen.geometry.arrays import FloatArray, MaskHW
from blendgen.geometry.color import luminance
from blendgen.photos.measure import Measure, unknown

_CELLS = 24
_LEAST_FILLED = 0.5  # of a cell
_FEWEST_CELLS = 60
_OUTER = 0.72  # radius beyond which cells must be, as a share of the corner's
_FEWEST_OUTER = 6
_PARTS = 4
_ROUNDS = 5


def vignetting_ev(linear: FloatArray, is_background: MaskHW) -> Measure:
    """Stops that the corners lack, by the light of the background: c + gx x + gy y - v r^2, robustly."""
    cells = _cells(linear, is_background)
    if cells is None or len(cells[0]) < _FEWEST_CELLS:
        return unknown("too little plain background")
    x, y, stops = cells
    radius2 = x**2 + y**2
    if np.sum(radius2 > _OUTER**2) < _FEWEST_OUTER:
        return unknown("no plain background near the corners")
    basis = np.stack([np.ones_like(x), x, y, -radius2], axis=1)
    value = _robust(basis, stops)
    order = np.arange(len(x)) % _PARTS
    parts = [_robust(basis[order != part], stops[order != part]) for part in range(_PARTS)]
    return Measure(value, float(np.std(parts) * np.sqrt(_PARTS - 1)))


def _cells(linear: FloatArray, is_background: MaskHW) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Place of each cell, 1 from the middle to a corner, and the stops of its background."""
    height, width = is_background.shape
    size = max(2, max(height, width) // _CELLS)
    rows, columns = height // size, width // size
    if min(rows, columns) < 4:
        return None
    shape = (rows, size, columns, size)
    cut = slice(0, rows * size), slice(0, columns * size)
    inside = is_background[cut].reshape(shape)
    light = np.where(inside, luminance(linear)[cut].reshape(shape), 0.0).sum(axis=(1, 3))
    count = inside.sum(axis=(1, 3))
    use = (count > _LEAST_FILLED * size**2) & (light > 0)
    y, x = np.mgrid[0:rows, 0:columns] + 0.5
    corner = np.hypot(height, width) / 2
    x, y = (x * size - width / 2) / corner, (y * size - height / 2) / corner
    return x[use], y[use], np.log2(light[use] / count[use])


def _robust(basis: FloatArray, stops: FloatArray) -> float:
    """The last coefficient, by weights that drop with the distance from the fit (Huber 1964)."""
    weight = np.ones(len(stops))
    for _ in range(_ROUNDS):
        solution = np.linalg.lstsq(basis * weight[:, None], stops * weight, rcond=None)[0]
        away = np.abs(stops - basis @ solution)
        scale = 1.4826 * float(np.median(away)) + 1e-6
        weight = np.sqrt(np.minimum(1.0, 1.5 * scale / np.maximum(away, 1e-9)))
    return float(solution[-1])
