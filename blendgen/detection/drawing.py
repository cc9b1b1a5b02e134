"""Drawing: a picture with its boxes, and with what a detector found in it.

In: a BoxedPicture and Boxes. Out: (h, w, 3) uint8, small enough for a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from blendgen.detection.boxed_picture import BoxedPicture
from blendgen.detection.detector import Boxes
from blendgen.geometry.arrays import ImageHW3U8

_LONGEST_PX, _DASH_PX = 320, 6
_RIGHT, _FOUND, _BEHIND = (0, 200, 120), (230, 40, 40), (255, 255, 255)


def drawn(picture: BoxedPicture, detections: Boxes, classes: Sequence[str]) -> ImageHW3U8:
    """Dashed: the boxes of the picture; solid: what was found, with its class and score."""
    image: Any = Image.fromarray(picture.read())
    image.thumbnail((_LONGEST_PX, _LONGEST_PX), Image.Resampling.BICUBIC)
    scale = np.tile([image.width / picture.size_px[0], image.height / picture.size_px[1]], 2)
    pen = ImageDraw.Draw(image)
    for box in picture.boxes[~picture.is_ignored] * scale:
        _dashed(pen, box)
    for box, label, score in zip(detections.boxes * scale, detections.labels, detections.scores, strict=True):
        pen.rectangle([*box], outline=_FOUND, width=2)
        words, place = f"{classes[label]} {score:.2f}", (box[0] + 3, box[1] + 2)
        pen.rectangle(pen.textbbox(place, words), fill=_BEHIND)
        pen.text(place, words, fill=_FOUND)
    return np.asarray(image)


def _dashed(pen: Any, box: Any) -> None:
    x0, y0, x1, y1 = box
    for start in np.arange(x0, x1, 2 * _DASH_PX):
        for y in (y0, y1):
            pen.line([(start, y), (min(start + _DASH_PX, x1), y)], fill=_RIGHT, width=2)
    for start in np.arange(y0, y1, 2 * _DASH_PX):
        for x in (x0, x1):
            pen.line([(x, start), (x, min(start + _DASH_PX, y1))], fill=_RIGHT, width=2)
