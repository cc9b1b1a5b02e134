"""Sampler: the values of laws for one index, each from a stream of its own.

In: a law and the name of its parameter. Out: a value. The only way in which `draw` meets chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from blendgen.spec.distributions import Law
from blendgen.streams import stream


@dataclass(frozen=True)
class Sampler:
    """Streams of one index (a shot's or an exposure's) at one attempt."""

    seed: int
    index: int
    attempt: int

    def value(self, law: Law, name: str) -> Any:
        """The value of a law; `name` is the dotted path of the parameter."""
        return law.at(*self.units(name, law.dimensions)) if law.dimensions else law.at()

    def units(self, name: str, count: int) -> list[float]:
        """`count` numbers in [0, 1)."""
        return stream(self.seed, self.index, self.attempt, name).random(count).tolist()

    def seed_number(self, name: str, bits: int = 53) -> int:
        """A seed for something that is not drawn here; up to 53 bits survive every JSON reader."""
        return int(self.units(name, 1)[0] * 2**bits)


def shuffled(items: tuple, seed: int, block: int, name: str) -> list:
    """The items in an order that depends on (seed, block, name) only."""
    order = stream(seed, block, 0, name).random(len(items)).argsort(kind="stable")
    return [items[i] for i in order]
