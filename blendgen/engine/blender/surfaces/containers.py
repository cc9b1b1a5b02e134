"""Containers: a Container goes in, a linked Blender object comes out: an open box on the surface.

Its inner walls and its bottom are exactly where the Container says; rims, ribs and flaps are outside
of that. The mesh and the material of each kind are looked up by name and filled again each time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix

from blendgen.engine.blender.session.stage import link_to_scene
from blendgen.engine.blender.shading.cached_blocks import cached_block
from blendgen.engine.blender.shading.grime import (
    cloud,
    dust_cover,
    fine_grain,
    scratches,
    settle_dust,
    slow_grain,
)
from blendgen.engine.blender.shading.nodes import add_node, new_material
from blendgen.engine.blender.shading.shader_graph import ShaderGraph, Socket
from blendgen.engine.blender.surfaces.meshes import Arrays, join, plate, quad_mesh
from blendgen.geometry.color import hex_to_linear
from blendgen.geometry.projection import rigid, rotation_about_z
from blendgen.scene.ground import Container, Surface

_CORNER_STEPS = 6
_ROUNDING_M = 0.004
# how far the walls are moved out, so that rounded corners leave the inner rectangle free
_STAND_BACK_M = _ROUNDING_M * (1 - 0.5**0.5)
_ABOVE_SURFACE_M = 0.0003
_FLUTE_M = 0.0065

# (outward from the inner wall, height, radius of the corners): over the rim and down outside
Profile = list[tuple[float, float, float]]


def build_container(container: Container, surface: Surface) -> bpy.types.Object:
    """Build it into the current scene, with the wear and dust of the surface."""
    rings, extras = _BUILDERS[container.kind].shape(container)
    width, length, _ = container.size_m
    back = _STAND_BACK_M
    floor = plate(
        (-width / 2 - back, width / 2 + back), (-length / 2 - back, length / 2 + back), container.wall_m
    )
    arrays = join([_lofted(container, rings), floor, *extras])
    mesh = quad_mesh(f"container_{container.kind}", *arrays, _material(container, surface))
    box = bpy.data.objects.new("container", mesh)
    to_world = rigid(rotation_about_z(container.yaw_deg), (*container.middle_m, 0.0))
    box.matrix_world = Matrix(to_world.tolist())
    link_to_scene(box)
    return box


def _lofted(container: Container, rings: Profile) -> Arrays:
    width, length, _ = container.size_m
    outlines = [_rounded(width / 2 + out, length / 2 + out, radius, z) for out, z, radius in rings]
    count = len(outlines[0])
    near = np.arange(count)
    following = np.roll(near, -1)
    # rings go up inside and down outside: seen from the box's air, counter-clockwise
    band = np.column_stack([following, near, near + count, following + count])
    quads = [band + count * row for row in range(len(outlines) - 1)]
    return np.concatenate(outlines), np.concatenate(quads)


def _rounded(x: float, y: float, radius: float, z: float) -> np.ndarray:
    """(4 * steps, 3) rectangle with rounded corners, counter-clockwise from above."""
    angles = np.linspace(0, np.pi / 2, _CORNER_STEPS)
    arc = radius * np.column_stack([np.cos(angles), np.sin(angles)])
    corners = []
    for turn, (sx, sy) in enumerate([(1, 1), (-1, 1), (-1, -1), (1, -1)]):
        c, s = (1, 0, -1, 0)[turn], (0, 1, 0, -1)[turn]
        corners.append(arc @ np.array([[c, s], [-s, c]]) + (sx * (x - radius), sy * (y - radius)))
    outline = np.concatenate(corners)
    return np.column_stack([outline, np.full(len(outline), z)])


def _tote(container: Container) -> tuple[Profile, list[Arrays]]:
    height, wall = container.size_m[2], container.wall_m
    b, r, flange = _STAND_BACK_M, _ROUNDING_M, 0.011
    out = b + wall
    far, wide, foot = out + flange, r + flange, r + wall
    rings = [
        (b, wall, r), (b, height - 0.001, r), (b + 0.001, height, r), (far - 0.001, height, wide),
        (far, height - 0.001, wide), (far, height - 0.014, wide), (out, height - 0.014, foot),
        (out, 0.004, foot), (out - 0.002, _ABOVE_SURFACE_M, foot),
    ]  # fmt: skip
    return rings, _ribs(container, out, flange - 0.002, height - 0.014)


def _ribs(container: Container, out: float, depth: float, top: float) -> list[Arrays]:
    """Upright ribs under the rim, outside."""
    ribs = []
    for axis in (0, 1):
        half, other = container.size_m[axis] / 2, container.size_m[1 - axis] / 2
        places = np.linspace(-half * 0.8, half * 0.8, max(2, int(half * 2 / 0.07)))
        for sign in (-1, 1):
            for place in places:
                low = np.array([place - 0.0012, min(sign * (other + out), sign * (other + out + depth))])
                high = np.array([place + 0.0012, max(sign * (other + out), sign * (other + out + depth))])
                if axis == 1:
                    low, high = low[::-1], high[::-1]
                ribs.append(_box((*low, 0.01), (*high, top)))
    return ribs


def _box(low, high) -> Arrays:
    (x0, y0, z0), (x1, y1, z1) = low, high
    vertices = np.array([(x, y, z) for z in (z0, z1) for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))])
    sides = [(0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7), (4, 5, 6, 7)]
    return vertices, np.array(sides)


def _cardboard(container: Container) -> tuple[Profile, list[Arrays]]:
    height, wall = container.size_m[2], container.wall_m
    rings = [
        (_STAND_BACK_M, wall, 0.0),
        (_STAND_BACK_M, height, 0.0),
        (wall, height, 0.0),
        (wall, _ABOVE_SURFACE_M, 0.0),
    ]
    return rings, _flaps(container)


def _flaps(container: Container) -> list[Arrays]:
    """Four flaps, folded outward and hanging down."""
    height, wall = container.size_m[2], container.wall_m
    drop = min(0.75 * height, 0.09)
    flaps = []
    for axis, sign, lean in ((0, -1, 0.55), (0, 1, 0.4), (1, -1, 0.3), (1, 1, 0.65)):
        half, other = container.size_m[axis] / 2 + wall, container.size_m[1 - axis] / 2 + wall
        inner = np.array([(-half, other), (half, other)])
        outer = np.array([(-half + 0.006, other + lean * drop), (half - 0.006, other + lean * drop)])
        top = np.column_stack([inner, np.full(2, height)])
        low = np.column_stack([outer, np.full(2, height - drop)])
        thick = np.array([0, 0.003, 0.001])
        vertices = np.concatenate([top, low, top - (0, 0, 0.003), low - thick])
        vertices[:, 1] *= sign
        quads = np.array([(0, 1, 3, 2), (4, 6, 7, 5), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)])
        if sign > 0:
            quads = quads[:, ::-1]
        if axis == 1:
            vertices, quads = vertices[:, [1, 0, 2]], quads[:, ::-1]
        flaps.append((vertices, quads))
    return flaps


def _tray(container: Container) -> tuple[Profile, list[Arrays]]:
    height, wall = container.size_m[2], container.wall_m
    b, r, lip = _STAND_BACK_M, _ROUNDING_M, 0.012
    out = b + wall
    rings = [
        (b, wall, r), (b, height - 0.0006, r), (b + 0.0006, height, r), (out + lip, height, r + lip),
        (out + lip + 0.0008, height - 0.0008, r + lip), (out + lip, height - 0.002, r + lip),
        (out, height - 0.002, r + wall), (out, _ABOVE_SURFACE_M, r + wall),
    ]  # fmt: skip
    return rings, []


class _Sides(ShaderGraph):
    """The nodes of a container's material; patterns lie flat on walls and on the bottom alike.

    wear, dust, base (a colour) and rim_z_m (the height above which is its rim) are its live parameters
    """

    def __init__(self, name: str):
        self.material, self.tree, self.principled = new_material(name)
        self.wear, self.dust, self.rim_z_m = (
            self.node("ShaderNodeValue", name=name).outputs[0] for name in ("wear", "dust", "rim_z_m")
        )
        self.base = self.node("ShaderNodeRGB", name="base").outputs[0]
        given = add_node(self.tree, "ShaderNodeTexCoord").outputs
        x, y, self.z = self.split(given["Object"])
        east, north, self.up = self.split(given["Normal"])
        self.level = self.math("GREATER_THAN", self.math("ABSOLUTE", self.up), 0.5)
        self.along = self.sum(x, y)
        self.axes = self._plane(east, north)
        # walls: along and up; bottom: its own plane
        lying, upright = self.combine(x, y), self.combine(self.along, self.z)
        self.point = self.mix(self.level, upright, lying)

    def _plane(self, east: Socket, north: Socket) -> tuple[Socket, Socket]:
        """World directions of x and y of the point; a wall that faces x runs along y."""
        aside = self.combine(self.math("ABSOLUTE", north), self.math("ABSOLUTE", east))
        x = self.mix(self.level, aside, (1.0, 0.0, 0.0))
        y = self.mix(self.level, (0.0, 0.0, 1.0), (0.0, 1.0, 0.0))
        return self._to_world(x), self._to_world(y)

    def _to_world(self, direction: Socket) -> Socket:
        node = self.node(
            "ShaderNodeVectorTransform",
            {"Vector": direction},
            vector_type="VECTOR",
            convert_from="OBJECT",
            convert_to="WORLD",
        )
        return node.outputs["Vector"]


def _material(container: Container, surface: Surface) -> bpy.types.Material:
    """The material of its kind, built if it does not exist yet, with all parameters set."""
    name = f"container_{container.kind}"
    material = cached_block("materials", name, __name__, lambda: _written(name, container.kind))
    nodes = material.node_tree.nodes
    values = {"wear": surface.wear, "dust": surface.dust, "rim_z_m": container.size_m[2] - 0.0005}
    for key, value in values.items():
        nodes[key].outputs[0].default_value = value
    nodes["base"].outputs[0].default_value = (*hex_to_linear(container.color_srgb), 1.0)
    return material


def _written(name: str, kind: str) -> bpy.types.Material:
    sides = _Sides(name)
    _BUILDERS[kind].write(sides)
    return sides.material


def _write_plastic(s: _Sides) -> None:
    """Grained polypropylene, scuffed and greyed where things slide."""
    fine, _, fine_slope = fine_grain(s, 900.0)
    uneven, _, uneven_slope = slow_grain(s, 14.0)
    scratch = scratches(s, s.ramp(s.wear, 0.0, 1.0, 0.02, 0.8), 3.0, 6.0)
    color = s.tint(s.base, s.product(s.ramp(uneven, 0.3, 0.7, 0.9, 1.06), s.ramp(fine, 0.3, 0.7, 0.94, 1.05)))
    color = s.mix(s.product(scratch, 0.5), color, (0.32, 0.32, 0.31))
    roughness = s.sum(s.ramp(fine, 0.3, 0.7, 0.38, 0.5), s.product(scratch, 0.15))
    _finish(s, color, roughness)
    s.lean(*s.rise((fine_slope, 0.03), (uneven_slope, 0.4)))


def _write_cardboard(s: _Sides) -> None:
    """Kraft liner over flutes that show through, and open at the cut edges."""
    fibre, _, fibre_slope = fine_grain(s, (420.0, 160.0))
    uneven, _, uneven_slope = slow_grain(s, (20.0, 7.5))
    phase = s.product(s.along, 2 * np.pi / _FLUTE_M)
    flute = s.math("SINE", phase)
    rim = s.product(s.level, s.math("GREATER_THAN", s.z, s.rim_z_m))
    color = s.tint(
        s.base, s.product(s.ramp(fibre, 0.3, 0.7, 0.88, 1.08), s.ramp(uneven, 0.3, 0.7, 0.92, 1.06))
    )
    color = s.mix(s.product(rim, s.ramp(flute, -0.2, 0.4)), color, s.tint(s.base, 0.25))
    crease = scratches(s, s.ramp(s.wear, 0.0, 1.0, 0.0, 0.5), 5.0, 31.0)
    color = s.mix(s.product(crease, 0.35), color, s.tint(s.base, 0.5))
    _finish(s, color, 0.85)
    s.set(Specular_IOR_Level=0.25)
    across, along = s.rise((fibre_slope, 0.02), (uneven_slope, 0.5))
    s.lean(s.math("MULTIPLY_ADD", s.math("COSINE", phase), 0.02e-3 * 2 * np.pi / _FLUTE_M, across), along)


def _write_steel(s: _Sides) -> None:
    """Cold-rolled stainless, smudged."""
    lines, _, lines_slope = fine_grain(s, (12.0, 1100.0))
    smudge = s.ramp(cloud(s, 30.0, 2.0), 0.4, 0.7)
    scratch = scratches(s, s.ramp(s.wear, 0.0, 1.0, 0.05, 0.9), 4.0, 9.0)
    color = s.tint(s.base, s.ramp(lines, 0.3, 0.7, 0.86, 1.0))
    roughness = s.sum(s.ramp(lines, 0.3, 0.7, 0.46, 0.56), s.product(smudge, 0.1), s.product(scratch, 0.12))
    cover = _finish(s, color, roughness)
    s.set(Metallic=s.math("SUBTRACT", 1.0, cover))
    s.lean(*s.rise((lines_slope, 0.003)))


def _finish(s: _Sides, color, roughness) -> Socket:
    """Dust on faces that look up; returns how much they are covered."""
    cover = s.product(dust_cover(s, 0.3), s.ramp(s.up, 0.2, 0.8))
    color, roughness = settle_dust(s, cover, color, roughness)
    s.set(Base_Color=color, Roughness=roughness)
    return cover


@dataclass(frozen=True)
class _Builder:
    """shape: (rings of the walls, other parts) of a container; write: its material"""

    shape: Callable[[Container], tuple[Profile, list[Arrays]]]
    write: Callable[[_Sides], None]


# for each kind of scene/kinds/containers.py
_BUILDERS = {
    "tote": _Builder(_tote, _write_plastic),
    "cardboard_box": _Builder(_cardboard, _write_cardboard),
    "steel_tray": _Builder(_tray, _write_steel),
}
