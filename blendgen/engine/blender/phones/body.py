"""Body: the frame with its antenna lines, and the glass plates in it.

The frame is one solid with a pocket on either side; the plates are in the pockets with a narrow gap, which is
the dark seam between glass and metal. From `BodyShape` the other parts get the surface of the frame. Phone
frame: millimetres, back up, top edge towards +Y, z = 0 front.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from blendgen.engine.blender.phones.loft import PhoneMesh
from blendgen.engine.blender.phones.outline import RoundedRectangle, Station, arc, plate_profile
from blendgen.models.families.phone_model import Phone

FRONT_GLASS_MM = 0.03  # the screen and its decals are within this height below the glass
SEAM_MM = 0.07
POCKET_MM = 1.4
ANTENNA_MM = 1.0
ARC_STEPS = 7


@dataclass(frozen=True)
class BodyShape:
    """width, height, depth: of the body; roll_*: size of the frame's rounded edge in cross-section;
    glass_inset: where the pocket begins; glass_edge: width and height of the plates' rolled edge
    """

    width_mm: float
    height_mm: float
    depth_mm: float
    corner_radius_mm: float
    roll_width_mm: float
    roll_height_mm: float
    glass_inset_mm: float
    glass_edge_mm: tuple[float, float]

    @property
    def front_lip_mm(self) -> float:
        return FRONT_GLASS_MM + self.glass_edge_mm[1]

    @property
    def back_lip_mm(self) -> float:
        return self.depth_mm - self.glass_edge_mm[1]

    def outline(self, marks_mm=()) -> RoundedRectangle:
        return RoundedRectangle(
            self.width_mm, self.height_mm, self.corner_radius_mm, segments=16, marks_mm=tuple(marks_mm)
        )

    def side_inset_mm(self, z_mm: float) -> float:
        """How far the frame's surface is inside the outline at a height above the front."""
        distance = min(z_mm - self.front_lip_mm, self.back_lip_mm - z_mm)
        if distance >= self.roll_height_mm:
            return 0.0
        share = 1 - max(distance, 0.0) / self.roll_height_mm
        return self.roll_width_mm * (1 - math.sqrt(1 - share**2))


def body_shape(phone: Phone) -> BodyShape:
    body = phone.body
    size = (body.width_mm, body.height_mm, body.depth_mm, body.corner_radius_mm)
    if phone.frame.shape == "flat":
        return BodyShape(*size, 0.45, 0.45, 1.0, (0.4, 0.1))
    if phone.frame.shape == "contoured":
        return BodyShape(*size, 1.15, 1.3, 1.3, (0.5, 0.14))
    edge = (1.9, 0.42)
    half_height = (body.depth_mm - FRONT_GLASS_MM) / 2 - edge[1]
    return BodyShape(*size, 2.1, half_height, 2.2, edge)


def add_body(mesh: PhoneMesh, phone: Phone, shape: BodyShape) -> None:
    _add_frame(mesh, phone, shape)
    bottom, inset = shape.depth_mm - POCKET_MM - 0.2, shape.glass_inset_mm + SEAM_MM
    back = plate_profile(bottom, shape.depth_mm, shape.glass_edge_mm, "back", inset)
    mesh.add_loft(shape.outline(), back)
    front = plate_profile(-POCKET_MM - 0.2, -FRONT_GLASS_MM, shape.glass_edge_mm, "bezel", inset)
    mesh.add_loft(shape.outline(), front, place=on_front)


def on_front(x, y, height):
    """From the front as its user sees it (x right, y up, height towards the user) to the phone."""
    return -x, y, -height


def _add_frame(mesh: PhoneMesh, phone: Phone, shape: BodyShape) -> None:
    lines = _antenna_lines(phone)
    marks = [(side, place + edge) for side, place in lines for edge in (-ANTENNA_MM / 2, ANTENNA_MM / 2)]
    outline = shape.outline(marks)
    edges = set()
    for side, place in lines:
        edges |= outline.edges_between(side, place - ANTENNA_MM / 2, place + ANTENNA_MM / 2)
    mesh.add_loft(outline, _frame_profile(shape), repaint={"frame": dict.fromkeys(edges, "antenna")})


def _frame_profile(shape: BodyShape) -> list[Station]:
    pocket, front, back = shape.glass_inset_mm, shape.front_lip_mm, shape.back_lip_mm
    roll_width, roll_height = shape.roll_width_mm, shape.roll_height_mm
    lower = arc((roll_width, front), (0.0, front + roll_height), "frame", ARC_STEPS, "inset_first")
    upper = arc((0.0, back - roll_height), (roll_width, back), "frame", ARC_STEPS, "height_first")
    if back - front - 2 * roll_height < 1e-6:
        upper = upper[1:]
    return [
        Station(pocket, POCKET_MM, "seam"),
        Station(pocket, front, "frame"),
        *lower,
        *upper,
        Station(pocket, back, "seam"),
        Station(pocket, shape.depth_mm - POCKET_MM, "seam"),
    ]


def _antenna_lines(phone: Phone) -> list[tuple[str, float]]:
    """(side of the outline, coordinate along it); the outline is seen from behind, so x flips."""
    half_width, half_height = phone.body.width_mm / 2, phone.body.height_mm / 2
    antennas = phone.antennas
    lines = [("right", half_height - place) for place in antennas.left_mm]
    lines += [("left", half_height - place) for place in antennas.right_mm]
    lines += [("top", half_width - place) for place in antennas.top_mm]
    return lines + [("bottom", half_width - place) for place in antennas.bottom_mm]
