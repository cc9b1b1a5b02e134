"""Regions: instance masks as the shapes of label formats.

In: (h, w) bool masks. Out: COCO run lengths and polygons, in pixels; (0, 0) is the top-left corner of the
top-left pixel, as in COCO and YOLO.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from blendgen.geometry.arrays import PointsN2


def run_lengths(mask: np.ndarray) -> dict[str, Any]:
    """COCO's compressed RLE: {"size": [h, w], "counts": text}."""
    from pycocotools import mask as coco

    encoded = coco.encode(np.asfortranarray(mask).view(np.uint8))
    return {"size": [int(v) for v in encoded["size"]], "counts": encoded["counts"].decode("ascii")}


def polygons(mask: np.ndarray) -> list[np.ndarray]:
    """The outline of each part, largest first: (n, 2) corners, halfway between pixels inside and outside.

    Without holes, since polygons of COCO and YOLO have none; use RLE for masks with holes.
    """
    from contourpy import contour_generator

    padded = np.pad(mask.astype(np.float64), 1)
    lines = cast(list[np.ndarray], contour_generator(z=padded).lines(0.5))  # as its line type has them
    # pixel centres of the padded array are whole numbers: subtract half a pixel of the one-pixel border
    outlines = [line[:-1] - 0.5 for line in lines if len(line) > 3]
    if not outlines:
        return []
    areas = np.array([_signed_area(line) for line in outlines])
    outward = np.sign(areas[np.abs(areas).argmax()])  # holes run the other way round than the largest
    order = np.argsort(-np.abs(areas), kind="stable")
    return [outlines[i] for i in order if areas[i] * outward > 0]


def joined(polygons: Sequence[PointsN2]) -> PointsN2:
    """(n, 2) corners of one polygon around all of some, joined by lines there and back without an area.

    Each is joined to the nearest corner of those before it, as the converters of ultralytics do.
    """
    outline = polygons[0]
    for polygon in polygons[1:]:
        gaps = np.linalg.norm(outline[:, None] - polygon[None], axis=2)
        here, there = np.unravel_index(gaps.argmin(), gaps.shape)
        detour = np.concatenate([np.roll(polygon, -there, axis=0), polygon[there : there + 1]])
        outline = np.concatenate([outline[: here + 1], detour, outline[here:]])
    return outline


def _signed_area(line: np.ndarray) -> float:
    x, y = line.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
