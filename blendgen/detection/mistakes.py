"""Mistakes: which boxes of a picture a detector missed, invented, or took for another class.

In: a picture with boxes, and the boxes that count as found. Out: Mistakes. A found box is right if it has the
class of a box that it overlaps by an IoU of 0.5 or more, and no surer one has found that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blendgen.detection.boxed_picture import BoxedPicture
from blendgen.detection.detector import Boxes
from blendgen.geometry.arrays import AnyArray

LEAST_OVERLAP = 0.5


@dataclass(frozen=True)
class Mistakes:
    """right, missed: of the boxes of the picture; extra: of the found ones, those that are not right

    confused: of the extra ones, those on a box of another class
    """

    right: int
    missed: int
    extra: int
    confused: int

    @property
    def count(self) -> int:
        return self.missed + self.extra

    def facts(self) -> dict[str, int]:
        return {
            "right": self.right, "missed": self.missed, "extra": self.extra,
            "of_another_class": self.confused,
        }  # fmt: skip


def mistakes_of(picture: BoxedPicture, detections: Boxes) -> Mistakes:
    """found: the surest first; boxes on what nobody has to find do not count"""
    overlap = overlaps(detections.boxes, picture.boxes)
    is_wanted = ~picture.is_ignored
    is_free, right, extra, confused = is_wanted.copy(), 0, 0, 0
    for number, label in enumerate(detections.labels):
        near = overlap[number] >= LEAST_OVERLAP
        own = near & is_free & (picture.labels == label)
        if own.any():
            is_free[int(np.argmax(np.where(own, overlap[number], -1)))] = False
            right += 1
        elif not (near & picture.is_ignored).any():
            extra += 1
            confused += bool((near & is_wanted & (picture.labels != label)).any())
    return Mistakes(right, int(is_free.sum()), extra, confused)


def overlaps(first: AnyArray, second: AnyArray) -> AnyArray:
    """(n, m): IoU of boxes given as corners"""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    own, other = ((one[:, 2:] - one[:, :2]).prod(axis=1) for one in (first, second))
    return np.asarray(common / np.maximum(own[:, None] + other[None] - common, 1e-9))
