"""Sweep: which parameters change from image to image, and which stay as in one of them.

In: the name of a parameter or of a section, and an anchor (the number of an image). `vary` lets only
that parameter change, `ablate` everything but it. Out: for each parameter the index whose stream
it is to be drawn from. Names are the paths of a spec; the streams of lamps and of the products of
one image have a number in them, which does not count here.
"""

from __future__ import annotations

from dataclasses import dataclass

_GOLDEN_RATIO = 0.6180339887498949


def parameter_of(stream_name: str) -> str:
    """'lighting.lamps.2.size_m' to 'lighting.lamps.size_m'."""
    return ".".join(part for part in stream_name.split(".") if not part.isdigit())


@dataclass(frozen=True)
class Sweep:
    """target: a parameter or section; vary: only it changes, else it alone stays.

    anchor: the image whose draws are kept
    count: how many images the range of a varied parameter is spread over
    """

    target: str
    vary: bool
    anchor: int
    count: int

    def index_for(self, stream_name: str, index: int) -> int:
        """The index whose stream a parameter is drawn from, for image `index`."""
        return index if self._concerns(stream_name) == self.vary else self.anchor

    def spread(self, stream_name: str, index: int, dimensions: int) -> list[float] | None:
        """Evenly spread numbers for a single varied parameter; None for all others."""
        if not self.vary or parameter_of(stream_name) != self.target:
            return None
        even = (index % self.count + 0.5) / self.count
        return [even, *((even * self.count * _GOLDEN_RATIO * k) % 1.0 for k in range(1, dimensions))]

    def _concerns(self, stream_name: str) -> bool:
        name = parameter_of(stream_name)
        return name == self.target or name.startswith(f"{self.target}.")
