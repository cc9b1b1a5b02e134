"""Tables: brushed stainless steel and glued wooden staves, over the floor.

The grain runs along local Y, the longer side. Relief is bump only, so the top is z = 0;
the rim is bent over (steel) or broken (wood) with a real radius.
"""

from __future__ import annotations

import math

import bpy
import numpy as np

from blendgen.engine.blender.shading.grime import (
    cloud,
    dust_cover,
    fine_grain,
    scratches,
    settle_dust,
    slow_grain,
)
from blendgen.engine.blender.surfaces.belt_frame import build_floor
from blendgen.engine.blender.surfaces.builders import surface_builder
from blendgen.engine.blender.surfaces.meshes import Arrays, place, quad_mesh
from blendgen.engine.blender.surfaces.shading import Shading, Socket, surface_material
from blendgen.engine.blender.surfaces.water import wet
from blendgen.scene.ground import Surface

LENGTH_TO_WIDTH = 1.6
PLATE_M = 0.508
STAVE_M = 0.0457
STAVE_LENGTH_M = 0.62


@surface_builder("steel_table")
def build_steel_table(surface: Surface) -> list[bpy.types.Object]:
    return _build_table(surface, "steel_table", write_steel, radius_m=0.003, height_m=0.04)


@surface_builder("wood_table")
def build_wood_table(surface: Surface) -> list[bpy.types.Object]:
    return _build_table(surface, "wood_table", write_wood, radius_m=0.002, height_m=0.027)


def _build_table(surface: Surface, name: str, write, radius_m: float, height_m: float):
    material = surface_material(name, write, surface)
    mesh = quad_mesh(name, *table_arrays(surface.width_m, radius_m, height_m), material)
    return [place(mesh, surface), build_floor(surface)]


def table_arrays(width_m: float, radius_m: float, height_m: float) -> Arrays:
    """A board with its upper rim rounded: rings from the top face outward and down."""
    angle = np.linspace(0, math.pi / 2, 5)
    insets_m = [*(radius_m * (1 - np.sin(angle))), 0.0]
    heights_m = [*(radius_m * (np.cos(angle) - 1)), -height_m]
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    half_m = np.array([width_m, LENGTH_TO_WIDTH * width_m]) / 2
    rims = zip(insets_m, heights_m, strict=True)
    rings = [np.column_stack([corners * (half_m - inset_m), np.full(4, z_m)]) for inset_m, z_m in rims]
    near = np.arange(4)
    following = np.roll(near, -1)
    band = np.column_stack([near, near + 4, following + 4, following])
    quads = [np.array([(0, 1, 2, 3)])] + [band + 4 * ring for ring in range(len(rings) - 1)]
    return np.concatenate(rings), np.concatenate(quads)


def write_steel(s: Shading) -> None:
    """Brushed stainless (finish no. 4): reflection drawn out across the grain, smudges, swirls, stains."""
    lines, _, lines_slope = fine_grain(s, (1300.0, 9.0))
    bands = slow_grain(s, (57.0, 0.83))[1]
    smudge = s.ramp(cloud(s, (11.0, 34.0), 3.0), 0.4, 0.68)
    scratch = scratches(s, s.ramp(s.wear, 0.0, 1.0, 0.0, 0.9), 51.0, 9.0)
    stain = s.blots(55.0)

    shade = s.product(s.ramp(lines, 0.3, 0.7, 0.9, 1.04), s.ramp(bands, 0.3, 0.7, 0.95, 1.03))
    color = s.tint(s.base, shade)
    color = s.mix(s.product(stain, 0.35), color, (0.22, 0.19, 0.15))
    color = s.mix(s.product(scratch, 0.7), color, s.tint(s.base, 1.3))
    joint, plate = _plates(s)
    color = s.mix(joint, s.tint(color, plate), (0.05, 0.048, 0.045))
    smear = s.product(smudge, s.ramp(s.wear, 0.0, 1.0, 0.03, 0.1))
    marked = s.sum(s.product(stain, 0.12), s.product(scratch, 0.16))
    roughness = s.sum(s.ramp(lines, 0.3, 0.7, 0.53, 0.63), smear, marked)
    cover = dust_cover(s, 0.24)
    color, roughness = settle_dust(s, cover, color, roughness)
    # a highlight on brushed metal is drawn out across the grain
    color, _ = wet(s, color, 0.5, porous=0.0)
    s.set(Base_Color=color, Roughness=roughness, Anisotropic=0.65, Tangent=s.axes[0])
    s.set(Metallic=s.math("SUBTRACT", 1.0, cover))
    s.lean(*s.rise((lines_slope, 0.0025), (slow_grain(s, 6.0, 6.0)[2], 0.5)))


def _plates(s: Shading) -> tuple[Socket, Socket]:
    """(the joint between two plates, how bright a plate is)."""
    _, y, _ = s.split(s.point)
    number = s.math("FLOOR", s.product(y, 1 / PLATE_M))
    tone = s.ramp(s.random(number, 5.0), 0.0, 1.0, -0.05, 0.05)
    line = s.ramp(_to_edge(s, y, PLATE_M), 0.0006, 0.0003)
    return s.product(line, s.seams, 0.85), s.sum(s.product(tone, s.seams), 1.0)


def write_wood(s: Shading) -> None:
    """Staves of one species cut from different boards: growth rings, pores, satin varnish."""
    at, stave, groove = _stave(s)
    rings, pores, pores_rise = _growth(s, at)
    scratch = scratches(s, s.ramp(s.wear, 0.0, 1.0, 0.0, 0.85), 61.0, 4.0)
    dent, *dent_rise = _dents(s)
    stain = s.blots(65.0)

    late_wood = s.node("ShaderNodeGamma", {"Color": s.base, "Gamma": 1.4}).outputs["Color"]
    color = s.mix(rings, s.tint(s.base, 1.12), late_wood)
    color = s.tint(color, s.product(s.ramp(stave, 0.0, 1.0, 0.78, 1.12), s.ramp(pores, 0.0, 1.0, 1.0, 0.62)))
    color = s.mix(s.product(stain, 0.55), color, s.tint(s.base, 0.25))
    color = s.mix(s.product(scratch, 0.7), color, s.mix(0.45, s.base, (0.8, 0.7, 0.56)))
    hollow = s.math("MAXIMUM", s.product(groove, 0.7), s.product(dent, 0.5))
    color = s.mix(hollow, color, s.tint(s.base, 0.12))

    uneven, _, uneven_slope = slow_grain(s, (13.0, 5.0), 66.0)
    dull = s.product(s.ramp(uneven, 0.42, 0.62), s.wear, 0.28)
    roughness = s.sum(s.ramp(pores, 0.0, 1.0, 0.34, 0.5), dull, s.product(scratch, 0.15))
    color, roughness = settle_dust(s, dust_cover(s), color, roughness)
    color, gloss = wet(s, color, 0.45, porous=0.5, beads=0.8)
    s.set(Base_Color=color, Roughness=roughness, Specular_IOR_Level=gloss)
    rise = s.rise((uneven_slope, 0.15))
    s.lean(*(s.sum(*parts) for parts in zip(rise, pores_rise, dent_rise, strict=True)))


def _dents(s: Shading) -> tuple[Socket, Socket, Socket]:
    """(mask of round dents, their rise across and along); up to 0.12 mm deep."""
    cell_m = (0.023, 0.031)
    at = s.scaled(s.point, tuple(1 / side for side in cell_m), 64.0)
    node = s.node("ShaderNodeTexVoronoi", {"Vector": at, "Scale": 1.0}, voronoi_dimensions="2D")
    chance, size, _ = s.split(node.outputs["Color"])
    reach = s.ramp(s.product(size, size), 0.0, 1.0, 0.02, 0.07)
    aside = s.math("DIVIDE", node.outputs["Distance"], reach)
    there = s.math("LESS_THAN", chance, s.product(s.wear, 0.5))
    inside = s.product(there, s.math("COMPARE", aside, 0.75, 0.25))
    # from 0 at the rim to 1 at half the way to the middle
    steep = s.math("DIVIDE", s.product(inside, 2 * 0.12e-3), s.product(reach, node.outputs["Distance"]))
    from_middle = s.split(s.subtract(at, node.outputs["Position"]))[:2]
    rises = (s.product(step, steep, 1 / side) for step, side in zip(from_middle, cell_m, strict=True))
    return s.product(s.ramp(aside, 1.0, 0.5), there), *rises


def _stave(s: Shading) -> tuple[Socket, Socket, Socket]:
    """(point in the board the stave was cut from, a random number of the stave, the glue line)."""
    x, y, _ = s.split(s.point)
    column = s.math("FLOOR", s.product(x, 1 / STAVE_M))
    start = s.product(s.random(column, 3.0), STAVE_LENGTH_M)
    length = s.math("FLOOR", s.product(s.sum(y, start), 1 / STAVE_LENGTH_M))
    chance = s.random(column, length)
    moved = s.add(s.point, s.combine(s.product(chance, 7.3), s.product(s.random(length, column), 11.9)))
    line = s.math("MINIMUM", _to_edge(s, x, STAVE_M), _to_edge(s, s.sum(y, start), STAVE_LENGTH_M))
    return moved, chance, s.product(s.ramp(line, 0.0003, 0.0001), s.seams)


def _to_edge(s: Shading, value: Socket, period_m: float) -> Socket:
    """Distance to the nearest multiple of the period."""
    return s.math("PINGPONG", value, period_m / 2)


def _growth(s: Shading, at: Socket) -> tuple[Socket, Socket, tuple[Socket, ...]]:
    """(late wood from 0 to 1 over each ring, pores, which are 0.02 mm deep, their rise)."""
    drift = s.noise((16.0, 1.3), detail=2.0, roughness=0.45, at=at, seed=1.0)
    phase = s.math("FRACT", s.product(drift, 26.0))
    ring = s.product(s.ramp(phase, 0.0, 0.8), s.ramp(phase, 1.0, 0.86))
    open_, fine, slope = fine_grain(s, (1300.0, 40.0), at)
    fibre = s.ramp(fine, 0.35, 0.65)
    pores = s.ramp(open_, 0.58, 0.72)
    edge = s.math("COMPARE", open_, 0.65, 0.07)
    rise = tuple(s.product(one, edge) for one in s.rise((slope, -0.02 / 0.14)))
    return s.sum(s.product(ring, 0.75), s.product(fibre, 0.25)), pores, rise
