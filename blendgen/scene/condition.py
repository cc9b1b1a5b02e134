"""Condition: how used a product of a shot is, as plain numbers.

Lengths are metres and places lie in the product frame. What a mark looks like is the engine's
business; where it is was drawn.
"""

from __future__ import annotations

from blendgen.scene.frozen import FrozenModel, Vector3


class Sticker(FrozenModel):
    """Something stuck on a product, in the product frame.

    kind: of kinds.stickers.STICKER_KINDS
    center_m: its middle, before it is laid straight down on the surface below
    normal, along: unit directions away from the product and along the length
    size_m: (length, width)
    opacity: how much of what lies below it hides
    pattern: 0 to 1, decides what is printed on it
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
    """Where glass was hit; product frame, normal: a unit direction across the glass."""

    point_m: Vector3
    normal: Vector3


class Condition(FrozenModel):
    """How used a product is, each 0 (factory new) to 1; pattern_offset_m: where its marks are.

    screen: brightness of its screen, 0 off, 1 as white paper in unit light
    stickers: those that are there
    impact: where cracks start; None where there are none
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
