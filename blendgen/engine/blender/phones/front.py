"""Front: the dark display, the notch, dynamic island or home button, earpiece and selfie camera.

All are decals a few micrometres apart, within FRONT_GLASS_MM below the glass: with the screen off they only
differ by a shade, as on a real phone. Millimetres, x right and y up as seen from the front; the body's front
is at z = 0.
"""

from __future__ import annotations

from blendgen.engine.blender.phones.body import FRONT_GLASS_MM, on_front
from blendgen.engine.blender.phones.loft import PhoneMesh
from blendgen.engine.blender.phones.outline import Circle, RoundedRectangle, Station
from blendgen.models.families.phone_model import Front, Phone

STEP_MM = 0.008
DISPLAY, CUTOUT, MARK = 1, 2, 3
HOME_BUTTON_MM = 10.9


def add_front(mesh: PhoneMesh, phone: Phone) -> None:
    body, front = phone.body, phone.front
    bezel_top = front.bezel_top_mm or front.bezel_mm
    width, height = body.width_mm - 2 * front.bezel_mm, body.height_mm - 2 * bezel_top
    radius = 0.15 if front.kind == "home_button" else max(body.corner_radius_mm - front.bezel_mm, 2.0)
    _decal(mesh, RoundedRectangle(width, height, radius, segments=14), DISPLAY, f"display_{front.display}")
    top = height / 2
    if front.kind == "home_button":
        _add_home_button(mesh, phone, top)
    elif front.kind == "notch":
        _add_notch(mesh, front, top)
    else:
        _add_dynamic_island(mesh, phone, top)


def _decal(mesh: PhoneMesh, outline, level: int, slot: str) -> None:
    height = -FRONT_GLASS_MM + STEP_MM * level
    edge = STEP_MM / 2
    profile = [
        Station(0.0, -0.3 + 0.02 * level, slot),
        Station(0.0, height - edge, slot),
        Station(edge, height, slot),
    ]
    mesh.add_loft(outline, profile, place=on_front)


def _add_notch(mesh: PhoneMesh, front: Front, top: float) -> None:
    width, depth = front.cutout
    reach = 2.0  # it extends into the bezel, which has the same colour
    outline = RoundedRectangle(width, depth + reach, min(depth / 2, 3.2), (0.0, top - depth / 2 + reach / 2))
    _decal(mesh, outline, CUTOUT, "bezel")
    if width > 30:
        _add_earpiece(mesh, 8.6, top - 0.42 * depth)
        _add_selfie_camera(mesh, 0.27 * width, top - 0.45 * depth)
    else:
        _add_earpiece(mesh, 10.0, top + 0.8)
        _add_selfie_camera(mesh, -0.30 * width, top - 0.45 * depth)


def _add_dynamic_island(mesh: PhoneMesh, phone: Phone, top: float) -> None:
    width, depth = phone.front.cutout
    center = (0.0, top - 1.9 - depth / 2)
    _decal(mesh, RoundedRectangle(width, depth, depth / 2, center), CUTOUT, "bezel")
    _add_selfie_camera(mesh, 0.33 * width, center[1])
    _add_earpiece(mesh, 9.5, top + 0.6)


def _add_home_button(mesh: PhoneMesh, phone: Phone, top: float) -> None:
    radius = HOME_BUTTON_MM / 2
    center = (0.0, -(phone.body.height_mm / 2 + top) / 2)
    _decal(mesh, Circle(radius, center, 64), CUTOUT, "frame")
    _decal(mesh, Circle(radius - 0.55, center, 64), MARK, "bezel")
    above = (phone.body.height_mm / 2 + top) / 2
    _add_earpiece(mesh, 11.5, above - 0.6)
    _add_selfie_camera(mesh, -9.8, above - 0.6)


def _add_earpiece(mesh: PhoneMesh, width: float, y: float) -> None:
    _decal(mesh, RoundedRectangle(width, 1.0, 0.5, (0.0, y), segments=6), MARK, "speaker")


def _add_selfie_camera(mesh: PhoneMesh, x: float, y: float) -> None:
    _decal(mesh, Circle(1.5, (x, y), 32), MARK, "sensor")
