"""Paper: a matte seamless backdrop, for products photographed on their own.

A level sheet of 12 m without visible edges. At wear = dust = 0 only fibre and slight unevenness are visible;
wear adds creases and scuffs.
"""

from __future__ import annotations

import bpy

from blendgen.engine.blender.shading.grime import dust_cover, fine_grain, scratches, settle_dust, slow_grain
from blendgen.engine.blender.surfaces.builders import surface_builder
from blendgen.engine.blender.surfaces.meshes import place, plate, quad_mesh
from blendgen.engine.blender.surfaces.shading import Shading, surface_material
from blendgen.engine.blender.surfaces.water import soaked
from blendgen.scene.ground import Surface

HALF_SIDE_M = 6.0


@surface_builder("paper")
def build_paper(surface: Surface) -> list[bpy.types.Object]:
    reach = (-HALF_SIDE_M, HALF_SIDE_M)
    material = surface_material("paper", write_paper, surface)
    return [place(quad_mesh("paper", *plate(reach, reach, 0.0), material), surface)]


def write_paper(s: Shading) -> None:
    """Uncoated card: cloudy fibre, no gloss."""
    fibre, _, fibre_slope = fine_grain(s, (900.0, 600.0))
    _, cloud, waves_slope = slow_grain(s, 7.0)
    crease = scratches(s, s.ramp(s.wear, 0.0, 1.0, 0.0, 0.4), 71.0, 15.0)
    scuff = s.blots(75.0)
    pulp = s.product(s.ramp(fibre, 0.3, 0.7, 0.975, 1.0), s.ramp(cloud, 0.3, 0.7, 0.985, 1.0))
    color = s.tint(s.base, pulp)
    color = s.mix(s.product(scuff, 0.2), color, (0.10, 0.095, 0.09))
    color = s.mix(s.product(crease, 0.22), color, (0.10, 0.095, 0.09))
    color, roughness = settle_dust(s, dust_cover(s, 0.12), color, 0.9)
    color = soaked(s, color, 0.7)
    s.set(Base_Color=color, Roughness=roughness, Specular_IOR_Level=0.25)
    s.lean(*s.rise((fibre_slope, 0.02), (waves_slope, 0.6)))
