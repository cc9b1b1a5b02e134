"""Wire mesh belt: a balanced weave of real wire that light falls through, on wear strips.

Between two straight cross rods there is a row of flattened spirals, alternately bent left and right, each
hooked into those of the next row. A patch of rows is a mesh that many objects share; the tops of the spirals
are the plane z = 0. Below are wear strips, cross members and the floor.
"""

from __future__ import annotations

import math

import bpy
import numpy as np

from blendgen.engine.blender.shading.grime import cloud, dust_cover, fine_grain, settle_dust
from blendgen.engine.blender.surfaces.belt_frame import build_frame, half_length_m
from blendgen.engine.blender.surfaces.builders import surface_builder
from blendgen.engine.blender.surfaces.meshes import Arrays, join, place, quad_mesh
from blendgen.engine.blender.surfaces.shading import Shading, surface_material, wrapped_offset_m
from blendgen.engine.blender.surfaces.water import wet
from blendgen.scene.ground import Surface

ROWS = 8
# in pitches: from one turn of a spiral to the next, the spiral's wire, the rods
COIL, WIRE, ROD = 0.9, 0.125, 0.15
WIRE_SIDES, ROD_SIDES, BEND_POINTS = 6, 8, 5
STRIP_PITCH_M, STRIP_WIDTH_M, STRIP_HEIGHT_M = 0.16, 0.022, 0.025
MEMBER_PITCH_M, MEMBER_WIDTH_M = 0.6, 0.04


@surface_builder("belt_mesh")
def build_mesh_belt(surface: Surface) -> list[bpy.types.Object]:
    """Shared patches along the belt, their supports, and the frame."""
    x_m, y_m = wrapped_offset_m(surface)
    material = surface_material("belt_mesh", write_wire, surface)
    patch = quad_mesh(
        "belt_mesh", *patch_arrays(surface.width_m, surface.pitch_m, x_m), material, smooth=True
    )
    length_m, half_m = ROWS * surface.pitch_m, half_length_m(surface)
    start_m = -half_m - (y_m - half_m) % length_m
    count = int(np.ceil((half_m - start_m) / length_m))
    patches = [place(patch, surface, start_m + number * length_m) for number in range(count)]
    return [*patches, *_bed(surface), *build_frame(surface)]


def underside_z_m(pitch_m: float) -> float:
    """Lowest point of the weave."""
    return -pitch_m * (ROD + 2 * WIRE)


def patch_arrays(width_m: float, pitch_m: float, offset_x_m: float) -> Arrays:
    """ROWS rows from y = 0 on, a little wider than the belt; offset_x_m: the material's x at its middle."""
    coil_m, edge_m = COIL * pitch_m, width_m / 2 + 0.002
    first = math.floor((-edge_m + offset_x_m) / coil_m)
    last = math.ceil((edge_m + offset_x_m) / coil_m)
    turns_m = np.arange(first, last) * coil_m - offset_x_m
    rods = [_rod(edge_m, pitch_m, row * pitch_m) for row in range(ROWS)]
    spirals = []
    for row in range(ROWS):
        vertices, quads = _turn(pitch_m, left=row % 2 == 1)
        moved = vertices[None] + np.array((0.0, row * pitch_m, 0.0))
        moved = np.repeat(moved, len(turns_m), axis=0)
        moved[:, :, 0] += turns_m[:, None]
        starts = np.arange(len(turns_m)) * len(vertices)
        spirals.append((moved.reshape(-1, 3), (quads[None] + starts[:, None, None]).reshape(-1, 4)))
    return join([*spirals, *rods])


def _turn(pitch_m: float, left: bool) -> Arrays:
    """One turn of a spiral round the rods at y = 0 and pitch_m: over the top, round, back below."""
    radius = (ROD + WIRE) / 2 * pitch_m
    bend = np.linspace(0, math.pi, BEND_POINTS)
    far = np.column_stack([np.sin(bend), np.cos(bend)])  # outward (y, z), from the top round
    outward = np.concatenate([far, -far, far[:1]])
    rod_y = np.repeat([pitch_m, 0.0, pitch_m], [BEND_POINTS, BEND_POINTS, 1])
    path = outward * radius + np.column_stack([rod_y, np.zeros(len(rod_y))])
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    share = length / length[-1]
    straight = pitch_m / length[-1]
    x_m = COIL * pitch_m * share
    if left:
        # hooked in half a turn away from the spirals of the row before
        x_m = COIL * pitch_m * (0.5 - straight - share)
    centre_z = -(radius + WIRE / 2 * pitch_m)
    points = np.column_stack([x_m, path[:, 0], path[:, 1] + centre_z])
    normal = np.column_stack([np.zeros(len(points)), outward])
    return _tube(points, normal, WIRE / 2 * pitch_m, WIRE_SIDES)


def _rod(edge_m: float, pitch_m: float, y_m: float) -> Arrays:
    z_m = -(ROD / 2 + WIRE) * pitch_m
    points = np.array([(-edge_m, y_m, z_m), (edge_m, y_m, z_m)])
    return _tube(points, np.array([(0.0, 0.0, 1.0)] * 2), ROD / 2 * pitch_m, ROD_SIDES)


def _tube(points_m: np.ndarray, normal: np.ndarray, radius_m: float, sides: int) -> Arrays:
    """A tube along points (n, 3), open at its ends; normal: (n, 3) unit, across the path."""
    tangent = np.gradient(points_m, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    aside = np.cross(tangent, normal)
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    angle = np.arange(sides) * (2 * math.pi / sides)
    ring = np.cos(angle)[None, :, None] * normal[:, None] + np.sin(angle)[None, :, None] * aside[:, None]
    vertices = points_m[:, None] + radius_m * ring
    near = np.arange(sides)
    following = np.roll(near, -1)
    band = np.column_stack([near, following, following + sides, near + sides])
    quads = [band + step * sides for step in range(len(points_m) - 1)]
    return vertices.reshape(-1, 3), np.concatenate(quads)


def _bed(surface: Surface) -> list[bpy.types.Object]:
    """Plastic wear strips along the belt, on cross members of steel."""
    top_m, half_m = underside_z_m(surface.pitch_m) - 0.0002, half_length_m(surface)
    count = max(2, round(surface.width_m / STRIP_PITCH_M))
    places_m = (np.arange(count) - (count - 1) / 2) * (surface.width_m - 0.06) / max(count - 1, 1)
    strips = [
        _bar((x - STRIP_WIDTH_M / 2, x + STRIP_WIDTH_M / 2), (-half_m, half_m), top_m, STRIP_HEIGHT_M)
        for x in places_m
    ]
    edge_m, reach = surface.width_m / 2 + 0.005, int(half_m / MEMBER_PITCH_M)
    along_m = (np.arange(-reach, reach + 1) + 0.5) * MEMBER_PITCH_M
    below_m = top_m - STRIP_HEIGHT_M
    members = [_bar((-edge_m, edge_m), (y, y + MEMBER_WIDTH_M), below_m, MEMBER_WIDTH_M) for y in along_m]
    plastic = surface_material("strips", write_strip, surface, "#d9d6cb")
    steel = surface_material("members", write_strip, surface, "#77797a")
    return [
        place(quad_mesh("strips", *join(strips), plastic), surface),
        place(quad_mesh("members", *join(members), steel), surface),
    ]


def _bar(x_m: tuple[float, float], y_m: tuple[float, float], top_m: float, height_m: float) -> Arrays:
    """A bar with level top; its ends and underside are never seen."""
    (x0, x1), (y0, y1), low_m = x_m, y_m, top_m - height_m
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    vertices = np.array([(*c, top_m) for c in corners] + [(*c, low_m) for c in corners])
    return vertices, np.array([(0, 1, 2, 3), (0, 4, 5, 1), (1, 5, 6, 2), (2, 6, 7, 3), (3, 7, 4, 0)])


def write_wire(s: Shading) -> None:
    """Drawn stainless wire: bright on top where goods rub it, dull and soiled below by use."""
    soiled = cloud(s, (60.0, 25.0), 1.0)
    drawn = fine_grain(s, 700.0)[0]
    depth = s.ramp(s.split(s.local)[2], -0.0004, -0.0022)
    soil = s.product(s.ramp(soiled, 0.3, 0.65), s.sum(s.product(depth, 0.75), 0.25), s.wear)
    soil = s.math("MINIMUM", s.sum(soil, s.product(s.blots(153.0), 0.7)), 0.92)
    color = s.tint(s.base, s.ramp(soiled, 0.3, 0.7, 0.88, 1.05))
    color = s.mix(soil, color, (0.05, 0.04, 0.03))
    roughness = s.sum(s.ramp(drawn, 0.3, 0.7, 0.28, 0.42), s.product(soil, 0.35))
    up = s.split(s.node("ShaderNodeNewGeometry").outputs["Normal"])[2]
    cover = s.product(dust_cover(s, 0.3), s.ramp(up, 0.2, 0.8))
    color, roughness = settle_dust(s, cover, color, roughness)
    color, _ = wet(s, color, 0.5, porous=0.0, beads=0.6)
    metal = s.math("SUBTRACT", 1.0, s.math("MAXIMUM", cover, s.product(soil, 0.8)))
    s.set(Base_Color=color, Roughness=roughness, Metallic=metal)


def write_strip(s: Shading) -> None:
    """A plain colour, rubbed, with the dirt that falls through the belt."""
    soil = s.product(s.ramp(cloud(s, (30.0, 8.0), 4.0), 0.35, 0.65), s.sum(s.wear, 0.15), 0.6)
    s.set(Base_Color=s.mix(soil, s.base, (0.06, 0.055, 0.05)), Roughness=0.55)
