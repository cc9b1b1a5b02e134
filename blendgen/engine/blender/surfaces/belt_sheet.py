"""Sheet belts: rubber and PVC, one flat strip between rails whose relief is bump only.

A flat strip keeps z = 0 exact for products on it. Rubber has a fabric impression of about a millimetre, PVC a
fine matte grain. With seams, PVC has the zigzag of a finger splice every SPLICE_PERIOD_M, rubber a diagonal
splice twice as often.
"""

from __future__ import annotations

import math

import bpy

from blendgen.engine.blender.shading.grime import (
    dust_cover,
    fine_grain,
    flow,
    lanes,
    scratches,
    settle_dust,
    slow_grain,
    streaks,
)
from blendgen.engine.blender.surfaces.belt_frame import build_frame, half_length_m
from blendgen.engine.blender.surfaces.builders import surface_builder
from blendgen.engine.blender.surfaces.meshes import place, plate, quad_mesh
from blendgen.engine.blender.surfaces.shading import Shading, Socket, surface_material
from blendgen.engine.blender.surfaces.water import wet
from blendgen.scene.ground import Surface

THREAD_M = 0.0016
SPLICE_PERIOD_M = 2.286
SPLICE_TOOTH_M = 0.0127
SPLICE_LENGTH_M = 0.07
BIAS_FIELD_M = 0.16
BIAS_SLOPE = 0.4
DIRT_LINEAR = (0.030, 0.027, 0.023)


@surface_builder("belt_rubber")
def build_rubber_belt(surface: Surface) -> list[bpy.types.Object]:
    return _build_sheet(surface, "belt_rubber", write_rubber)


@surface_builder("belt_pvc")
def build_pvc_belt(surface: Surface) -> list[bpy.types.Object]:
    return _build_sheet(surface, "belt_pvc", write_pvc)


def _build_sheet(surface: Surface, name: str, write) -> list[bpy.types.Object]:
    half_m = surface.width_m / 2 + 0.002
    length_m = half_length_m(surface)
    strip = plate((-half_m, half_m), (-length_m, length_m), 0.0)
    mesh = quad_mesh(name, *strip, surface_material(name, write, surface))
    return [place(mesh, surface), *build_frame(surface)]


def write_rubber(s: Shading) -> None:
    """Black rubber with the print of its curing fabric, chalked and polished by use."""
    streak, lane, blotch = flow(s, 12.0)
    streak, polish = streaks(s, streak, s.wear), lanes(s, lane, s.wear)
    scratch = scratches(s, s.ramp(s.wear, 0.0, 1.0, 0.0, 0.8), 13.0)
    stain = s.blots(17.0)
    fine, _, fine_slope = fine_grain(s, 420.0)
    swell, uneven, swell_slope = slow_grain(s, 20.0)
    weave, *weave_rise = _weave(s, uneven, swell)

    print_tone = s.ramp(weave, -0.1, 0.1, 0.65, 1.4)
    tone = s.product(s.ramp(blotch, 0.3, 0.7, 0.8, 1.2), s.ramp(fine, 0.3, 0.7, 0.7, 1.3), print_tone)
    color = s.tint(s.base, tone)
    chalk = s.sum(s.product(streak, s.ramp(fine, 0.38, 0.6, 0.2, 1.0), 0.4), s.product(scratch, 0.6))
    color = s.mix(s.math("MINIMUM", chalk, 0.8), color, s.mix(0.35, s.base, (0.23, 0.22, 0.205)))
    color = s.mix(s.product(stain, 0.55), color, s.tint(s.base, 0.4))
    seam, pressed = _bias_splice(s)
    color = s.mix(seam, s.mix(s.product(pressed, 0.6), color, s.tint(s.base, 1.3)), s.tint(s.base, 0.25))

    roughness = s.sum(s.ramp(fine, 0.3, 0.7, 0.5, 0.68), s.product(polish, -0.16), s.product(stain, -0.12))
    color, roughness = settle_dust(s, dust_cover(s), color, roughness)
    # the valleys between threads get less light; bump alone does not darken them
    gloss = s.product(s.ramp(weave, -0.1, 0.1, 0.22, 0.58), s.ramp(blotch, 0.3, 0.7, 0.8, 1.15))
    color, gloss = wet(s, color, gloss, porous=0.4, beads=0.7)
    s.set(Base_Color=color, Roughness=roughness, Specular_IOR_Level=gloss)
    level = s.math("SUBTRACT", 1.0, s.product(pressed, 0.6))
    rise = s.rise((fine_slope, 0.2), (swell_slope, 0.35))
    s.lean(*(s.sum(one, s.product(woven, level)) for one, woven in zip(rise, weave_rise, strict=True)))


def _weave(s: Shading, uneven: Socket, swell: Socket) -> tuple[Socket, Socket, Socket]:
    """A plain weave: over and under alternate like a chessboard, printed unevenly.

    uneven, swell: noise of about 60 and 20 cycles per metre
    returns: (height in mm, its rise across and along)
    """
    per_m = math.pi / THREAD_M
    aside = s.ramp(swell, 0.0, 1.0, -0.0018 * per_m, 0.0018 * per_m)
    x, y, _ = s.split(s.scaled(s.point, per_m, 0.0))
    x, y = s.sum(x, aside), s.math("MULTIPLY_ADD", aside, -0.7, y)
    across, along = s.math("SINE", x), s.math("SINE", y)
    worn_mm = s.ramp(s.wear, 0.0, 1.0, 0.0, 0.04)
    depth_mm = s.math("SUBTRACT", s.ramp(uneven, 0.3, 0.7, 0.045, 0.13), worn_mm)
    steep = s.product(depth_mm, per_m / 1000)
    rise_across = s.product(s.math("COSINE", x), along, steep)
    rise_along = s.product(across, s.math("COSINE", y), steep)
    return s.product(across, along, depth_mm), rise_across, rise_along


def _bias_splice(s: Shading) -> tuple[Socket, Socket]:
    """(the lines where a vulcanised splice ends, the smoother field between them)."""
    x, y, _ = s.split(s.warp(s.point, 14.0, 0.0015, 14.0))
    period_m = SPLICE_PERIOD_M / 2
    slanted = s.sum(y, s.product(x, BIAS_SLOPE))
    aside = s.math("SUBTRACT", s.math("FLOORED_MODULO", slanted, period_m), period_m / 2)
    edge = s.math("ABSOLUTE", s.math("SUBTRACT", s.math("ABSOLUTE", aside), BIAS_FIELD_M / 2))
    line = s.product(s.ramp(edge, 0.0018, 0.0009), s.seams, s.ramp(s.wear, 0.0, 1.0, 0.45, 0.9))
    return line, s.product(s.ramp(s.math("ABSOLUTE", aside), BIAS_FIELD_M / 2, BIAS_FIELD_M / 2.1), s.seams)


def write_pvc(s: Shading) -> None:
    """Coloured PVC, satin, greyed by dirt in streaks along the travel."""
    fine, smut, fine_slope = fine_grain(s, 560.0)
    waves, _, waves_slope = slow_grain(s, (22.0, 14.0))
    seam, field = (s.product(mask, s.seams) for mask in _splice(s))
    streak, lane, _ = flow(s, 22.0, (0.9, 1.4))
    streak, polish = streaks(s, streak, s.wear), lanes(s, lane, s.wear)
    scratch = scratches(s, s.ramp(s.wear, 0.0, 1.0, 0.0, 0.6), 23.0)
    scuff = s.blots(27.0, (0.53, 3.4))

    mottle = s.product(s.ramp(waves, 0.3, 0.7, 0.96, 1.04), s.ramp(fine, 0.3, 0.7, 0.92, 1.08))
    color = s.tint(s.base, s.product(mottle, s.ramp(field, 0.0, 1.0, 1.0, 0.93)))
    smut = s.ramp(smut, 0.35, 0.65, 0.45, 1.0)
    dirt = s.product(s.math("MAXIMUM", s.product(streak, 0.4), s.product(scuff, 0.6)), smut)
    color = s.mix(dirt, color, DIRT_LINEAR)
    color = s.mix(s.product(scratch, 0.55), color, s.mix(0.5, s.base, (0.5, 0.5, 0.48)))
    color = s.mix(s.product(seam, s.ramp(s.wear, 0.0, 1.0, 0.35, 0.75)), color, DIRT_LINEAR)

    roughness = s.sum(s.ramp(fine, 0.3, 0.7, 0.33, 0.5), s.product(polish, -0.08), s.product(streak, 0.15))
    color, roughness = settle_dust(s, dust_cover(s), color, roughness)
    color, gloss = wet(s, color, 0.5, porous=0.0)
    s.set(Base_Color=color, Roughness=roughness, Specular_IOR_Level=gloss)
    s.lean(*s.rise((fine_slope, 0.07), (waves_slope, 0.3)))


def _splice(s: Shading) -> tuple[Socket, Socket]:
    """(its zigzag line, the pressed field around it)."""
    x, y, _ = s.split(s.point)
    tooth = s.math("PINGPONG", x, SPLICE_TOOTH_M / 2)
    zigzag = s.ramp(tooth, 0.0, SPLICE_TOOTH_M / 2, -SPLICE_LENGTH_M / 2, SPLICE_LENGTH_M / 2)
    along = s.math("SUBTRACT", s.math("FLOORED_MODULO", y, SPLICE_PERIOD_M), SPLICE_PERIOD_M / 2)
    # the line is steep, so its width across is the distance along divided by the slope
    slope = 2 * SPLICE_LENGTH_M / SPLICE_TOOTH_M
    aside = s.math("ABSOLUTE", s.math("SUBTRACT", along, zigzag))
    line = s.ramp(aside, 0.00035 * slope, 0.00012 * slope)
    return line, s.ramp(s.math("ABSOLUTE", along), 0.062, 0.055)
