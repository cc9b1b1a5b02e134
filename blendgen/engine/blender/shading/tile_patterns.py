"""Tile patterns: marks of use and grain as maps that repeat without a seam, drawn once a machine.

Out: (side, side, 4) uint8, each channel a pattern that materials read instead of chains of noise and cells.
A pattern of marks has two channels: how strong a mark is at a place, and from which amount on it is there.
Their streams are fixed, and they are computed with sums, products, roots and floor, which all machines round
alike, so all of them draw the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from blendgen.engine.blender.shading.tile_noise import noise, slopes
from blendgen.streams import stream

SIDE_PX = 2048
# they go into WRAP_M of surfaces/shading.py a whole number of times
FINE_M, COARSE_M = 0.4572, 1.143
FLOW_M = (0.6096, 3.81)
FINE_SIDE_PX, SLOW_SIDE_PX = 1024, 512
FINE_CYCLES, SLOW_CYCLES, CLOUD_CYCLES = 64, 9, 9
# per tile; steeper places are rare and count as these
FINE_SLOPE, SLOW_SLOPE = 128.0, 16.0
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
    draw = stream(0, 0, 0, "tile.dust")
    clouds = _ramp(noise(draw, SIDE_PX, (15, 4), 5, 0.68), 0.34, 0.7, 0.3, 1.0)
    powder = _ramp(noise(draw, SIDE_PX, (238, 238), 2, 0.7), 0.35, 0.65, 0.5, 1.0)
    bent = _Warp(_warp_mm(draw, 50, 7.0))
    layers = (
        _Layer((3.1, 3.1), (0.15 / 3.1, 0.45 / 3.1), 0.6, 0.8),
        _Layer((19.0, 19.0), (0.25 / 19.0, 1.0 / 19.0), 0.6),
        _Layer((11.0, 150.0), (0.01, 0.03), 0.35, 0.8, 33.0, bent),
    )
    marks, amounts = _drawn(draw, layers, FINE_M)
    return _packed(clouds * powder, marks, amounts, noise(draw, SIDE_PX, (119, 119), 1, 0.5))


def marks_tile() -> np.ndarray:
    """(scratches, their amounts; FINE_M wide; stains, their amounts; COARSE_M wide)."""
    draw = stream(0, 0, 0, "tile.marks")
    bent = _Warp(_warp_mm(draw, 12, 4.0))
    lines = tuple(_Layer((8.0, 320.0), (0.014, 0.05), 1.0, 1.0, turn, bent) for turn in SCRATCH_DEG)
    scratches, from_scratches = _drawn(draw, lines, FINE_M)
    ragged = _Warp(_warp_mm(draw, 46, 12.0) + _warp_mm(draw, 274, 2.5))
    blots = (_Layer((85.0, 95.0), (0.02, 0.16), 0.75, 1.0, 0.0, ragged),)
    stains, from_stains = _drawn(draw, blots, COARSE_M)
    inside = _ramp(noise(draw, SIDE_PX, (126, 126), 3, 0.65), 0.35, 0.6, 0.25, 1.0)
    return _packed(scratches, from_scratches, stains * inside, from_stains)


def fine_tile() -> np.ndarray:
    """(noise of FINE_CYCLES, of 0.59 times as many, slopes of the first across and along)."""
    draw = stream(0, 0, 0, "tile.fine")
    fine = noise(draw, FINE_SIDE_PX, (FINE_CYCLES, FINE_CYCLES), 3, 0.65)
    return _packed(fine, noise(draw, FINE_SIDE_PX, (38, 38), 3, 0.7), *slopes(fine, FINE_SLOPE))


def slow_tile() -> np.ndarray:
    """(noise of SLOW_CYCLES, of three times as many, slopes of the first across and along)."""
    draw = stream(0, 0, 0, "tile.slow")
    slow = noise(draw, SLOW_SIDE_PX, (SLOW_CYCLES, SLOW_CYCLES), 3, 0.5)
    return _packed(slow, noise(draw, SLOW_SIDE_PX, (27, 27), 3, 0.5), *slopes(slow, SLOW_SLOPE))


def flow_tile() -> np.ndarray:
    """(streaks, lanes, blotches of an area FLOW_M; CLOUD_CYCLES of a noise with many octaves)."""
    draw = stream(0, 0, 0, "tile.flow")
    channels = (
        ((33, 2), 3, 0.7),
        ((5, 1), 2, 0.5),
        ((18, 36), 3, 0.6),
        ((CLOUD_CYCLES, CLOUD_CYCLES), 5, 0.7),
    )
    return _packed(*(noise(draw, SLOW_SIDE_PX, *channel) for channel in channels))


def halved(texels: np.ndarray, marks: tuple[tuple[int, int], ...]) -> np.ndarray:
    """Half as many texels along each axis, each the mean of four.

    marks: pairs of channels: of the second the value stays that belongs to the strongest of the first
    """
    side = len(texels) // 2
    four = np.moveaxis(texels.reshape(side, 2, side, 2, 4), 2, 1).reshape(side, side, 4, 4).astype(np.uint16)
    mean = (four.sum(axis=2) + 2) // 4
    for strength, amount in marks:
        # of marks that are equally strong the one that comes first
        strongest = 255 - (four[..., strength] * 256 + 255 - four[..., amount]).max(axis=2) % 256
        mean[..., amount] = _around_marks(mean[..., strength], strongest)
    return mean.astype(np.uint8)


def _around_marks(strength: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """The amounts, also known _SLACK_PX outside marks: else linear interpolation would shrink them."""
    for _ in range(_SLACK_PX):
        near = amount
        for axis in (0, 1):
            near = np.minimum(near, np.minimum(np.roll(near, 1, axis), np.roll(near, -1, axis)))
        amount = np.where(strength == 0, near, amount)
    return amount


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
    x, y, chance, size = draw.random((4, count))
    x, y, chance, size = (values[chance < layer.share, None] for values in (x, y, chance, size))
    reach = layer.radius[0] + (layer.radius[1] - layer.radius[0]) * size * size
    column, row = _around(x, y, _half_px(layer, px_mm))
    u, v = _in_cells(layer, x, y, column, row, px_mm)
    strength = _ramp(_length(u, v) / reach, 1.0, 0.5, 0.0, layer.strength)
    # the amount is also known a little outside, for linear interpolation
    slack_mm = _SLACK_PX * px_mm
    near = _length(_shorter(u, slack_mm / width_mm), _shorter(v, slack_mm / length_mm)) < reach
    place = row % SIDE_PX * SIDE_PX + column % SIDE_PX
    amount = np.broadcast_to(chance / layer.share, place.shape)
    return place[near], strength[near].astype(np.float32), amount[near].astype(np.float32)


def _half_px(layer: _Layer, px_mm: float) -> int:
    """How far from its middle a mark of a layer may reach."""
    half_px = math.ceil(layer.radius[1] * max(layer.cell_mm) / px_mm) + 2 * _SLACK_PX
    return half_px if layer.warp is None else half_px + math.ceil(np.ptp(layer.warp.aside_mm) / px_mm / 4)


def _around(x: np.ndarray, y: np.ndarray, half_px: int) -> tuple[np.ndarray, np.ndarray]:
    """(column, row) of the texels around places, (n, texels) each; also past the sides of the tile."""
    step = np.arange(-half_px, half_px + 1)
    step_y, step_x = (grid.ravel()[None] for grid in np.meshgrid(step, step, indexing="ij"))
    column, row = (np.floor(values * SIDE_PX).astype(np.int64) for values in (x, y))
    return column + step_x, row + step_y


def _in_cells(layer: _Layer, x, y, column, row, px_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """Texels from the middles of their marks, across and along the cell, in cells."""
    dx_mm = (column + 0.5 - x * SIDE_PX) * px_mm
    dy_mm = (row + 0.5 - y * SIDE_PX) * px_mm
    if layer.warp is not None:
        middle = column.shape[1] // 2
        here, there = layer.warp.at(column, row), layer.warp.at(column[:, [middle]], row[:, [middle]])
        dx_mm, dy_mm = dx_mm + here[0] - there[0], dy_mm + here[1] - there[1]
    turn = math.radians(layer.turn_deg)
    u = (math.cos(turn) * dx_mm - math.sin(turn) * dy_mm) / layer.cell_mm[0]
    v = (math.sin(turn) * dx_mm + math.cos(turn) * dy_mm) / layer.cell_mm[1]
    return u, v


def _length(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.sqrt(u * u + v * v)


def _shorter(values: np.ndarray, by: float) -> np.ndarray:
    return np.maximum(np.abs(values) - by, 0.0)


def _warp_mm(draw: np.random.Generator, cycles: int, by_mm: float) -> np.ndarray:
    return (noise(draw, SIDE_PX, (cycles, cycles), 2, 0.5) * 2 - 1) * np.float32(by_mm)


def _ramp(values: np.ndarray, start: float, end: float, low: float, high: float) -> np.ndarray:
    return low + (high - low) * np.clip((values - start) / (end - start), 0.0, 1.0)
