"""Tile patterns: marks of use as maps that repeat without a seam, drawn once a machine.

In: nothing; out: (side, side, 4) uint8, each channel a pattern that materials read instead of noise and cells,
which cost ten times as much. A pattern of marks has two channels: how strong a mark is at a place, and from
which amount on the mark is there. Only sums, products, quotients, square roots and a seeded generator are
used, so that every machine draws the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

SIDE_PX = 2048
# both go into WRAP_M of surfaces/shading.py a whole number of times
FINE_M, COARSE_M = 0.4572, 1.143
GRAIN_CYCLES = 128
SCRATCH_DEG = (2.0, -27.0, 68.0)
_SLACK_PX = 2


@dataclass(frozen=True)
class _Warp:
    """How much a place is shifted: (side, side) float32 millimetres along x, and -0.7 times that along y."""

    aside_mm: np.ndarray

    def at(self, x_px: np.ndarray, y_px: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        aside = self.aside_mm[y_px % SIDE_PX, x_px % SIDE_PX]
        return aside, -0.7 * aside


@dataclass(frozen=True)
class _Layer:
    """Marks with the proportions of a cell, one for each cell's area.

    radius: in cells, (smallest, largest)
    share: of the marks that the largest amount shows; strength: of a mark
    """

    cell_mm: tuple[float, float]
    radius: tuple[float, float]
    share: float
    strength: float = 1.0
    turn_deg: float = 0.0
    warp: _Warp | None = None


def dust_tile() -> np.ndarray:
    """(film, marks of dust, the amounts from which they are there, tone of dust); FINE_M wide."""
    draw = np.random.default_rng(41)
    clouds = _ramp(_noise(draw, (15, 4), 5, 0.68), 0.34, 0.7, 0.3, 1.0)
    powder = _ramp(_noise(draw, (238, 238), 2, 0.7), 0.35, 0.65, 0.5, 1.0)
    bent = _Warp(_warp_mm(draw, 50, 7.0))
    layers = (
        _Layer((3.1, 3.1), (0.15 / 3.1, 0.45 / 3.1), 0.6, 0.8),
        _Layer((19.0, 19.0), (0.25 / 19.0, 1.0 / 19.0), 0.6),
        _Layer((11.0, 150.0), (0.01, 0.03), 0.35, 0.8, 33.0, bent),
    )
    marks, amounts = _drawn(draw, layers, FINE_M)
    return _packed(clouds * powder, marks, amounts, _noise(draw, (119, 119), 1, 0.5))


def marks_tile() -> np.ndarray:
    """(scratches, their amounts; FINE_M wide; stains, their amounts; COARSE_M wide)."""
    draw = np.random.default_rng(42)
    bent = _Warp(_warp_mm(draw, 12, 4.0))
    lines = tuple(_Layer((8.0, 320.0), (0.014, 0.05), 1.0, 1.0, turn, bent) for turn in SCRATCH_DEG)
    scratches, from_scratches = _drawn(draw, lines, FINE_M)
    ragged = _Warp(_warp_mm(draw, 46, 12.0) + _warp_mm(draw, 274, 2.5))
    blots = (_Layer((85.0, 95.0), (0.02, 0.16), 0.75, 1.0, 0.0, ragged),)
    stains, from_stains = _drawn(draw, blots, COARSE_M)
    inside = _ramp(_noise(draw, (126, 126), 3, 0.65), 0.35, 0.6, 0.25, 1.0)
    return _packed(scratches, from_scratches, stains * inside, from_stains)


def grain_tile() -> np.ndarray:
    """Noise of GRAIN_CYCLES in a tile, of 0.59, 0.14 and 0.047 times as many."""
    draw = np.random.default_rng(43)
    channels = (
        ((GRAIN_CYCLES, GRAIN_CYCLES), 3, 0.65),
        ((75, 75), 3, 0.7),
        ((18, 18), 3, 0.5),
        ((6, 6), 3, 0.5),
    )
    return _packed(*(_noise(draw, *channel) for channel in channels))


def _packed(*channels: np.ndarray) -> np.ndarray:
    stacked = np.stack(channels, axis=-1)
    return np.rint(np.clip(stacked, 0.0, 1.0) * 255.0).astype(np.uint8)


def _drawn(draw: np.random.Generator, layers: tuple[_Layer, ...], side_m: float):
    """(strength, amount) of the strongest mark at each place."""
    strength = np.zeros(SIDE_PX * SIDE_PX, np.float32)
    amount = np.ones(SIDE_PX * SIDE_PX, np.float32)
    parts = [_marks(draw, layer, side_m) for layer in layers]
    place, drawn, from_amount = (np.concatenate(values) for values in zip(*parts, strict=True))
    # the strongest last: it is what stays
    order = np.argsort(drawn, kind="stable")
    strength[place[order]] = drawn[order]
    amount[place[order]] = from_amount[order]
    shape = (SIDE_PX, SIDE_PX)
    return strength.reshape(shape), amount.reshape(shape)


def _marks(draw: np.random.Generator, layer: _Layer, side_m: float):
    """(texels, strength, amount) of all marks of a layer and a little around them, where they have none."""
    px_mm = side_m * 1000 / SIDE_PX
    width_mm, length_mm = layer.cell_mm
    count = round((side_m * 1000) ** 2 / (width_mm * length_mm))
    x_px, y_px, chance, size = draw.random((4, count))
    shown = chance < layer.share
    x_px, y_px, chance, size = (values[shown] for values in (x_px, y_px, chance, size))
    reach = (layer.radius[0] + (layer.radius[1] - layer.radius[0]) * size * size)[:, None]
    half_px = math.ceil(layer.radius[1] * max(layer.cell_mm) / px_mm) + 2 * _SLACK_PX
    if layer.warp is not None:
        half_px += math.ceil(np.ptp(layer.warp.aside_mm) / px_mm / 4)
    step = np.arange(-half_px, half_px + 1)
    step_y, step_x = (grid.ravel()[None] for grid in np.meshgrid(step, step, indexing="ij"))
    column, row = ((np.floor(values * SIDE_PX)).astype(np.int64)[:, None] for values in (x_px, y_px))
    dx_mm = (column + step_x + 0.5 - (x_px * SIDE_PX)[:, None]) * px_mm
    dy_mm = (row + step_y + 0.5 - (y_px * SIDE_PX)[:, None]) * px_mm
    if layer.warp is not None:
        for value, here, middle in zip(
            (dx_mm, dy_mm), layer.warp.at(column + step_x, row + step_y), layer.warp.at(column, row), strict=True
        ):
            value += here - middle
    turn = math.radians(layer.turn_deg)
    u = (math.cos(turn) * dx_mm - math.sin(turn) * dy_mm) / width_mm
    v = (math.sin(turn) * dx_mm + math.cos(turn) * dy_mm) / length_mm
    distance = np.sqrt(u * u + v * v) / reach
    # the amount is also known a little outside, for linear interpolation
    slack_u, slack_v = _SLACK_PX * px_mm / width_mm, _SLACK_PX * px_mm / length_mm
    near = np.sqrt((np.maximum(np.abs(u) - slack_u, 0)) ** 2 + (np.maximum(np.abs(v) - slack_v, 0)) ** 2) < reach
    strength = _ramp(distance, 1.0, 0.5, 0.0, layer.strength)
    place = (row + step_y) % SIDE_PX * SIDE_PX + (column + step_x) % SIDE_PX
    from_amount = np.broadcast_to((chance / layer.share)[:, None], place.shape)
    return place[near], strength[near].astype(np.float32), from_amount[near].astype(np.float32)


def _warp_mm(draw: np.random.Generator, cycles: int, by_mm: float) -> np.ndarray:
    return (_noise(draw, (cycles, cycles), 2, 0.5) * 2 - 1) * np.float32(by_mm)


def _ramp(values: np.ndarray, start: float, end: float, low: float, high: float) -> np.ndarray:
    return low + (high - low) * np.clip((values - start) / (end - start), 0.0, 1.0)


def _noise(
    draw: np.random.Generator, cycles: tuple[int, int], octaves: int, roughness: float
) -> np.ndarray:
    """(side, side) float32 Perlin noise about 0.5 as Blender's; cycles: across, along the tile."""
    total, strength, weight = np.zeros((SIDE_PX, SIDE_PX), np.float32), 1.0, 0.0
    for octave in range(octaves):
        total += np.float32(strength) * _perlin(draw, cycles[0] << octave, cycles[1] << octave)
        weight += strength
        strength *= roughness
    return total * np.float32(0.5 / weight) + np.float32(0.5)


def _perlin(draw: np.random.Generator, across: int, along: int) -> np.ndarray:
    """One octave, about -1 to 1, with the gradients of Blender's."""
    which = draw.integers(0, 8, (along, across))
    sign_u = np.where(which & 1, -1.0, 1.0)
    sign_v = np.where(which & 2, -2.0, 2.0)
    slope_x = np.where(which < 4, sign_u, sign_v).astype(np.float32)
    slope_y = np.where(which < 4, sign_v, sign_u).astype(np.float32)
    (x0, x1, fx, wx), (y0, y1, fy, wy) = _cells(across), _cells(along)
    wy, fy = wy[:, None], fy[:, None]
    # down the columns first: there are few of them
    x_part = (1 - wy) * slope_x[y0] + wy * slope_x[y1]
    y_part = (1 - wy) * slope_y[y0] * fy + wy * slope_y[y1] * (fy - 1)
    left = x_part[:, x0] * fx + y_part[:, x0]
    right = x_part[:, x1] * (fx - 1) + y_part[:, x1]
    return np.float32(0.6616) * (left + wx * (right - left))


def _cells(count: int):
    """(lattice point before, after, place between them, its smooth weight) of each texel's middle."""
    at = (np.arange(SIDE_PX) + 0.5) * count / SIDE_PX
    before = np.floor(at).astype(np.int64)
    f = (at - before).astype(np.float32)
    return before % count, (before + 1) % count, f, f * f * f * (f * (f * 6 - 15) + 10)
