"""Condition: the wear of a product, and the places of its marks.

In: a spec, a product with its rotation, and the streams of a shot. Out: a Condition. Stickers are on the face
that points up; glass is hit across the thinnest side of the product, most often near an edge. Amounts and
places have separate streams, so that a product can get more worn without its marks moving.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from blendgen.draw.sampler import Sampler
from blendgen.geometry.arrays import Array3, Matrix3x3
from blendgen.models.product import Product
from blendgen.scene.condition import Condition, Impact, Sticker
from blendgen.scene.kinds.stickers import STICKER_KINDS, StickerKind
from blendgen.spec.model import Spec

_PATTERN_PERIOD_M = 20.0
_MAX_STICKERS = 4
_U_PER_STICKER = 8
_SMALLEST_FACE_M = 0.004
_LARGEST_SHARE = 0.6  # of a face's side; see StickerKind.overhang


def draw_condition(
    spec: Spec, product: Product, rotation: Matrix3x3, sampler: Sampler, number: int
) -> Condition:
    """The condition of one product of a shot.

    rotation: (3, 3) product frame -> world
    """
    section, prefix = spec.condition, f"condition.{number}"
    offset = (u * _PATTERN_PERIOD_M for u in sampler.u(f"{prefix}.pattern_offset_m", 2))
    amounts = sampler.values(section, Condition, prefix, ("stickers",))
    chance = sampler.value(section.stickers, f"{prefix}.stickers")
    return Condition(
        **amounts,
        pattern_offset_m=tuple(offset),
        stickers=_stickers(product, rotation, sampler, f"{prefix}.sticker_layout", chance),
        impact=_impact(product, sampler, f"{prefix}.impact") if amounts["cracks"] else None,
    )


def _stickers(
    product: Product, rotation: Matrix3x3, sampler: Sampler, stream: str, chance: float
) -> tuple[Sticker, ...]:
    if not chance:
        return ()
    u = np.reshape(sampler.u(stream, _MAX_STICKERS * _U_PER_STICKER), (_MAX_STICKERS, -1))
    face = _Face(product, rotation)
    if min(face.size_m[face.long], face.size_m[face.short]) < _SMALLEST_FACE_M:
        return ()
    return tuple(_sticker(face, *row[1:]) for row in u if row[0] < chance)


class _Face:
    """The face of the bounding box of a product that points up most."""

    def __init__(self, product: Product, rotation: Matrix3x3):
        axis = int(np.argmax(np.abs(rotation[2])))
        size = np.array(product.size_m)
        self.normal = np.sign(rotation[2, axis]) * np.eye(3)[axis]
        middle = np.array([0.0, 0.0, size[2] / 2])
        self.center_m = middle + self.normal * size[axis] / 2
        self.long, self.short = sorted((i for i in range(3) if i != axis), key=lambda i: -size[i])
        self.size_m = size

    def at(self, along: float, across: float) -> Array3:
        """The point (3,) at two coordinates from -1 to 1."""
        place = self.center_m.copy()
        place[self.long] += along * self.size_m[self.long] / 2
        place[self.short] += across * self.size_m[self.short] / 2
        return place

    def direction(self, angle_rad: float) -> Array3:
        return math.cos(angle_rad) * np.eye(3)[self.long] + math.sin(angle_rad) * np.eye(3)[self.short]


def _sticker(
    face: _Face,
    kind_u: float,
    length_u: float,
    width_u: float,
    along_u: float,
    across_u: float,
    turn_u: float,
    pattern_u: float,
) -> Sticker:
    kind = _kind(kind_u)
    lengths, widths = kind.length_mm, kind.width_mm
    limits = [1000 * _LARGEST_SHARE * face.size_m[axis] for axis in (face.long, face.short)]
    length = lengths[0] + length_u * (lengths[1] - lengths[0])
    width = widths[0] + width_u * (widths[1] - widths[0])
    fit = min(1.0, limits[1] / width, kind.overhang * limits[0] / length)
    finishes = kind.finishes
    color, opacity = finishes[int(pattern_u * len(finishes))]
    return Sticker(
        kind=kind.name,
        center_m=_plain(face.at(1.5 * (along_u - 0.5), 1.3 * (across_u - 0.5))),
        normal=_plain(face.normal),
        along=_plain(face.direction(_turn(turn_u))),
        size_m=(fit * length / 1000, fit * width / 1000),
        color_srgb=color,
        opacity=opacity,
        pattern=float(pattern_u * len(finishes) % 1.0),
    )


def _kind(u: float) -> StickerKind:
    total = 0.0
    for kind in STICKER_KINDS.values():
        total += kind.share
        if u < total:
            return kind
    return kind


def _turn(u: float) -> float:
    """Angle in radians: most stickers are nearly parallel to a side, in one of four ways; some are askew."""
    quarter, rest = divmod(4 * u, 1.0)
    return math.pi / 2 * quarter + 1.6 * (rest - 0.5) ** 3 * 4


def _impact(product: Product, sampler: Sampler, stream: str) -> Impact:
    """Most glass breaks where an edge was hit: points are denser near the rim of the face."""
    size = np.array(product.size_m)
    axis = int(np.argmin(size))
    point = np.array([0.0, 0.0, size[2] / 2])
    for side, u in zip((i for i in range(3) if i != axis), sampler.u(stream, 2), strict=True):
        centred = 2 * u - 1
        point[side] += 0.94 * math.copysign(math.sqrt(abs(centred)), centred) * size[side] / 2
    return Impact(point_m=_plain(point), normal=_plain(np.eye(3)[axis]))


def _plain(vector: Iterable[float]) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in vector)
    return (x, y, z)
