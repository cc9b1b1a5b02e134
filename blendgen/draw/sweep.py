"""Sweep: change one parameter from image to image and keep the others, or the other way round.

In: the name of a parameter or section, and an anchor (the index of an image). `vary` changes only this
parameter, `ablate` everything else. Out: for each parameter the index whose stream it is drawn from. Names
are paths in the spec; the numbers of lamps and products in the names of streams are ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

_GOLDEN_RATIO = 0.6180339887498949


def parameter_of(stream_name: str) -> str:
    """'lighting.lamps.2.size_m' to 'lighting.lamps.size_m'."""
    return ".".join(part for part in stream_name.split(".") if not part.isdigit())


class Plan(Protocol):
    """What changes from image to image and what does not: a Sweep, or a Design (design.py)."""

    def index_for(self, stream_name: str, index: int) -> int:
        """The index from whose stream a parameter of image `index` is drawn."""

    def spread(self, stream_name: str, index: int, dimensions: int) -> list[float] | None:
        """Numbers in [0, 1) that take the place of random ones; None: those of the stream are used."""

    def moved(self, stream_name: str, index: int, u: list[float]) -> list[float]:
        """The random numbers of a parameter, perhaps moved within [0, 1)."""


@dataclass(frozen=True)
class Sweep:
    """A sweep of some images.

    target: a parameter or section; vary: it alone changes; otherwise it alone stays the same
    anchor: index of the image whose other values all images have
    count: number of images over which the range of a varied parameter is spread
    """

    target: str
    vary: bool
    anchor: int
    count: int

    def index_for(self, stream_name: str, index: int) -> int:
        """The index from whose stream a parameter of image `index` is drawn."""
        return index if self._concerns(stream_name) == self.vary else self.anchor

    def spread(self, stream_name: str, index: int, dimensions: int) -> list[float] | None:
        """Evenly spread numbers in [0, 1) for the varied parameter; None for all others."""
        if not self.vary or parameter_of(stream_name) != self.target:
            return None
        even = (index % self.count + 0.5) / self.count
        return [even, *((even * self.count * _GOLDEN_RATIO * k) % 1.0 for k in range(1, dimensions))]

    def moved(self, stream_name: str, index: int, u: list[float]) -> list[float]:
        """As of Plan: the numbers as they are."""
        return u

    def _concerns(self, stream_name: str) -> bool:
        name = parameter_of(stream_name)
        return name == self.target or name.startswith(f"{self.target}.")
