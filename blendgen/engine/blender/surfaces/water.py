"""Water: a film, puddles and drops on materials that do not absorb it, dark patches in those that do.

Masks follow the parameter wetness and vanish at 0: Cycles then drops these nodes. Water is a clear coat of
index 1.33 with its own surface: level over the relief below it, rising at its rim, domed in drops. Below it a
dielectric loses its own gloss, and porous materials darken.
"""

from __future__ import annotations

from blendgen.engine.blender.shading.shader_graph import Number, Socket
from blendgen.engine.blender.surfaces.shading import Shading

_WATER_IOR = 1.33
_DROP_CELLS_MM = (13.0, 5.5)


def wet(s: Shading, color, gloss: Number, porous: float, beads: float = 1.0) -> tuple[Socket, Socket]:
    """(color, gloss) under water; also sets the coat. gloss: the Specular IOR Level.

    porous: how much the material darkens if it is soaked, 0 (metal, plastic) to 1
    beads: share of the water in drops; 0 if it spreads at once
    """
    puddle, damp = _puddle(s)
    drop, dome_mm = _drops(s, beads)
    drop = s.product(drop, s.math("SUBTRACT", 1.0, puddle))
    water = s.math("MAXIMUM", puddle, drop)
    color = _soaked(s, color, s.math("MAXIMUM", s.product(damp, porous), s.product(water, 0.18)))
    s.set(Coat_Weight=water, Coat_IOR=_WATER_IOR, Coat_Roughness=0.035)
    ripple = s.product(s.noise(22.0, detail=1.5, seed=123.0), 0.9)
    level_mm = s.product(puddle, s.sum(ripple, 0.45))
    height = {"Height": s.math("MAXIMUM", level_mm, s.product(drop, dome_mm)), "Distance": 0.001}
    s.set(Coat_Normal=s.node("ShaderNodeBump", {**height, "Strength": 1.0}).outputs["Normal"])
    dull = s.math("SUBTRACT", 1.0, s.product(water, 0.85))
    return color, s.product(gloss, dull)


def soaked(s: Shading, color, amount: float = 1.0) -> Socket:
    """The colour of an absorbent material: patches with a darker rim, no gloss."""
    level = _level(s)
    start = _start(s)
    inside = s.ramp(level, start, s.math("ADD", start, 0.02))
    rim = s.product(inside, s.ramp(level, s.math("ADD", start, 0.05), s.math("ADD", start, 0.02)))
    patch = s.product(s.sum(s.product(inside, 0.8), s.product(rim, 0.2)), _any(s), amount)
    return _soaked(s, color, patch)


def _soaked(s: Shading, color, amount: Socket) -> Socket:
    """Darker and more saturated: light is scattered more often before it leaves."""
    inputs = {"Color": color, "Gamma": s.sum(s.product(amount, 0.45), 1.0)}
    return s.tint(
        s.node("ShaderNodeGamma", inputs).outputs["Color"],
        s.math("SUBTRACT", 1.0, s.product(amount, 0.3)),
    )


def _any(s: Shading) -> Socket:
    """0 if dry, 1 from a little wetness on."""
    return s.math("MINIMUM", s.product(s.wetness, 20.0), 1.0)


def _level(s: Shading) -> Socket:
    """The places where water collects first."""
    return s.noise((6.5, 5.0), detail=3.5, roughness=0.52, seed=120.0)


def _start(s: Shading) -> Socket:
    return s.ramp(s.wetness, 0.0, 1.0, 0.78, 0.36)


def _puddle(s: Shading) -> tuple[Socket, Socket]:
    """(standing water, the damp area around it)."""
    level, start = _level(s), _start(s)
    puddle = s.ramp(level, start, s.math("ADD", start, 0.022))
    damp = s.ramp(level, s.math("SUBTRACT", start, 0.07), s.math("SUBTRACT", start, 0.01))
    return s.product(puddle, _any(s)), s.product(damp, _any(s))


def _drops(s: Shading, beads: float) -> tuple[Socket, Socket]:
    """(drops, their height in mm): two sizes of low domes."""
    cover = height = None
    for number, cell_mm in enumerate(_DROP_CELLS_MM):
        at = s.warp(s.point, 260.0 / cell_mm, 0.0006, 125.0 + number)
        distance, chance, size = s.cells(1000 / cell_mm, 126.0 + number, at)
        reach = s.ramp(s.math("POWER", size, 2.0), 0.0, 1.0, 0.1, 0.36)
        aside = s.math("DIVIDE", distance, reach)
        dome = s.math("MAXIMUM", s.math("SUBTRACT", 1.0, s.product(aside, aside)), 0.0)
        share = s.product(s.wetness, 0.9 * beads)
        there = s.product(s.math("LESS_THAN", chance, share), _any(s))
        mask = s.product(s.ramp(dome, 0.0, 0.12), there)
        rise_mm = s.product(dome, reach, 0.32 * cell_mm, there)
        cover = mask if cover is None else s.math("MAXIMUM", cover, mask)
        height = rise_mm if height is None else s.math("MAXIMUM", height, rise_mm)
    return cover, height
