"""Overlays: the labels of an image, drawn on it.

In: an image, its row, and its instance mask. Out: a new Pillow image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from blendgen.geometry.arrays import IdsHW
from blendgen.scene.row import Keypoint, Row

_COLORS = ((230, 60, 60), (60, 120, 230), (40, 160, 70), (220, 150, 20))
_LIGHT, _DARK = (255, 255, 255), (20, 20, 20)
_MASK_SHARE = 0.45
_FONT_PX = 10
_SEEN = 2  # as COCO has it; 1: hidden, 0: not labelled


@dataclass(frozen=True)
class Overlays:
    """What is drawn: boxes around the visible part of objects, their visible pixels, keypoints (filled where
    they are seen, hollow where something hides them), and the fraction of each object that is visible."""

    boxes: bool = False
    masks: bool = False
    keypoints: bool = False
    visible_fraction: bool = False


def with_overlays(image: Image.Image, row: Row, overlays: Overlays, ids: IdsHW | None = None) -> Image.Image:
    """A copy of an image with its labels. ids: the instance mask, (h, w), which overlays.masks needs"""
    marked, objects = image.convert("RGB"), row.objects
    if overlays.masks and ids is not None:
        marked = _tinted(marked, ids, objects.instance_id)
    draw = ImageDraw.Draw(marked)
    for number, (x, y, width, height) in enumerate(objects.bbox):
        if overlays.boxes:
            draw.rectangle((x, y, x + width - 1, y + height - 1), outline=_color(number))
        if overlays.keypoints and objects.keypoints is not None:
            _draw_points(draw, objects.keypoints[number], _color(number))
    if overlays.visible_fraction:
        for box, fraction in zip(objects.bbox, objects.visible_fraction, strict=True):
            _draw_text(draw, (int(box[0]) + 1, int(box[1]) + 1), f"{fraction:.0%}")
    return marked


def _color(number: int) -> tuple[int, int, int]:
    return _COLORS[number % len(_COLORS)]


def _tinted(image: Image.Image, ids: IdsHW, instance_ids: Sequence[int]) -> Image.Image:
    pixels = np.asarray(image).astype(np.float32)
    for number, instance_id in enumerate(instance_ids):
        own = ids == instance_id
        pixels[own] += _MASK_SHARE * (np.array(_color(number), np.float32) - pixels[own])
    return Image.fromarray(np.rint(pixels).astype(np.uint8))


def _draw_points(draw: ImageDraw.ImageDraw, points: Sequence[Keypoint], color: tuple[int, int, int]) -> None:
    for x, y, visibility in points:
        if visibility:
            fill = color if visibility == _SEEN else None
            draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=fill, outline=_LIGHT if fill else color)


def _draw_text(draw: ImageDraw.ImageDraw, place: tuple[int, int], text: str) -> None:
    font = ImageFont.load_default(_FONT_PX)
    left, top, right, bottom = draw.textbbox(place, text, font)
    draw.rectangle((left - 1, top - 1, right, bottom), fill=_DARK)
    draw.text(place, text, _LIGHT, font)
