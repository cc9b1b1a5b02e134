"""Square: where boxes of a picture are in the square that a network takes, and back.

In: boxes, (n, 4) as x0, y0, x1, y1 in pixels of the picture. Out: the same in pixels of the square, into
which learn/pixels.py fits the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blendgen.geometry.arrays import AnyArray


@dataclass(frozen=True)
class Square:
    """A picture of width and height `size_px`, fitted into side_px x side_px."""

    size_px: tuple[int, int]
    side_px: int

    @property
    def fitted_px(self) -> tuple[int, int]:
        """Width and height of the picture in the square."""
        scale = self.side_px / max(self.size_px)
        width, height = (max(1, round(one * scale)) for one in self.size_px)
        return width, height

    @property
    def scale(self) -> AnyArray:
        """(4,), by which coordinates are multiplied"""
        width, height = (own / one for own, one in zip(self.fitted_px, self.size_px, strict=True))
        return np.array([width, height, width, height])

    @property
    def shift(self) -> AnyArray:
        """(4,), which is added after that"""
        left, top = ((self.side_px - own) // 2 for own in self.fitted_px)
        return np.array([left, top, left, top], float)

    def into(self, boxes: AnyArray) -> AnyArray:
        return np.asarray(boxes * self.scale + self.shift)

    def back(self, boxes: AnyArray) -> AnyArray:
        """Clipped at the border of the picture."""
        width, height = self.size_px
        return np.clip((boxes - self.shift) / self.scale, 0, [width, height, width, height])
