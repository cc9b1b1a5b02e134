"""Keypoints of a phone: the four corners of its front glass and the middle of its main camera.

Left and right are as seen from the front. In: a phone and the shape of its body. Out: nominal points in
millimetres, in the phone's frame; they are moved to the nearest point of the mesh later
(engine/blender/importing/keypoints.py).
"""

from __future__ import annotations

import math

from blendgen.engine.blender.phones.body import FRONT_GLASS_MM, BodyShape, on_front
from blendgen.engine.blender.phones.camera import lens_top_mm
from blendgen.models.families.phone_model import Phone
from blendgen.models.product import Keypoint

MAIN_CAMERA = "main_camera"
_SIDES = {"left": -1, "right": 1}
_ENDS = {"bottom": -1, "top": 1}


def phone_keypoints(phone: Phone, shape: BodyShape, shift_mm) -> list[Keypoint]:
    """shift_mm: from the phone's frame to the product frame, (3,)"""
    meant_mm = {**_corners_mm(shape), MAIN_CAMERA: lens_top_mm(phone, phone.lenses[0])}
    return [
        Keypoint(name, tuple((x + move) / 1000 for x, move in zip(place, shift_mm, strict=True)), _twin(name))
        for name, place in meant_mm.items()
    ]


def _corners_mm(shape: BodyShape) -> dict[str, tuple[float, float, float]]:
    """Half way round the rounding of each corner of the glass."""
    inset = shape.glass_inset_mm + shape.glass_edge_mm[0]
    cut = inset + (shape.corner_radius_mm - inset) * (1 - math.sqrt(0.5))
    across, along = shape.width_mm / 2 - cut, shape.height_mm / 2 - cut
    return {
        f"front_{end}_{side}": on_front(x * across, y * along, -FRONT_GLASS_MM)
        for end, y in _ENDS.items()
        for side, x in _SIDES.items()
    }


def _twin(name: str) -> str | None:
    left, right = _SIDES
    if name.endswith(left):
        return name.removesuffix(left) + right
    return name.removesuffix(right) + left if name.endswith(right) else None
