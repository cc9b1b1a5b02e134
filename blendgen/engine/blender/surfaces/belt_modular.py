"""Modular belt: brick-laid plastic modules with real hinge gaps and drain slots.

Rows of PITCH_M have fingers that reach between those of the next row and end before its spine, which leaves
the slots. One patch of rows is a mesh that many objects share; the patch follows the material's grid, so
texture_offset_m moves modules, joints and tints together.
"""

from __future__ import annotations

import bpy
import numpy as np

from blendgen.engine.blender.shading.grime import (
    dust_cover,
    fine_grain,
    flow,
    scratches,
    settle_dust,
    slow_grain,
    streaks,
)
from blendgen.engine.blender.surfaces.belt_frame import build_frame, half_length_m
from blendgen.engine.blender.surfaces.builders import surface_builder
from blendgen.engine.blender.surfaces.meshes import Arrays, place, plate, quad_mesh
from blendgen.engine.blender.surfaces.shading import (
    Shading,
    Socket,
    seams_of,
    surface_material,
    wrapped_offset_m,
)
from blendgen.engine.blender.surfaces.water import wet
from blendgen.scene.ground import Surface

PITCH_M = 0.0254
COLUMN_M = 0.00635
COLUMNS = 24
ROWS = 6
HEIGHT_M = 0.0087
SPINE_HALF_M = 0.005
SLOT_M = 0.0024
GAP_M = 0.0007
JOINT_M = 0.0004
CHAMFER_M = 0.0004
UNDERSIDE_Z_M = -0.0105
# middle of a link, spine and finger together, from the middle of its row, in rows
REACH = 0.27


@surface_builder("belt_modular")
def build_modular_belt(surface: Surface) -> list[bpy.types.Object]:
    """Shared patches side by side along the belt, a dark underside, and the frame."""
    x_m, y_m = wrapped_offset_m(surface)
    material = surface_material("belt_modular", write_acetal, surface)
    patch = quad_mesh(
        "belt_modular", *patch_arrays(surface.width_m, x_m, JOINT_M * seams_of(surface)), material
    )
    length_m, half_m = ROWS * PITCH_M, half_length_m(surface)
    start_m = -half_m - (y_m - half_m) % length_m
    count = int(np.ceil((half_m - start_m) / length_m))
    patches = [place(patch, surface, start_m + number * length_m) for number in range(count)]
    return [*patches, _underside(surface), *build_frame(surface)]


def _underside(surface: Surface) -> bpy.types.Object:
    half_m = surface.width_m / 2 + 0.002
    length_m = half_length_m(surface)
    strip = plate((-half_m, half_m), (-length_m, length_m), UNDERSIDE_Z_M)
    material = surface_material("underside", write_underside, surface, "#1b1a18")
    return place(quad_mesh("underside", *strip, material), surface)


def patch_arrays(width_m: float, offset_x_m: float, joint_m: float) -> Arrays:
    """ROWS rows from y = 0 on, as wide as the belt.

    offset_x_m: the material's x at the belt's middle; joint_m: gap between two modules of a row
    """
    edge_m = width_m / 2 + 0.002
    first = int(np.ceil((offset_x_m - edge_m) / COLUMN_M))
    last = int(np.floor((offset_x_m + edge_m) / COLUMN_M))
    column, row = (grid.ravel() for grid in np.meshgrid(np.arange(first, last), np.arange(ROWS)))
    centre_m = np.column_stack([(column + 0.5) * COLUMN_M - offset_x_m, (row + 0.5) * PITCH_M])
    vertices_m, side, quads = _link()
    sign = np.where(column % 2 == 0, 1.0, -1.0)
    placed = np.repeat(vertices_m[None], len(column), axis=0)
    placed[:, :, :2] *= sign[:, None, None]
    joint = _joint_side(column, row)[:, None]
    placed[:, :, 0] -= joint_m / 2 * joint * (side * sign[:, None] == joint)
    placed[:, :, :2] += centre_m[:, None]
    starts = np.arange(len(column)) * len(vertices_m)
    return placed.reshape(-1, 3), (quads[None] + starts[:, None, None]).reshape(-1, 4)


def _joint_side(column: np.ndarray, row: np.ndarray) -> np.ndarray:
    """+1 or -1 where a link ends its module on that side, else 0; odd rows are shifted by half a module."""
    place_in_module = (column + np.where(row % 2 == 1, COLUMNS // 2, 0)) % COLUMNS
    return np.where(place_in_module == 0, -1.0, np.where(place_in_module == COLUMNS - 1, 1.0, 0.0))


def _link() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A piece of spine with a finger to +y. Returns (vertices, which side of the spine, quads)."""
    a, c, h, s = COLUMN_M / 2, CHAMFER_M, HEIGHT_M, SPINE_HALF_M
    f, tip = (COLUMN_M - GAP_M) / 2, PITCH_M - SPINE_HALF_M - SLOT_M
    spine = [(-a, s, 0), (a, s, 0), (-a, -s + c, 0), (a, -s + c, 0), (-a, -s, -c), (a, -s, -c),
             (-a, -s, -h), (a, -s, -h), (-a, s, -h), (a, s, -h)]  # fmt: skip
    finger = [(-f + c, s, 0), (f - c, s, 0), (f - c, tip - c, 0), (-f + c, tip - c, 0),
              (-f, s, -c), (f, s, -c), (f, tip, -c), (-f, tip, -c),
              (-f, s, -h), (f, s, -h), (f, tip, -h), (-f, tip, -h)]  # fmt: skip
    quads = [(2, 3, 1, 0), (4, 5, 3, 2), (6, 7, 5, 4), (0, 1, 9, 8), (2, 0, 8, 6), (1, 3, 7, 9),
             (10, 11, 12, 13), (11, 15, 16, 12), (12, 16, 17, 13), (13, 17, 14, 10),
             (15, 19, 20, 16), (16, 20, 21, 17), (17, 21, 18, 14)]  # fmt: skip
    side = np.array([-1, 1] * 5 + [0] * 12)
    return np.array(spine + finger, float), side, np.array(quads)


def write_acetal(s: Shading) -> None:
    """Injection-moulded acetal: eroded-mould grain, tint by module, dirt in the gaps."""
    fine, _, fine_slope = fine_grain(s, 600.0)
    soft, _, soft_slope = slow_grain(s, 70.0)
    depth = s.ramp(s.split(s.local)[2], -0.0002, -0.004)
    scratch = scratches(s, s.ramp(s.wear, 0.0, 1.0, 0.0, 0.95), 33.0, 1.0)
    rub = streaks(s, flow(s, 32.0, (0.5, 0.17))[0], s.wear)
    stain = s.blots(37.0)

    color = s.tint(s.base, s.product(_module_tint(s), s.ramp(soft, 0.3, 0.7, 0.97, 1.03)))
    color = s.mix(s.product(rub, 0.34), color, s.mix(0.45, s.base, (0.45, 0.45, 0.43)))
    color = s.mix(s.product(scratch, 0.8), color, s.mix(0.6, s.base, (0.62, 0.62, 0.6)))
    grime = s.math("MAXIMUM", s.product(stain, 0.5), s.product(depth, s.ramp(s.wear, 0.0, 1.0, 0.15, 0.85)))
    color = s.mix(grime, color, (0.035, 0.031, 0.026))

    roughness = s.sum(s.ramp(fine, 0.3, 0.7, 0.34, 0.44), s.product(rub, 0.12), s.product(grime, 0.2))
    color, roughness = settle_dust(s, dust_cover(s), color, roughness)
    color, gloss = wet(s, color, 0.45, porous=0.0)
    s.set(Base_Color=color, Roughness=roughness, Specular_IOR_Level=gloss)
    s.lean(*s.rise((fine_slope, 0.035), (soft_slope, 0.06)))


def _module_tint(s: Shading) -> Socket:
    """Brightness of the module: batches differ a little, replaced modules of a used belt more."""
    x, y, _ = s.split(s.point)
    # fingers reach past the hinge line: which row a point belongs to depends on its column
    column = s.math("FLOORED_MODULO", s.math("FLOOR", s.product(x, 1 / COLUMN_M)), 2.0)
    row = s.math("FLOOR", s.sum(s.product(y, 1 / PITCH_M), s.ramp(column, 0.0, 1.0, -REACH, REACH)))
    shift = s.product(s.math("FLOORED_MODULO", row, 2.0), 0.5)
    module = s.math("FLOOR", s.sum(s.product(x, 1 / (COLUMNS * COLUMN_M)), shift))
    chance = s.random(module, row)
    replaced = s.product(s.math("GREATER_THAN", chance, 0.93), s.wear, 0.16)
    return s.sum(s.ramp(chance, 0.0, 1.0, 0.96, 1.03), replaced)


def write_underside(s: Shading) -> None:
    """The dark run below the slots."""
    s.set(Base_Color=s.base, Roughness=0.7)
