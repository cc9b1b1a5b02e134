"""Back-lit sheet: opal acrylic lit evenly from below, as a light table for silhouettes.

Its light is in the emission group, at unit gain as bright as white paper; dust and scratches look dark. Light
from above is scattered back as by frosted plastic.
"""

from __future__ import annotations

import bpy

from blendgen.engine.blender.shading.grime import dust_cover, scratches, slow_grain
from blendgen.engine.blender.surfaces.builders import surface_builder
from blendgen.engine.blender.surfaces.meshes import place, plate, quad_mesh
from blendgen.engine.blender.surfaces.shading import Shading, surface_material
from blendgen.scene.ground import Surface
from blendgen.scene.shot import EMISSION_GROUP

HALF_SIDE_M = 6.0


@surface_builder("backlit_sheet")
def build_backlit_sheet(surface: Surface) -> list[bpy.types.Object]:
    reach = (-HALF_SIDE_M, HALF_SIDE_M)
    material = surface_material("backlit_sheet", write_opal, surface)
    sheet = place(quad_mesh("backlit_sheet", *plate(reach, reach, 0.0), material), surface)
    sheet.lightgroup = EMISSION_GROUP
    return [sheet]


def write_opal(s: Shading) -> None:
    """Uniform to a few percent, darker where the sheet is dusty, stained or scratched."""
    shade = s.ramp(slow_grain(s, 3.0)[0], 0.3, 0.7, 0.96, 1.0)
    scratch = scratches(s, s.ramp(s.wear, 0.0, 1.0, 0.0, 0.8), 81.0, 11.0)
    blocked = s.sum(
        s.product(dust_cover(s, 0.3), 0.5),
        s.product(scratch, 0.25),
        s.product(s.blots(85.0), 0.15),
    )
    shine = s.product(shade, s.math("SUBTRACT", 1.0, s.math("MINIMUM", blocked, 0.9)))
    s.set(Base_Color=s.tint(s.base, 0.7), Roughness=0.6, Specular_IOR_Level=0.4)
    s.set(Emission_Color=s.tint(s.base, shine), Emission_Strength=1.0)
    # products are lit by the mean of it; Cycles then computes marks for the camera only
    s.blur_for_others(Emission_Color=s.tint(s.base, s.math("MULTIPLY_ADD", s.dust, -0.05, 0.98)))
