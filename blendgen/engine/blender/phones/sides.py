"""Sides: buttons, the port, speaker holes and screws on the frame.

Each part is lofted on a flat patch and placed on the frame, following its curve. Openings are dark plates
that stand proud by a few hundredths of a millimetre: at usual distances they look like holes. Left and right
are as seen from the front, millimetres.
"""

from __future__ import annotations

from blendgen.engine.blender.phones.body import BodyShape
from blendgen.engine.blender.phones.loft import PhoneMesh
from blendgen.engine.blender.phones.outline import Circle, RoundedRectangle, Station, arc
from blendgen.models.families.phone_model import Button, Phone

ROOT_MM = 0.5
PROUD_MM = 0.02
GAP_MM = 0.14
BUTTON_HEIGHT_MM = 0.3
BUTTON_WIDTH_MM = {"mute_switch": 2.1, "action": 2.9, "camera_control": 2.9}
PORT_SIZE_MM = {"lightning": (8.0, 2.5), "usb_c": (8.9, 3.1)}
HOLE_MM, HOLE_PITCH_MM, SCREW_MM = 1.5, 2.5, 1.5


def add_sides(mesh: PhoneMesh, phone: Phone, shape: BodyShape) -> None:
    for button in phone.buttons:
        _add_button(mesh, button, shape)
    _add_port(mesh, phone, shape)
    _add_holes(mesh, phone, shape)


def on_side(shape: BodyShape, side: str):
    """Placement on a side: x along it, y towards the back from mid-depth, height outwards."""
    middle_mm = shape.depth_mm / 2

    def place(x, y, height):
        z = middle_mm + y
        outward = height - shape.side_inset_mm(z)
        if side == "left":
            return shape.width_mm / 2 + outward, x, z
        if side == "right":
            return -shape.width_mm / 2 - outward, -x, z
        return x, -shape.height_mm / 2 - outward, z

    return place


def _add_button(mesh: PhoneMesh, button: Button, shape: BodyShape) -> None:
    width = BUTTON_WIDTH_MM.get(button.kind, 2.9)
    along = shape.height_mm / 2 - button.center_from_top_mm
    center = (along if button.side == "left" else -along, 0.0)
    place = on_side(shape, button.side)
    if button.kind == "mute_switch":
        _add_mute_switch(mesh, button.length_mm, width, center, place)
        return
    add_plate(mesh, button.length_mm + 2 * GAP_MM, width + 2 * GAP_MM, center, place, PROUD_MM, 0.01, "seam")
    flush = button.kind == "camera_control"
    height, roll = (0.07, 0.05) if flush else (BUTTON_HEIGHT_MM, 0.18)
    add_plate(mesh, button.length_mm, width, center, place, height, roll, "button")


def _add_mute_switch(mesh, length, width, center, place) -> None:
    """A slot with a lever that fills the half towards the back."""
    add_plate(mesh, length + 0.3, width + 0.5, center, place, PROUD_MM, 0.01, "seam")
    lever = (center[0], center[1] + 0.22)
    add_plate(mesh, length - 0.2, width - 0.5, lever, place, BUTTON_HEIGHT_MM, 0.18, "button")


def add_plate(mesh, length, width, center, place, height, roll, slot, root=-ROOT_MM) -> None:
    outline = RoundedRectangle(length, width, width / 2, center, segments=7)
    _add_capped(mesh, outline, place, height, roll, slot, root)


def _add_disc(mesh, diameter, center, place, slot) -> None:
    _add_capped(mesh, Circle(diameter / 2, center, 20), place, PROUD_MM, 0.01, slot, -ROOT_MM)


def _add_capped(mesh, outline, place, height, roll, slot, root) -> None:
    """Rings inside the cap let it follow the curve of the frame."""
    half_width = outline.half_width_mm
    edge = arc((0.0, height - roll), (roll, height), slot, 4 if roll > 0.02 else 1, "height_first")
    shares = (0.3, 0.6, 0.97) if half_width > 1 else (0.5, 0.97)
    inner = [Station(roll + (half_width - roll) * share, height, slot) for share in shares]
    mesh.add_loft(outline, [Station(0.0, root, slot), *edge, *inner], place=place)


def _add_port(mesh: PhoneMesh, phone: Phone, shape: BodyShape) -> None:
    place = on_side(shape, "bottom")
    length, width = PORT_SIZE_MM[phone.bottom.port]
    add_plate(mesh, length + 0.36, width + 0.36, (0.0, 0.0), place, PROUD_MM, 0.01, "frame")
    add_plate(mesh, length, width, (0.0, 0.0), place, 2 * PROUD_MM, 0.01, "port", -0.3)
    if phone.bottom.port == "usb_c":
        add_plate(mesh, length - 2.2, 0.7, (0.0, 0.0), place, 3 * PROUD_MM, 0.01, "port_tongue", -0.2)


def _add_holes(mesh: PhoneMesh, phone: Phone, shape: BodyShape) -> None:
    """Screws next to the port, then the holes; seen from behind, the front's left is at +x."""
    place = on_side(shape, "bottom")
    for sign, count in ((1, phone.bottom.holes_left), (-1, phone.bottom.holes_right)):
        _add_disc(mesh, SCREW_MM, (sign * 6.5, 0.0), place, "screw")
        for number in range(count):
            _add_disc(mesh, HOLE_MM, (sign * (11.3 + HOLE_PITCH_MM * number), 0.0), place, "port")
