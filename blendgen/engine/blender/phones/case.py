"""Case: a simple soft case of a phone: back and sides, a lip around the front, a hole for the camera.

In: the description and the shape of its body. Out: the part "case", one closed shell that follows the frame,
with notches along the bottom for port and speakers and at the mute switch, a raised rim around the camera,
and pads over the buttons. Millimetres, in the phone's frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from blendgen.engine.blender.phones.body import BodyShape
from blendgen.engine.blender.phones.case_material import CASE_PART
from blendgen.engine.blender.phones.loft import PhoneMesh
from blendgen.engine.blender.phones.outline import RoundedRectangle, Station, arc
from blendgen.engine.blender.phones.sides import BUTTON_WIDTH_MM, add_plate, on_side
from blendgen.models.families.phone_model import Lens, Phone, Spot

WALL_MM = 1.5
PLATE_MM = 1.3
FIT_MM = 0.08  # between the case and the phone
LIP_MM = 0.7  # how far the lip is above the front glass
LIP_OVER_MM = 0.35
HOLE_MARGIN_MM = 1.0
RIM_MM = 1.9
BACK_ROLL_MM = 2.2
PAD_MM = 0.55
NOTCH_RUN_MM = 3.0  # length over which the wall goes down to a notch
ANGLES = 144


@dataclass(frozen=True)
class _Notch:
    """A low place of the wall: on a side of the outline, around a place along it, down to a height."""

    side: str
    center_mm: float
    half_mm: float
    height_mm: float


@dataclass(frozen=True)
class _Hole:
    """The hole for the camera; margin and rim are smaller if the island is close to the edge."""

    center_mm: tuple[float, float]
    size_mm: tuple[float, float]
    radius_mm: float
    rim_mm: float
    rise_mm: float


def add_case(mesh: PhoneMesh, phone: Phone, shape: BodyShape) -> None:
    hole = camera_hole(phone)
    directions = _directions(shape, hole)
    outline = shape.outline(directions)
    notches = _notches(phone, shape)
    rings = [_walls(shape, outline, station, notches) for station in _outer(phone, shape)]
    rings += [_hole_ring(outline, hole, station) for station in _rim(phone, hole)]
    rings += [_walls(shape, outline, station, notches) for station in _inner(phone, shape)]
    mesh.add_rings(rings, CASE_PART)
    _add_pads(mesh, phone, shape)


def camera_hole(phone: Phone) -> _Hole:
    """The hole around the island, or around the lenses and the parts next to them."""
    spots: list[Lens | Spot] = [*phone.lenses]
    spots += [spot for spot in (phone.flash, phone.microphone, phone.lidar) if spot is not None]
    boxes = [(spot.center_mm, (spot.diameter_mm / 2, spot.diameter_mm / 2)) for spot in spots]
    if phone.island:
        width, height = phone.island.size_mm
        boxes.append((phone.island.center_mm, (width / 2, height / 2)))
    low = [min(center[axis] - half[axis] for center, half in boxes) for axis in (0, 1)]
    high = [max(center[axis] + half[axis] for center, half in boxes) for axis in (0, 1)]
    room = min(*low, phone.body.width_mm - high[0])
    margin, rim = min(HOLE_MARGIN_MM, 0.28 * room), min(RIM_MM, 0.45 * room)
    size = (high[0] - low[0] + 2 * margin, high[1] - low[1] + 2 * margin)
    radius = phone.island.corner_radius_mm + margin if phone.island else min(size) / 2
    across, down = ((low[axis] + high[axis]) / 2 for axis in (0, 1))
    center = (across - phone.body.width_mm / 2, phone.body.height_mm / 2 - down)
    island = phone.island.height_mm if phone.island else 0.0
    rise = max(0.25, island + 0.8 * max(lens.height_mm for lens in phone.lenses) - PLATE_MM)
    return _Hole(center, size, min(radius, min(size) / 2), rim, rise)


def _directions(shape: BodyShape, hole: _Hole) -> list[tuple[str, float]]:
    """Marks on the straight sides where rays from the hole's middle at equal angles meet them."""
    marks, (x, y) = [], hole.center_mm
    half_width, half_height = shape.width_mm / 2, shape.height_mm / 2
    for step in range(ANGLES):
        angle = 2 * math.pi * (step + 0.5) / ANGLES
        run, rise = math.cos(angle), math.sin(angle)
        side, level = ("right", half_width) if run > 0 else ("left", -half_width)
        marks.append((side, y + rise * (level - x) / run))
        side, level = ("top", half_height) if rise > 0 else ("bottom", -half_height)
        marks.append((side, x + run * (level - y) / rise))
    steps = range(-60, 61)
    marks += [("bottom", 0.5 * step) for step in steps]
    marks += [("right", half_height - 20.0 - 0.4 * step) for step in steps]
    return _apart(marks)


def _apart(marks: list[tuple[str, float]], least_mm: float = 0.05) -> list[tuple[str, float]]:
    """The marks without those that nearly coincide with another of their side."""
    marks_apart: list[tuple[str, float]] = []
    for side, place in sorted(marks):
        if not marks_apart or marks_apart[-1][0] != side or place - marks_apart[-1][1] >= least_mm:
            marks_apart.append((side, place))
    return marks_apart


def _notches(phone: Phone, shape: BodyShape) -> list[_Notch]:
    """One for the port and the speakers next to it, one for a mute switch."""
    half = min(20.0, shape.width_mm / 2 - shape.corner_radius_mm - NOTCH_RUN_MM)
    notches = [_Notch("bottom", 0.0, half, shape.depth_mm / 2 + 2.2)]
    for button in phone.buttons:
        if button.kind == "mute_switch":
            place = shape.height_mm / 2 - button.center_from_top_mm
            notches.append(_Notch("right", place, button.length_mm / 2 + 1.0, shape.depth_mm / 2 + 1.6))
    return notches


def _outer(phone: Phone, shape: BodyShape) -> list[Station]:
    """From the inner edge of the lip over the front and up the wall to the back."""
    lip, top = -LIP_MM, shape.depth_mm + FIT_MM + PLATE_MM
    over = _lip_over_mm(phone, shape)
    roll = min(1.6, 0.5 + 0.5 * shape.roll_height_mm)
    back = BACK_ROLL_MM + 0.25 * shape.roll_height_mm
    front = arc((over - 0.3, lip), (-WALL_MM, lip + roll), CASE_PART, 7, "inset_first")
    behind = arc((-WALL_MM, top - back), (-WALL_MM + back, top), CASE_PART, 8, "height_first")
    start = arc((over, lip + 0.25), (over - 0.25, lip), CASE_PART, 3, "height_first")
    return [*start[:-1], *front, *_between(front[-1], behind[0]), *behind]


def _lip_over_mm(phone: Phone, shape: BodyShape) -> float:
    """How far the lip reaches in from the outline: over the frame's edge, never over the display."""
    return min(0.9 * shape.roll_width_mm + LIP_OVER_MM, phone.front.bezel_mm - 0.25)


def _between(start: Station, end: Station) -> list[Station]:
    """Stations near both ends, so that smooth shading does not bend the straight wall."""
    length = end.height_mm - start.height_mm
    return [start._replace(height_mm=start.height_mm + share * length) for share in (0.06, 0.5, 0.94)]


def _rim(phone: Phone, hole: _Hole) -> list[Station]:
    """Insets are against the hole's edge: the rim rises round it, and the hole's wall goes down."""
    top = phone.body.depth_mm + FIT_MM + PLATE_MM
    crown, inner = top + hole.rise_mm, phone.body.depth_mm + FIT_MM
    foot, run = -hole.rim_mm, 0.4 * hole.rim_mm
    up = arc((foot - 0.1, top), (foot + run, top + 0.7 * hole.rise_mm), CASE_PART, 4, "inset_first")
    over = arc((foot + run, top + 0.7 * hole.rise_mm), (-0.45, crown), CASE_PART, 4, "height_first")
    down = arc((-0.3, crown), (0.0, crown - 0.3), CASE_PART, 4, "inset_first")
    return [*up, *over[1:], *down, Station(0.0, crown - 0.34, CASE_PART), Station(0.0, inner, CASE_PART)]


def _inner(phone: Phone, shape: BodyShape) -> list[Station]:
    """Along the phone's back and frame, down to below the lip."""
    floor = phone.body.depth_mm + FIT_MM
    roll = shape.roll_width_mm
    heights = [shape.back_lip_mm - share * shape.roll_height_mm for share in (0.0, 0.1, 0.3, 0.6, 1.0)]
    heights += [shape.front_lip_mm + share * shape.roll_height_mm for share in (1.0, 0.6, 0.3, 0.1, 0.0)]
    walls = [Station(shape.side_inset_mm(z) - FIT_MM, z, CASE_PART) for z in heights]
    walls = [walls[0], *(b for a, b in pairwise(walls) if a.height_mm - b.height_mm > 1e-6)]
    end = Station(_lip_over_mm(phone, shape), -FIT_MM, CASE_PART)
    return [Station(roll + 0.3, floor, CASE_PART), Station(roll - FIT_MM, floor, CASE_PART), *walls, end]


def _walls(shape: BodyShape, outline: RoundedRectangle, station: Station, notches):
    """A ring of the shell, pressed towards the back where a notch is."""
    low, high = -LIP_MM, shape.depth_mm - 0.2
    ring, flush = outline.points(station.inset_mm), outline.points(min(station.inset_mm, -FIT_MM))
    points = []
    for place, neighbor, base in zip(ring, flush, outline.points(0.0), strict=True):
        height, share = station.height_mm, 0.0
        for notch in notches:
            share = max(share, _depth(notch, shape, base))
            floor = notch.height_mm
        if share and height < high:
            pressed = high - (high - height) * (high - floor) / (high - low)
            height += share * (pressed - height)
            x, y = (a + share * (b - a) for a, b in zip(place, neighbor, strict=True))
            place = (x, y)
        points.append((*place, height))
    return points


def _depth(notch: _Notch, shape: BodyShape, place) -> float:
    """0 outside of a notch, 1 in it, smooth in between."""
    along, across = (place[0], place[1]) if notch.side == "bottom" else (place[1], place[0])
    edge = -shape.height_mm / 2 if notch.side == "bottom" else shape.width_mm / 2
    if abs(across - edge) > 1e-6:
        return 0.0
    share = min(max((notch.half_mm + NOTCH_RUN_MM - abs(along - notch.center_mm)) / NOTCH_RUN_MM, 0.0), 1.0)
    return share * share * (3 - 2 * share)


def _hole_ring(outline: RoundedRectangle, hole: _Hole, station: Station):
    """The hole's edge at an inset, with a point in the direction of each point of the outline."""
    grown = RoundedRectangle(
        hole.size_mm[0] - 2 * station.inset_mm,
        hole.size_mm[1] - 2 * station.inset_mm,
        hole.radius_mm - station.inset_mm,
    )
    points = []
    for x, y in outline.points(0.0):
        run, rise = x - hole.center_mm[0], y - hole.center_mm[1]
        reach = _reach(grown, run, rise)
        points.append((hole.center_mm[0] + reach * run, hole.center_mm[1] + reach * rise, station.height_mm))
    return points


def _reach(shape: RoundedRectangle, run: float, rise: float) -> float:
    """The multiple of (run, rise) at which the edge of a rounded rectangle is reached from its middle."""
    half = shape.width_mm / 2, shape.height_mm / 2
    run, rise = abs(run), abs(rise)
    flat = min(half[0] / run if run > 1e-9 else math.inf, half[1] / rise if rise > 1e-9 else math.inf)
    corner = half[0] - shape.radius_mm, half[1] - shape.radius_mm
    if flat * run <= corner[0] or flat * rise <= corner[1]:
        return flat
    a, b = run * run + rise * rise, run * corner[0] + rise * corner[1]
    c = corner[0] ** 2 + corner[1] ** 2 - shape.radius_mm**2
    return (b + math.sqrt(max(b * b - a * c, 0.0))) / a


def _add_pads(mesh: PhoneMesh, phone: Phone, shape: BodyShape) -> None:
    """A pad over each button."""
    for button in phone.buttons:
        if button.kind == "mute_switch":
            continue
        along = shape.height_mm / 2 - button.center_from_top_mm
        center = (along if button.side == "left" else -along, 0.0)
        width = BUTTON_WIDTH_MM.get(button.kind, 2.9) + 0.8
        height = WALL_MM + PAD_MM
        place = on_side(shape, button.side)
        add_plate(mesh, button.length_mm + 1.2, width, center, place, height, 0.4, CASE_PART, 0.5)
