"""PhoneMesh: collects lofted solids into one bmesh, in millimetres, one material slot per band.

In: an outline, a profile and a placement. Out: closed solids with outward normals, each on its own vertices,
so that solids may overlap without being joined. There are no boolean operations: a recess exists only where a
profile goes down again.
"""

from __future__ import annotations

import math
from itertools import pairwise

import bmesh
import bpy

from blendgen.engine.blender.phones.outline import Station

SHARP_DEG = 35.0
SHORT_MM, LONG_MM = 0.05, 0.54


def as_is(x, y, z):
    return x, y, z


class PhoneMesh:
    def __init__(self) -> None:
        self.bmesh = bmesh.new()
        self.slots: list[str] = []

    def add_loft(self, outline, profile, place=as_is, loop=False, repaint=None) -> None:
        """One closed solid.

        place: (x, y, height) in the part's own frame -> (x, y, z) of the phone; keeps handedness
        loop: the profile is a closed curve (a ring) instead of ending in two caps
        repaint: slot -> {edge of the outline -> other slot}
        """
        stations = _supported(profile, outline.half_width_mm, loop)
        rings = [self._ring(outline, station, place) for station in stations]
        pairs = list(zip(stations, rings, rings[1:] + rings[:1], strict=True))
        for station, lower, upper in pairs if loop else pairs[:-1]:
            self._band(lower, upper, station.slot, (repaint or {}).get(station.slot, {}))
        if not loop:
            self._face(list(reversed(rings[0])), stations[0].slot)
            self._face(rings[-1], stations[-1].slot)

    def add_rings(self, rings, slot: str) -> None:
        """One closed solid between rings of (x, y, z), each with as many points; the last meets the first."""
        loops = [[self.bmesh.verts.new(point) for point in ring] for ring in rings]
        for lower, upper in zip(loops, loops[1:] + loops[:1], strict=True):
            self._band(lower, upper, slot, {})

    def _ring(self, outline, station: Station, place):
        points = outline.points(station.inset_mm)
        return [self.bmesh.verts.new(place(x, y, station.height_mm)) for x, y in points]

    def _band(self, lower, upper, slot, other_slots) -> None:
        count = len(lower)
        for edge in range(count):
            following = (edge + 1) % count
            corners = (lower[edge], lower[following], upper[following], upper[edge])
            self._face(corners, other_slots.get(edge, slot))

    def _face(self, corners, slot: str) -> None:
        if slot not in self.slots:
            self.slots.append(slot)
        face = self.bmesh.faces.new(corners)
        face.material_index = self.slots.index(slot)
        face.smooth = True

    def to_mesh(self, name: str) -> tuple[bpy.types.Mesh, list[float]]:
        """The mesh in metres, bounding box centred in x and y, lowest point at z = 0; and the move, in mm."""
        axes = list(zip(*(vertex.co for vertex in self.bmesh.verts), strict=True))
        shift = [-(min(axes[0]) + max(axes[0])) / 2, -(min(axes[1]) + max(axes[1])) / 2, -min(axes[2])]
        bmesh.ops.translate(self.bmesh, verts=self.bmesh.verts, vec=shift)
        bmesh.ops.scale(self.bmesh, verts=self.bmesh.verts, vec=(0.001, 0.001, 0.001))
        mesh = bpy.data.meshes.new(name)
        self.bmesh.to_mesh(mesh)
        self.bmesh.free()
        mesh.set_sharp_from_angle(angle=math.radians(SHARP_DEG))
        return mesh, shift


def _supported(profile, half_width_mm: float, loop: bool) -> list[Station]:
    """The profile with extra stations close to the ends of long bands and inside the caps.

    Without them the smooth normals of a roll would bend the shading of the flat face next to it.
    """
    stations = []
    for station, following in pairwise(profile):
        stations += [station, *_supports(station, following)]
    stations.append(profile[-1])
    if loop:
        return stations
    first, last = stations[0], stations[-1]
    stations.insert(0, first._replace(inset_mm=_inside(first.inset_mm, half_width_mm)))
    stations.append(last._replace(inset_mm=_inside(last.inset_mm, half_width_mm)))
    return stations


def _inside(inset_mm: float, half_width_mm: float) -> float:
    return inset_mm + min(SHORT_MM, 0.3 * (half_width_mm - inset_mm))


def _supports(start: Station, end: Station) -> list[Station]:
    length = math.hypot(end.inset_mm - start.inset_mm, end.height_mm - start.height_mm)
    if length < LONG_MM:
        return []
    return [_between(start, end, fraction) for fraction in (SHORT_MM / length, 1 - SHORT_MM / length)]


def _between(start: Station, end: Station, fraction: float) -> Station:
    return Station(
        start.inset_mm + (end.inset_mm - start.inset_mm) * fraction,
        start.height_mm + (end.height_mm - start.height_mm) * fraction,
        start.slot,
    )
