"""Cardboard: a sheet of brown corrugated board on a bench, like the bottom of a box.

The flutes run along local X and look like a faint washboard. Every FLAP_M two flaps meet under a strip of
tape (seams); scored lines cross them; wear adds dents, scuffs and creases.
"""

from __future__ import annotations

import bpy

from blendgen.engine.blender.shading.grime import cloud, dust_cover, fine_grain, marks, scratches, settle_dust
from blendgen.engine.blender.surfaces.belt_frame import build_floor
from blendgen.engine.blender.surfaces.builders import surface_builder
from blendgen.engine.blender.surfaces.meshes import place, quad_mesh
from blendgen.engine.blender.surfaces.shading import Shading, Socket, surface_material
from blendgen.engine.blender.surfaces.tables import table_arrays
from blendgen.engine.blender.surfaces.water import soaked
from blendgen.scene.ground import Surface

THICKNESS_M = 0.0065
FLUTE_M = 0.0078
FLAP_M = 0.3048
SCORE_M = 0.381
TAPE_HALF_M = 0.024
_BENCH_OVERHANG_M = 0.08
_DIRT_LINEAR = (0.10, 0.07, 0.045)


@surface_builder("cardboard")
def build_cardboard(surface: Surface) -> list[bpy.types.Object]:
    board = surface_material("cardboard", write_kraft, surface)
    bench = surface_material("bench", write_laminate, surface, "#8c8a84")
    sheet = table_arrays(surface.width_m, 0.0005, THICKNESS_M)
    top = table_arrays(surface.width_m + 2 * _BENCH_OVERHANG_M, 0.002, 0.03)
    top = (top[0] - (0.0, 0.0, THICKNESS_M), top[1])
    return [
        place(quad_mesh("cardboard", *sheet, board), surface),
        place(quad_mesh("bench", *top, bench), surface),
        build_floor(surface),
    ]


def write_kraft(s: Shading) -> None:
    """Brown kraft liner: long fibres, clouds, flutes that show through."""
    washboard = _flutes(s)
    fibre, *_ = fine_grain(s, (1500.0, 420.0), at=s.warp(s.point, 90.0, 0.004))
    fleck = s.ramp(s.noise((1400.0, 260.0), 1.0, 0.5, 2.0, s.turned(s.point, 31.0)), 0.66, 0.76)
    tone = cloud(s, (24.0, 15.0), 3.0)
    shade = s.product(
        s.ramp(fibre, 0.3, 0.7, 0.88, 1.08),
        s.ramp(tone, 0.3, 0.7, 0.88, 1.08),
        s.ramp(washboard, -1.0, 1.0, 0.9, 1.04),
    )
    color = s.mix(s.product(fleck, 0.55), s.tint(s.base, shade), s.tint(s.base, 0.45))
    score, slit, tape = _joints(s)
    scuff = scratches(s, s.ramp(s.wear, 0.0, 1.0, 0.0, 0.7), 141.0, 7.0)
    dent = marks(s, (70.0, 55.0), (0.03, 0.09), s.product(s.wear, 0.5), 144.0, s.warp(s.point, 60.0, 0.01))
    color = s.mix(s.product(scuff, 0.35), color, s.tint(s.base, 1.35))
    color = s.mix(s.product(s.blots(147.0, (1.4, 1.2)), 0.5), color, _DIRT_LINEAR)
    color = s.mix(s.sum(s.product(score, 0.25), s.product(dent, 0.12)), color, s.tint(s.base, 0.35))
    color = s.mix(s.product(slit, 0.85), color, (0.012, 0.009, 0.006))
    color = s.mix(s.product(tape, 0.42), color, s.tint(s.base, 0.42))
    color = soaked(s, color)
    roughness = s.sum(s.ramp(fibre, 0.3, 0.7, 0.72, 0.85), s.product(tape, -0.48))
    color, roughness = settle_dust(s, dust_cover(s, 0.18), color, roughness)
    gloss = s.sum(s.product(tape, 0.25), 0.22)
    s.set(Base_Color=color, Roughness=roughness, Specular_IOR_Level=gloss)
    relief = s.sum(s.product(fibre, 0.03), s.product(washboard, 0.11), s.product(tape, 0.06))
    hollow = s.sum(s.product(score, 0.45), s.product(dent, 0.5), s.product(slit, 0.3))
    s.bump(s.sum(relief, s.product(hollow, -1.0), s.product(s.noise(5.0, seed=145.0), 1.2)))


def _flutes(s: Shading) -> Socket:
    """-1 to 1 across each flute, with varying strength."""
    _, y, _ = s.split(s.warp(s.point, 9.0, 0.0016, 146.0))
    wave = s.math("SINE", s.product(y, 2 * 3.14159265 / FLUTE_M))
    return s.product(wave, s.ramp(s.noise((4.0, 7.0), seed=148.0), 0.35, 0.65, 0.25, 1.0))


def _joints(s: Shading) -> tuple[Socket, Socket, Socket]:
    """(scored lines, the slit between two flaps, the tape over it), by how visible seams are."""
    x, y, _ = s.split(s.warp(s.point, 7.0, 0.0015, 149.0))
    score = s.ramp(s.math("PINGPONG", y, SCORE_M / 2), 0.0028, 0.0006)
    aside = s.math("PINGPONG", s.sum(x, FLAP_M / 3), FLAP_M / 2)
    slit = s.ramp(aside, 0.0011, 0.0006)
    tape = s.ramp(aside, TAPE_HALF_M, TAPE_HALF_M - 0.0004)
    return s.product(score, s.seams), s.product(slit, s.seams), s.product(tape, s.seams)


def write_laminate(s: Shading) -> None:
    """The bench below: grey laminate."""
    speck = s.ramp(s.noise(420.0, detail=2.0, seed=5.0), 0.3, 0.7, 0.93, 1.05)
    s.set(Base_Color=s.tint(s.base, speck), Roughness=0.45)
