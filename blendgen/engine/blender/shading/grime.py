"""Grime: specks, scratches, streaks, lanes, stains and dust.

Each function adds one of them to a graph and returns a mask socket from 0 to 1, or takes and returns (color,
roughness). Amounts follow the parameters wear and dust and vanish at 0; a larger amount has more marks and
stronger ones. No detail is finer than 0.2 mm.
"""

from __future__ import annotations

from blendgen.engine.blender.shading.shader_graph import Number, Socket
from blendgen.engine.blender.shading.shader_graph import ShaderGraph as Graph
from blendgen.engine.blender.shading.tile_images import DUST, GRAIN, MARKS
from blendgen.engine.blender.shading.tile_patterns import COARSE_M, FINE_M, GRAIN_CYCLES

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
    return s.product(shape, s.math("LESS_THAN", chance, share))


def scratches(s: Graph, share: Number, seed: float, turn_deg: float = 0.0) -> Socket:
    """Scratches, slightly curved, in the directions SCRATCH_DEG to the travel; share: of those of a tile."""
    strength, amount, _, _ = s.tile(MARKS, FINE_M, seed, turn_deg)
    return s.product(strength, s.math("LESS_THAN", amount, share))


def grain(s: Graph, per_m, seed: float = 1.0, at=None) -> tuple[Socket, Socket, Socket, Socket]:
    """Noise of per_m cycles per metre, and of 0.59, 0.14 and 0.047 times as many; per_m: one or per axis."""
    across, along = (per_m, per_m) if isinstance(per_m, float) else per_m
    return s.tile(GRAIN, (GRAIN_CYCLES / across, GRAIN_CYCLES / along), seed, at=at)


def streaks(s: Graph, amount: Number, seed: float, per_m=(55.0, 0.5)) -> Socket:
    """Stripes along the travel; a larger amount has more and denser ones."""
    pattern = s.noise(per_m, detail=2.0, roughness=0.7, seed=seed)
    start = s.ramp(amount, 0.0, 1.0, 0.72, 0.42)
    rise = s.ramp(pattern, start, s.math("ADD", start, 0.22))
    return s.product(rise, s.ramp(amount, 0.0, 0.15))


def lanes(s: Graph, amount: Number, seed: float) -> Socket:
    """Broad soft lanes along the travel, where goods have polished the surface."""
    return s.product(s.ramp(s.noise((9.0, 0.3), detail=1.0, seed=seed), 0.42, 0.62), amount)


def stains(s: Graph, amount: Number, seed: float, stretch: tuple[float, float] = (1.0, 1.0)) -> Socket:
    """Single ragged blots, most of them small, the largest 3 cm wide; stretch: across, along the travel."""
    _, _, strength, from_amount = s.tile(MARKS, tuple(COARSE_M * one for one in stretch), seed)
    return s.product(strength, s.math("LESS_THAN", from_amount, amount))


def settle_dust(s: Graph, cover: Socket, color: Socket, roughness: Number) -> tuple[Socket, Socket]:
    """(color, roughness) under a cover of dust."""
    tone = s.ramp(s.tile(DUST, FINE_M, turn_deg=_DUST_DEG)[3], 0.3, 0.7, 0.65, 1.2)
    return s.mix(cover, color, s.tint(DUST_COLOR_LINEAR, tone)), s.mix_value(cover, roughness, 0.92)


def dust_cover(s: Graph, film: float = 0.3) -> Socket:
    """Dust as a patchy film, fine specks, grains and lint; film: the film's density at dust 1."""
    clouds, marks_, amount, _ = s.tile(DUST, FINE_M, turn_deg=_DUST_DEG)
    haze = s.product(clouds, s.product(s.dust, film))
    return s.math("MAXIMUM", haze, s.product(marks_, s.math("LESS_THAN", amount, s.dust)))
