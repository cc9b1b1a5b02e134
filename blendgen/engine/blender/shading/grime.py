"""Grime: specks, scratches, streaks, lanes, stains and dust.

Each function adds one of them to a graph and returns a mask socket from 0 to 1, or takes and returns (color,
roughness). Amounts follow the parameters wear and dust and vanish at 0; a larger amount has more marks and
stronger ones. No detail is finer than 0.2 mm.
"""

from __future__ import annotations

from blendgen.engine.blender.shading.shader_graph import Number, Socket
from blendgen.engine.blender.shading.shader_graph import ShaderGraph as Graph

DUST_COLOR_LINEAR = (0.34, 0.31, 0.27)


def specks(s: Graph, cell_mm: float, radius_mm: tuple[float, float], share: Number, seed: float) -> Socket:
    """Round marks, at most one per cell; share: of the cells that have one."""
    return marks(s, (cell_mm, cell_mm), (radius_mm[0] / cell_mm, radius_mm[1] / cell_mm), share, seed)


def marks(s: Graph, cell_mm: tuple[float, float], radius, share: Number, seed: float, at=None) -> Socket:
    """Marks with the proportions of their cell; radius: in cells, (smallest, largest)."""
    distance, chance, size = s.cells((1000 / cell_mm[0], 1000 / cell_mm[1]), seed, at)
    reach = s.ramp(s.math("POWER", size, 2.0), 0.0, 1.0, *radius)
    shape = s.ramp(s.math("DIVIDE", distance, reach), 1.0, 0.5)
    return s.product(shape, s.math("LESS_THAN", chance, share))


def scratches(s: Graph, share: Number, seed: float, angles_deg=(2.0, -27.0, 68.0), length_mm=12) -> Socket:
    """Scratches, slightly curved, in a few directions relative to the travel; the longest has length_mm."""
    bent = s.warp(s.point, 26.0, 0.004, seed)
    total = None
    for number, angle_deg in enumerate(angles_deg):
        cell_mm = (8.0, length_mm * 20)
        layer = marks(s, cell_mm, (0.014, 0.05), share, seed + 1.7 * number, s.turned(bent, angle_deg))
        total = layer if total is None else s.math("MAXIMUM", total, layer)
    return total


def streaks(s: Graph, amount: Number, seed: float, per_m=(55.0, 0.5)) -> Socket:
    """Stripes along the travel; a larger amount has more and denser ones."""
    pattern = s.noise(per_m, detail=3.0, roughness=0.7, seed=seed)
    start = s.ramp(amount, 0.0, 1.0, 0.72, 0.42)
    rise = s.ramp(pattern, start, s.math("ADD", start, 0.22))
    return s.product(rise, s.ramp(amount, 0.0, 0.15))


def lanes(s: Graph, amount: Number, seed: float) -> Socket:
    """Broad soft lanes along the travel, where goods have polished the surface."""
    return s.product(s.ramp(s.noise((9.0, 0.3), detail=1.5, seed=seed), 0.42, 0.62), amount)


def stains(s: Graph, amount: Number, seed: float, cell_mm: tuple[float, float] = (85.0, 95.0)) -> Socket:
    """Single ragged blots, most of them small, the largest a quarter of a cell wide."""
    ragged = s.warp(s.warp(s.point, 40.0, 0.012, seed), 240.0, 0.0025, seed + 1)
    blot = marks(s, cell_mm, (0.02, 0.16), s.product(amount, 0.75), seed, ragged)
    inside = s.noise(110.0, detail=3.0, roughness=0.65, seed=seed)
    return s.product(blot, s.ramp(inside, 0.35, 0.6, 0.25, 1.0))


def settle_dust(s: Graph, cover: Socket, color: Socket, roughness: Number) -> tuple[Socket, Socket]:
    """(color, roughness) under a cover of dust."""
    tone = s.ramp(s.noise(260.0, detail=0.0, seed=45.0), 0.3, 0.7, 0.65, 1.2)
    return s.mix(cover, color, s.tint(DUST_COLOR_LINEAR, tone)), s.mix_value(cover, roughness, 0.92)


def dust_cover(s: Graph, film: float = 0.3, seed: float = 40.0) -> Socket:
    """Dust as a patchy film, fine specks, grains and lint; film: the film's density at dust 1."""
    clouds = s.ramp(s.noise((34.0, 9.0), detail=4.0, roughness=0.68, seed=seed), 0.34, 0.7, 0.3, 1.0)
    powder = s.ramp(s.noise(520.0, detail=2.0, roughness=0.7, seed=seed + 1), 0.35, 0.68, 0.5, 1.0)
    haze = s.product(clouds, powder, s.dust, film)
    fine = s.product(specks(s, 3.1, (0.15, 0.45), s.product(s.dust, 0.6), seed + 2), 0.8)
    grain = specks(s, 19.0, (0.25, 1.0), s.product(s.dust, 0.6), seed + 3)
    bent = s.turned(s.warp(s.point, 110.0, 0.007, seed), 33.0)
    lint = marks(s, (11.0, 150.0), (0.01, 0.03), s.product(s.dust, 0.35), seed + 4, bent)
    return s.math("MAXIMUM", s.math("MAXIMUM", haze, fine), s.math("MAXIMUM", grain, s.product(lint, 0.8)))
