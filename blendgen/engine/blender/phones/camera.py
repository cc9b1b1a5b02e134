"""Camera: the island on the back with lenses, flash, microphone and LiDAR.

A lens is a metal ring, a clear cover, a dark funnel with a step, and a coated element at its
bottom; the funnel is as deep as the lens stands above the island, since solids are not cut.
Places are [from the left, from the top] as seen from behind, millimetres.
"""

from __future__ import annotations

import math

from blendgen.catalog.phone_model import Island, Lens, Phone, Spot
from blendgen.engine.blender.phones.loft import PhoneMesh
from blendgen.engine.blender.phones.outline import Circle, RoundedRectangle, Station, arc, plate_profile

ROOT_MM = 0.4  # how deep parts reach into what carries them
FLARE_MM = 0.7
LENS_SEGMENTS = 48


def add_camera(mesh: PhoneMesh, phone: Phone) -> None:
    back_mm = phone.body.depth_mm
    if phone.island:
        _add_island(mesh, phone, phone.island)
    for lens in phone.lenses:
        _add_lens(mesh, lens, _center(phone, lens.center_mm), _ground_mm(phone, lens.center_mm))
    _add_flash(mesh, phone.flash, _center(phone, phone.flash.center_mm), _ground_mm(phone, phone.flash.center_mm))
    for spot, slot in ((phone.microphone, "port"), (phone.lidar, "sensor")):
        if spot:
            outline = Circle(spot.diameter_mm / 2, _center(phone, spot.center_mm), 40)
            ground = _ground_mm(phone, spot.center_mm)
            mesh.add_loft(outline, plate_profile(ground - ROOT_MM, ground + 0.03, (0.06, 0.03), slot))
    emblem = Circle(phone.back.emblem_diameter_mm / 2, _center(phone, _emblem_place(phone)), 72)
    mesh.add_loft(emblem, plate_profile(back_mm - ROOT_MM, back_mm + 0.012, (0.02, 0.01), "emblem"))


def _emblem_place(phone: Phone):
    return phone.body.width_mm / 2, phone.back.emblem_from_top_mm


def _center(phone: Phone, place_mm) -> tuple[float, float]:
    return place_mm[0] - phone.body.width_mm / 2, phone.body.height_mm / 2 - place_mm[1]


def _ground_mm(phone: Phone, place_mm) -> float:
    """Height of the surface that a part at this place stands on."""
    island = phone.island
    if not island:
        return phone.body.depth_mm
    inside = all(abs(place_mm[axis] - island.center_mm[axis]) < island.size_mm[axis] / 2 for axis in (0, 1))
    return phone.body.depth_mm + (island.height_mm if inside else 0.0)


def _add_island(mesh: PhoneMesh, phone: Phone, island: Island) -> None:
    radius = min(island.corner_radius_mm, min(island.size_mm) / 2)
    outline = RoundedRectangle(*island.size_mm, radius, _center(phone, island.center_mm), segments=12)
    back_mm = phone.body.depth_mm
    profile = _rimmed(back_mm, island) if island.rim_mm else _flared(back_mm, island)
    mesh.add_loft(outline, profile)


def _flared(back_mm: float, island: Island) -> list[Station]:
    """The back glass rises to the plateau in a concave curve; the plateau has its own finish."""
    top, roll = back_mm + island.height_mm, min(0.5, 0.45 * island.height_mm)
    flare = min(FLARE_MM, island.height_mm - roll)
    foot = arc((-flare, back_mm - 0.01), (0.0, back_mm + flare), "back", 6, "inset_first")
    edge = arc((0.02, top - roll), (roll, top), "island", 6, "height_first")
    return [Station(-flare, back_mm - ROOT_MM, "back"), *foot, *edge]


def _rimmed(back_mm: float, island: Island) -> list[Station]:
    top, roll, rim = back_mm + island.height_mm, 0.3, island.rim_mm
    edge = arc((0.0, top - roll), (roll, top), "frame", 5, "height_first")
    inner = [Station(rim, top, "island"), Station(rim + 0.05, top - 0.04, "island")]
    return [Station(0.0, back_mm - ROOT_MM, "frame"), *edge, *inner]


def _add_lens(mesh: PhoneMesh, lens: Lens, center, ground_mm: float) -> None:
    radius, ring, height = lens.diameter_mm / 2, lens.ring_mm, lens.height_mm
    top, root = ground_mm + height, ground_mm - ROOT_MM
    roll = min(0.3, 0.4 * ring, 0.4 * height)
    outline = Circle(radius, center, LENS_SEGMENTS)
    mesh.add_loft(outline, _ring_profile(ring, roll, root, top), loop=True)
    cover_top, cover_bottom = top - 0.12 * min(height, 1.0), top - 0.3 * min(height, 1.0)
    cover = plate_profile(cover_bottom, cover_top, (0.03, 0.03), "lens_glass")
    mesh.add_loft(Circle(radius - ring + 0.06, center, LENS_SEGMENTS), cover)
    floor = ground_mm + 0.08 * height
    inside = Circle(radius - ring + 0.1, center, LENS_SEGMENTS)
    mesh.add_loft(inside, _funnel_profile(inside.radius_mm, root, cover_bottom - 0.04 * height, floor))
    _add_element(mesh, center, 0.37 * inside.radius_mm, root, floor, 0.45 * (cover_bottom - floor))


def _ring_profile(ring, roll, root, top) -> list[Station]:
    outer = arc((0.0, top - roll), (roll, top), "lens_ring", 4, "height_first")
    inner = arc((ring - 0.6 * roll, top), (ring, top - 0.6 * roll), "lens_ring", 3, "inset_first")
    return [Station(0.0, root, "lens_ring"), *outer, *inner, Station(ring, root, "lens_ring")]


def _funnel_profile(radius, root, mask, floor) -> list[Station]:
    """A black mask below the cover, a slope, a step, and the floor."""
    depth = mask - floor
    return [
        Station(0.0, root, "lens_barrel"),
        Station(0.0, mask, "lens_barrel"),
        Station(0.36 * radius, mask, "lens_step"),
        Station(0.40 * radius, mask - 0.10 * depth, "lens_barrel"),
        Station(0.46 * radius, mask - 0.55 * depth, "lens_step"),
        Station(0.53 * radius, mask - 0.60 * depth, "lens_barrel"),
        Station(0.56 * radius, floor, "lens_barrel"),
    ]


def _add_element(mesh: PhoneMesh, center, radius, root, floor, sag) -> None:
    """A domed element with an anti-reflective coating."""
    angles = [math.radians(degrees) for degrees in range(0, 90, 15)]
    dome = [
        Station(radius * (1 - math.cos(angle)), floor + sag * math.sin(angle), "lens_inner") for angle in angles
    ]
    mesh.add_loft(Circle(radius, center, 36), [Station(0.0, root + 0.05, "lens_inner"), *dome])


def _add_flash(mesh: PhoneMesh, spot: Spot, center, ground_mm: float) -> None:
    radius = spot.diameter_mm / 2
    top = ground_mm + 0.05
    rim = plate_profile(ground_mm - ROOT_MM, top, (0.08, 0.05), "flash")
    frame = [Station(0.14 * radius, top, "flash"), Station(0.2 * radius, top - 0.03, "flash")]
    led = [Station(0.42 * radius, top - 0.03, "flash_led"), Station(0.46 * radius, top - 0.01, "flash_led")]
    mesh.add_loft(Circle(radius, center, 36), [*rim, *frame, *led])
