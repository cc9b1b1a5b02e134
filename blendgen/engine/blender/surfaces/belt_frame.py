"""Belt frame: the surroundings of a belt: extruded aluminium side rails, and the concrete floor below.

The rails overlap the belt's edges by LAP_M, 1.5 mm above it; their tops are RAIL_TOP_M above the carrying
plane. The frame does not move with the belt: texture_offset_m only selects the place along it, which moves
the bolts.
"""

from __future__ import annotations

import bpy
import numpy as np

from blendgen.engine.blender.shading.grime import cloud, fine_grain, slow_grain
from blendgen.engine.blender.surfaces.meshes import extrude, join, lathe, mirrored_x, place, plate, quad_mesh
from blendgen.engine.blender.surfaces.shading import Shading, surface_material, wrapped_offset_m
from blendgen.scene.ground import Surface

SHORTEST_HALF_LENGTH_M = 3.6
FLOOR_Z_M = -0.8
LAP_M = 0.008
RAIL_TOP_M = 0.014
BOLT_PITCH_M = 0.254
BOLT_REACH_M = 1.8
FLOOR_HALF_M = 25.0

# (x outward from the belt's edge, z) in millimetres, over the top towards +x:
# lip, inner edge, top with a T-slot, outer face with two grooves, foot.
_RAIL_OUTLINE_MM = (
    (3.0, 1.5), (-7.4, 1.5), (-8.0, 2.1), (-8.0, 12.6), (-7.6, 13.6), (-6.6, 14.0),
    (9.0, 14.0), (9.6, 13.4), (9.6, 8.0), (17.6, 8.0), (17.6, 13.4), (18.2, 14.0),
    (33.6, 14.0), (34.6, 13.6), (35.0, 12.6), (35.0, -10.0), (30.0, -10.5), (30.0, -18.0),
    (35.0, -18.5), (35.0, -50.0), (30.0, -50.5), (30.0, -58.0), (35.0, -58.5), (35.0, -90.0), (3.0, -90.0),
)  # fmt: skip


def half_length_m(surface: Surface) -> float:
    """A belt is much longer than wide, also if it was widened for large products."""
    return max(SHORTEST_HALF_LENGTH_M, 2.0 * surface.width_m)


def build_frame(surface: Surface) -> list[bpy.types.Object]:
    """Both rails with their bolts, and the floor."""
    rail = extrude(np.array(_RAIL_OUTLINE_MM) / 1000, (-half_length_m(surface), half_length_m(surface)))
    side = join([rail, _bolts()])
    side = (side[0] + (surface.width_m / 2, 0.0, 0.0), side[1])
    material = surface_material("rail", write_aluminium, surface, "#b9bbbd")
    mesh = quad_mesh("rail", *join([side, mirrored_x(side)]), material)
    along_m = -(wrapped_offset_m(surface)[1] % BOLT_PITCH_M)
    return [place(mesh, surface, along_m), build_floor(surface)]


def build_floor(surface: Surface) -> bpy.types.Object:
    """A dark concrete floor below belt or table."""
    material = surface_material("floor", write_concrete, surface, "#55534f")
    reach = (-FLOOR_HALF_M, FLOOR_HALF_M)
    return place(quad_mesh("floor", *plate(reach, reach, FLOOR_Z_M), material), surface)


def _bolts():
    """Button heads on washers over the T-slot."""
    head = lathe([(0.0075, 0.014), (0.0075, 0.0152), (0.005, 0.0152), (0.005, 0.0172), (0.0036, 0.0184),
                  (0.0015, 0.0184), (0.0, 0.0168)], segments=12)  # fmt: skip
    count = int(BOLT_REACH_M / BOLT_PITCH_M)
    places_m = (np.arange(-count, count + 1) + 0.5) * BOLT_PITCH_M
    return join([(head[0] + (0.0136, y_m, 0.0), head[1]) for y_m in places_m])


def write_aluminium(s: Shading) -> None:
    """Anodised extrusion: fine die lines along Y, dulled and scuffed by wear."""
    x, y, z = s.split(s.point)
    # round the outline and along it: on top x counts, on the sides z
    at = s.combine(s.sum(x, z), y)
    s.axes = (s.add(s.axes[0], (0.0, 0.0, 1.0)), s.axes[1])
    lines, _, lines_slope = fine_grain(s, (900.0, 3.0), at)
    rubbed = cloud(s, (160.0, 24.0), 3.0, at)
    scuffs = s.ramp(rubbed, s.ramp(s.wear, 0.0, 1.0, 0.75, 0.5), 0.8)
    clouds = cloud(s, (40.0, 9.0), 7.0, at)
    dirt = s.product(s.ramp(clouds, 0.45, 0.7), s.wear, 0.5)
    color = s.tint(s.base, s.ramp(lines, 0.3, 0.7, 0.9, 1.05))
    color = s.mix(s.math("MAXIMUM", dirt, s.product(s.dust, 0.15)), color, (0.12, 0.11, 0.10))
    roughness = s.sum(s.ramp(lines, 0.3, 0.7, 0.26, 0.36), s.product(scuffs, 0.25), s.product(dirt, 0.3))
    s.set(Base_Color=color, Metallic=1.0, Roughness=roughness)
    s.lean(*s.rise((lines_slope, 0.012)))


def write_concrete(s: Shading) -> None:
    """Power-trowelled concrete: softly mottled, pored, with a few darker blots."""
    mottle = s.ramp(cloud(s, 5.0, 0.0), 0.3, 0.7, 0.82, 1.12)
    pores = s.ramp(fine_grain(s, 150.0)[0], 0.3, 0.7, 0.8, 1.15)
    blots = s.ramp(slow_grain(s, 1.3)[0], 0.56, 0.66, 1.0, 0.8)
    s.set(Base_Color=s.tint(s.base, s.product(mottle, pores, blots)), Roughness=0.72)
