"""Regions: instance masks as the shapes of label formats.

In: (h, w) bool masks. Out: COCO run lengths and polygons, in pixels; (0, 0) is the top-left corner of the
top-left pixel, as in COCO and YOLO.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
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

    Polygons of COCO and YOLO have no holes, so that of a part is joined with those of its holes: filled by
    the even-odd rule, it is exactly the pixels of the part.
    """
    from contourpy import FillType, contour_generator

    padded = np.pad(mask.astype(np.float64), 1)
    rings = contour_generator(z=padded, fill_type=FillType.OuterOffset).filled(0.5, np.inf)
    outlines = []
    for points, offsets in zip(*cast(tuple[list[np.ndarray], list[np.ndarray]], rings), strict=True):
        # pixel centres of the padded array are whole numbers: subtract half a pixel of the one-pixel border
        corners = points - 0.5
        outlines.append(joined([corners[start : end - 1] for start, end in pairwise(offsets)]))
    return sorted(outlines, key=lambda outline: -abs(_signed_area(outline)))


def joined(polygons: Sequence[PointsN2]) -> PointsN2:
    """(n, 2) corners of one polygon that goes around each of some polygons, along lines there and back.

    The lines enclose no area. Each leads to the nearest corner of an earlier polygon, as in the converters of
    ultralytics.
    """
    outline, done = polygons[0], 1
    while done < len(polygons):
        outline = _extended(outline, polygons[done : 2 * done])
        done *= 2  # few search trees for many holes
    return outline


def _extended(outline: PointsN2, polygons: Sequence[PointsN2]) -> PointsN2:
    """The outline with a detour from its nearest corner around each polygon."""
    from scipy.spatial import KDTree

    tree, detours = KDTree(outline), []
    for polygon in polygons:
        gaps, nearest = map(np.asarray, tree.query(polygon))
        there = int(gaps.argmin())
        around = np.concatenate([np.roll(polygon, -there, axis=0), polygon[there : there + 1]])
        detours.append((int(nearest[there]), around))
    for here, around in sorted(detours, key=lambda detour: -detour[0]):  # from the end: places before stay
        outline = np.concatenate([outline[: here + 1], around, outline[here:]])
    return outline


def _signed_area(line: np.ndarray) -> float:
    x, y = line.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
