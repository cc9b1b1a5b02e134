"""Tile noise: Perlin noise that repeats without a seam, and its slopes.

Out: (side, side) float32, about 0.5.
"""

from __future__ import annotations

import numpy as np


def noise(
    draw: np.random.Generator, side_px: int, cycles: tuple[int, int], octaves: int, roughness: float
) -> np.ndarray:
    """(side, side) float32 Perlin noise about 0.5 as Blender's; cycles: across, along the tile."""
    total, strength, weight = np.zeros((side_px, side_px), np.float32), 1.0, 0.0
    for octave in range(octaves):
        total += np.float32(strength) * _perlin(draw, side_px, cycles[0] << octave, cycles[1] << octave)
        weight += strength
        strength *= roughness
    return total * np.float32(0.5 / weight) + np.float32(0.5)


def _perlin(draw: np.random.Generator, side_px: int, across: int, along: int) -> np.ndarray:
    """One octave, about -1 to 1, with the gradients of Blender's."""
    which = draw.integers(0, 8, (along, across))
    sign_u = np.where(which & 1, -1.0, 1.0)
    sign_v = np.where(which & 2, -2.0, 2.0)
    slope_x = np.where(which < 4, sign_u, sign_v).astype(np.float32)
    slope_y = np.where(which < 4, sign_v, sign_u).astype(np.float32)
    (x0, x1, fx, wx), (y0, y1, fy, wy) = _cells(side_px, across), _cells(side_px, along)
    wy, fy = wy[:, None], fy[:, None]
    # down the columns first: there are few of them
    x_part = (1 - wy) * slope_x[y0] + wy * slope_x[y1]
    y_part = (1 - wy) * slope_y[y0] * fy + wy * slope_y[y1] * (fy - 1)
    left = x_part[:, x0] * fx + y_part[:, x0]
    right = x_part[:, x1] * (fx - 1) + y_part[:, x1]
    return np.float32(0.6616) * (left + wx * (right - left))


def _cells(side_px: int, count: int):
    """(lattice point before, after, place between them, its smooth weight) of each texel's middle."""
    at = (np.arange(side_px) + 0.5) * count / side_px
    before = np.floor(at).astype(np.int64)
    f = (at - before).astype(np.float32)
    return before % count, (before + 1) % count, f, f * f * f * (f * (f * 6 - 15) + 10)


def slopes(values: np.ndarray, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """How values rise across and along the tile, per tile: 0.5 where level, 1 for `limit`."""
    side_px = len(values)
    rises = (np.roll(values, -1, axis) - values for axis in (1, 0))
    across, along = (np.float32(0.5) + rise * np.float32(side_px / (2 * limit)) for rise in rises)
    return across, along
