"""Sampler: the values of distributions for one index, each from a stream of its own.

In: a distribution and the name of its parameter. Out: a value. The only way in which `draw` meets chance;
also where coverage and sweep act, so that no drawing function knows of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from blendgen.draw.low_discrepancy import low_discrepancy_u
from blendgen.draw.sweep import Sweep, parameter_of
from blendgen.spec.distributions import Distribution, SameAs
from blendgen.streams import stream


@dataclass(frozen=True)
class Sampler:
    """Streams of one index (a shot's or an exposure's) at one attempt.

    even: numbers of each parameter are spread evenly over the indices, not drawn independently
    mounts: how many cameras a data set is taken with; what belongs to a camera is drawn once for each
    seen: the values that were drawn, by parameter (of lamps and products: of the last one)
    """

    seed: int
    index: int
    attempt: int
    even: bool = False
    sweep: Sweep | None = None
    mounts: int | None = None
    seen: dict[str, Any] = field(default_factory=dict, compare=False)

    def value(self, distribution: Distribution, name: str) -> Any:
        """The value of a distribution; `name` is the dotted path of the parameter."""
        if isinstance(distribution, SameAs):
            value = distribution.shifted(
                self.value(distribution.target, distribution.path),
                self.value(distribution.plus, f"{name}.plus"),
            )
        else:
            value = distribution.quantile(*self.u(name, distribution.dimensions))
        if distribution.dimensions:
            self.seen[parameter_of(name)] = value
        return value

    def u(self, name: str, count: int) -> list[float]:
        """`count` uniform random numbers in [0, 1)."""
        if not count:
            return []
        index, attempt = self.index, self.attempt
        if _is_mounted(name) and (mount := self.mount) is not None:
            index, attempt = mount, 0
        if self.sweep is not None:
            spread = self.sweep.spread(name, index, count)
            if spread is not None:
                return spread
            index = self.sweep.index_for(name, index)
        if self.even and attempt == 0:
            return _low_discrepancy_u(self.seed, index, name, count)
        return stream(self.seed, index, attempt, name).random(count).tolist()

    @property
    def mount(self) -> int | None:
        """The number of the camera that takes this image; None where each image has its own.

        Steered images have their own too, so that one parameter of the camera can change alone.
        """
        if self.mounts is None or self.sweep is not None:
            return None
        u = stream(self.seed, self.index, 0, "camera.mount").random()
        return min(int(u * self.mounts), self.mounts - 1)

    def subject_index(self) -> int:
        """The index that decides the subject, which is assigned in turn and not drawn."""
        return self.index if self.sweep is None else self.sweep.index_for("products", self.index)

    def seed_number(self, name: str, bits: int = 53) -> int:
        """A seed for something that is not drawn here; up to 53 bits survive every JSON reader."""
        index = self.index if self.sweep is None else self.sweep.index_for(name, self.index)
        return int(stream(self.seed, index, self.attempt, name).random() * 2**bits)


def _is_mounted(name: str) -> bool:
    """Whether a parameter belongs to a camera, not to an image that it takes."""
    return name.startswith("camera.") and parameter_of(name) != "camera.aim"


def _low_discrepancy_u(seed: int, index: int, name: str, count: int) -> list[float]:
    """Each number of a parameter from an even sequence of its own."""
    return [low_discrepancy_u(index, *seeds) for seeds in _coverage_seeds(seed, name, count)]


@lru_cache(maxsize=4096)
def _coverage_seeds(seed: int, name: str, count: int) -> list[tuple[int, int]]:
    drawn = stream(seed, 0, 0, f"coverage.{name}").integers(2**32, size=(count, 2))
    return [(int(order), int(value)) for order, value in drawn]


def shuffled(items: tuple, seed: int, block: int, name: str) -> list:
    """The items in an order that depends on (seed, block, name) only."""
    order = stream(seed, block, 0, name).random(len(items)).argsort(kind="stable")
    return [items[i] for i in order]
