"""Camera: the island on the back with lenses, flash, microphone and LiDAR.

A lens is a metal ring, a black glass mask, a dark funnel with a step in its middle, and coated elements at
the bottom; the funnel is as deep as the lens is high above the island, since solids are not cut. It
has no clear cover: a mirror that reflects 2 % of the light is hardly ever sampled, and would show a lamp as
speckles instead of a reflection.
Places are [from the left, from the top] as seen from behind, millimetres.
"""

from __future__ import annotations

import math

from blendgen.engine.blender.phones.loft import PhoneMesh
from blendgen.engine.blender.phones.outline import Circle, RoundedRectangle, Station, arc, plate_profile
from blendgen.models.families.phone_model import Island, Lens, Phone

ROOT_MM = 0.4  # how deep parts reach into the part below
FLARE_MM = 0.7
LENS_SEGMENTS = 44


def add_camera(mesh: PhoneMesh, phone: Phone) -> None:
    back_mm = phone.body.depth_mm
    if phone.island:
        _add_island(mesh, phone, phone.island)
    for lens in phone.lenses:
        _add_lens(mesh, lens, _center(phone, lens.center_mm), _ground_mm(phone, lens.center_mm))
    for spot, add in ((phone.flash, _add_flash), (phone.microphone, _add_hole), (phone.lidar, _add_sensor)):
        if spot:
            outline = Circle(spot.diameter_mm / 2, _center(phone, spot.center_mm), 36)
            add(mesh, outline, _ground_mm(phone, spot.center_mm))
    emblem = Circle(phone.back.emblem_diameter_mm / 2, _center(phone, _emblem_place(phone)), 72)
    mesh.add_loft(emblem, plate_profile(back_mm - ROOT_MM, back_mm + 0.012, (0.02, 0.01), "emblem"))


def lens_top_mm(phone: Phone, lens: Lens) -> tuple[float, float, float]:
    """The middle of a lens, level with the top of its ring, in the phone's frame."""
    return *_center(phone, lens.center_mm), _ground_mm(phone, lens.center_mm) + lens.height_mm


def _emblem_place(phone: Phone):
    return phone.body.width_mm / 2, phone.back.emblem_from_top_mm


def _center(phone: Phone, place_mm) -> tuple[float, float]:
    return place_mm[0] - phone.body.width_mm / 2, phone.body.height_mm / 2 - place_mm[1]


def _ground_mm(phone: Phone, place_mm) -> float:
    """Height of the surface below a part at this place."""
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
    inside = Circle(radius - ring + 0.1, center, LENS_SEGMENTS)
    mask, floor = top - 0.13 * min(height, 1.0), ground_mm + 0.06 * height
    mesh.add_loft(inside, _funnel_profile(inside.radius_mm, root - 0.02, mask, floor))
    _add_element(mesh, Circle(0.47 * inside.radius_mm, center, 36), root + 0.05, floor, 0.6 * (mask - floor))


def _ring_profile(ring, roll, root, top) -> list[Station]:
    outer = arc((0.0, top - roll), (roll, top), "lens_ring", 4, "height_first")
    inner = arc((ring - 0.6 * roll, top), (ring, top - 0.6 * roll), "lens_ring", 3, "inset_first")
    return [Station(0.0, root, "lens_ring"), *outer, *inner, Station(ring, root, "lens_ring")]


def _funnel_profile(radius, root, mask, floor) -> list[Station]:
    """The mask, a rounded rim, a slope, a step, and the floor."""
    depth = mask - floor
    return [
        Station(0.0, root, "lens_glass"),
        Station(0.0, mask, "lens_glass"),
        Station(0.33 * radius, mask, "lens_glass"),
        Station(0.35 * radius, mask - 0.06 * depth, "lens_barrel"),
        Station(0.40 * radius, mask - 0.40 * depth, "lens_step"),
        Station(0.47 * radius, mask - 0.46 * depth, "lens_barrel"),
        Station(0.49 * radius, floor, "lens_barrel"),
    ]


def _add_element(mesh: PhoneMesh, outline: Circle, root, floor, rise) -> None:
    """A domed element with an anti-reflective coating, and a smaller one that looks like the iris."""
    radius = outline.radius_mm
    mesh.add_loft(outline, _dome(radius, root, floor, rise, "lens_inner"))
    iris = Circle(0.55 * radius, outline.center_mm, outline.segments)
    crown = floor + rise * math.sqrt(1 - 0.55**2)
    mesh.add_loft(iris, _dome(0.55 * radius, root + 0.02, crown + 0.03, 0.28 * rise, "lens_iris"))


def _dome(radius, root, floor, rise, slot) -> list[Station]:
    angles = [math.radians(degrees) for degrees in range(0, 90, 15)]
    dome = [Station(radius * (1 - math.cos(angle)), floor + rise * math.sin(angle), slot) for angle in angles]
    return [Station(0.0, root, slot), *dome]


def _add_flash(mesh: PhoneMesh, outline: Circle, ground_mm: float) -> None:
    """A clear rim, a frosted ring and the yellow phosphor behind it."""
    radius, top = outline.radius_mm, ground_mm + 0.05
    rim = plate_profile(ground_mm - ROOT_MM, top, (0.08, 0.05), "flash")
    ring = [Station(0.14 * radius, top, "flash"), Station(0.2 * radius, top - 0.03, "flash")]
    led = [Station(0.42 * radius, top - 0.03, "flash_led"), Station(0.46 * radius, top - 0.01, "flash_led")]
    mesh.add_loft(outline, [*rim, *ring, *led])


def _add_hole(mesh: PhoneMesh, outline: Circle, ground_mm: float) -> None:
    mesh.add_loft(outline, plate_profile(ground_mm - ROOT_MM, ground_mm + 0.02, (0.03, 0.02), "port"))


def _add_sensor(mesh: PhoneMesh, outline: Circle, ground_mm: float) -> None:
    mesh.add_loft(outline, plate_profile(ground_mm - ROOT_MM, ground_mm + 0.03, (0.06, 0.03), "sensor"))
