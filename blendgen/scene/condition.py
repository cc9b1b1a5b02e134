"""Condition: the wear of one product in a shot, as sampled numbers.

Lengths are metres, places are in the product frame. The engine decides what a mark looks like; its place is
sampled.
"""

from __future__ import annotations

from blendgen.scene.frozen import FrozenModel, Vector3


class Sticker(FrozenModel):
    """A sticker on a product, in the product frame.

    kind: of kinds.stickers.STICKER_KINDS
    center_m: its middle, before it is projected onto the surface below
    normal, along: unit directions away from the product and along the length
    size_m: (length, width)
    opacity: how much of the surface below it hides
    pattern: 0 to 1, selects what is printed on it
    """

    kind: str
    center_m: Vector3
    normal: Vector3
    along: Vector3
    size_m: tuple[float, float]
    color_srgb: str
    opacity: float
    pattern: float


class Impact(FrozenModel):
    """Where glass was hit, in the product frame; normal: unit direction perpendicular to the glass."""

    point_m: Vector3
    normal: Vector3


class Condition(FrozenModel):
    """The wear of a product, each amount 0 (factory new) to 1.

    screen: brightness of its screen; 0 off, 1 as white paper in unit light
    pattern_offset_m: moves its marks
    impact: where cracks start; None without cracks
    """

    scratches: float = 0.0
    fingerprints: float = 0.0
    dust: float = 0.0
    scuffs: float = 0.0
    cracks: float = 0.0
    screen: float = 0.0
    pattern_offset_m: tuple[float, float] = (0.0, 0.0)
    stickers: tuple[Sticker, ...] = ()
    impact: Impact | None = None

    @property
    def is_new(self) -> bool:
        marks = (self.scratches, self.fingerprints, self.dust, self.scuffs, self.cracks, self.screen)
        return not (any(marks) or self.stickers)
