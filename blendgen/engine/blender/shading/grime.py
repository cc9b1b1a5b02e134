"""Grime: specks, scratches, streaks, lanes, stains and dust.

Each function adds one of them to a graph and returns a mask socket from 0 to 1, or takes and returns (color,
roughness). Amounts follow the parameters wear and dust and vanish at 0; a larger amount has more marks and
stronger ones. No detail is finer than 0.2 mm.
"""

from __future__ import annotations

from typing import TypeAlias

from blendgen.engine.blender.shading.shader_graph import Number, Slope, Socket
from blendgen.engine.blender.shading.shader_graph import ShaderGraph as Graph
from blendgen.engine.blender.shading.tile_images import DUST, FINE, FLOW, MARKS, SLOW
from blendgen.engine.blender.shading.tile_patterns import (
    CLOUD_CYCLES,
    COARSE_M,
    FINE_CYCLES,
    FINE_M,
    FINE_SLOPE,
    FLOW_M,
    SLOW_CYCLES,
    SLOW_SLOPE,
)

# cycles per metre, or across and along
Scale: TypeAlias = float | tuple[float, float]

DUST_COLOR_LINEAR = (0.34, 0.31, 0.27)
# repetitions of the tile do not line up with the travel
_DUST_DEG = 8.0


def specks(s: Graph, cell_mm: float, radius_mm: tuple[float, float], share: Number, seed: float) -> Socket:
    """Round marks, at most one per cell; share: of the cells that have one."""
    return marks(s, (cell_mm, cell_mm), (radius_mm[0] / cell_mm, radius_mm[1] / cell_mm), share, seed)


def marks(s: Graph, cell_mm: tuple[float, float], radius, share: Number, seed: float, at=None) -> Socket:
    """Marks with the proportions of their cell; radius: in cells, (smallest, largest)."""
    distance, chance, size = s.cells((1000 / cell_mm[0], 1000 / cell_mm[1]), seed, at)
    reach = s.ramp(s.product(size, size), 0.0, 1.0, *radius)
    shape = s.ramp(s.math("DIVIDE", distance, reach), 1.0, 0.5)
    return s.product(shape, s.below(chance, share))


def scratches(s: Graph, share: Number, seed: float, turn_deg: float = 0.0) -> Socket:
    """Scratches, slightly curved, in the directions SCRATCH_DEG to the travel; share: of those of a tile."""
    strength, amount, _, _ = s.tile(MARKS, FINE_M, seed, turn_deg)
    return s.product(strength, s.below(amount, share))


def fine_grain(s: Graph, per_m: Scale, at: Socket | None = None) -> tuple[Socket, Socket, Slope]:
    """(noise of per_m cycles per metre, of 0.59 times as many, slope of the first)."""
    side_m = _sides_m(FINE_CYCLES, per_m)
    fine, coarse, *slope = s.tile(FINE, side_m, 1.0, at=at)
    return fine, coarse, _slope(slope, FINE_SLOPE, side_m)


def slow_grain(
    s: Graph, per_m: Scale, seed: float = 2.0, at: Socket | None = None
) -> tuple[Socket, Socket, Slope]:
    """(smooth noise of per_m cycles per metre, of three times as many, slope of the first)."""
    side_m = _sides_m(SLOW_CYCLES, per_m)
    slow, faster, *slope = s.tile(SLOW, side_m, seed, at=at)
    return slow, faster, _slope(slope, SLOW_SLOPE, side_m)


def cloud(s: Graph, per_m: Scale, seed: float, at: Socket | None = None) -> Socket:
    """Noise of five octaves."""
    return s.tile(FLOW, _sides_m(CLOUD_CYCLES, per_m), seed, at=at)[3]


def flow(s: Graph, seed: float, stretch: tuple[float, float] = (1.0, 1.0)) -> tuple[Socket, Socket, Socket]:
    """Noise drawn out along the travel: (for streaks, for lanes, blotches); stretch: across, along."""
    streak, lane, blotch, _ = s.tile(FLOW, (FLOW_M[0] * stretch[0], FLOW_M[1] * stretch[1]), seed)
    return streak, lane, blotch


def _sides_m(cycles: int, per_m: Scale) -> tuple[float, float]:
    across, along = (per_m, per_m) if isinstance(per_m, (int, float)) else per_m
    return cycles / across, cycles / along


def _slope(sockets: list[Socket], limit: float, side_m: tuple[float, float]) -> Slope:
    across, along = sockets
    return Slope((across, along), (2 * limit / side_m[0], 2 * limit / side_m[1]))


def streaks(s: Graph, pattern: Socket, amount: Number) -> Socket:
    """Stripes along the travel; a larger amount has more and denser ones."""
    start = s.ramp(amount, 0.0, 1.0, 0.72, 0.42)
    rise = s.ramp(pattern, start, s.math("ADD", start, 0.22))
    return s.product(rise, s.ramp(amount, 0.0, 0.15))


def lanes(s: Graph, pattern: Socket, amount: Number) -> Socket:
    """Broad soft lanes along the travel, where goods have polished the surface."""
    return s.product(s.ramp(pattern, 0.42, 0.62), amount)


def stains(s: Graph, amount: Number, seed: float, stretch: tuple[float, float] = (1.0, 1.0)) -> Socket:
    """Single ragged blots, most of them small, the largest 3 cm wide; stretch: across, along the travel."""
    _, _, strength, from_amount = s.tile(MARKS, tuple(COARSE_M * one for one in stretch), seed)
    return s.product(strength, s.below(from_amount, amount))


def settle_dust(s: Graph, cover: Socket, color: Socket, roughness: Number) -> tuple[Socket, Socket]:
    """(color, roughness) under a cover of dust."""
    tone = s.ramp(s.tile(DUST, FINE_M, turn_deg=_DUST_DEG)[3], 0.3, 0.7, 0.65, 1.2)
    return s.mix(cover, color, s.tint(DUST_COLOR_LINEAR, tone)), s.mix_value(cover, roughness, 0.92)


def dust_cover(s: Graph, film: float = 0.3) -> Socket:
    """Dust as a patchy film, fine specks, grains and lint; film: the film's density at dust 1."""
    clouds, marks_, amount, _ = s.tile(DUST, FINE_M, turn_deg=_DUST_DEG)
    haze = s.product(clouds, s.product(s.dust, film))
    return s.math("MAXIMUM", haze, s.product(marks_, s.below(amount, s.dust)))
