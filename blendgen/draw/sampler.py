"""Sampler: values of distributions for one index, each parameter from its own random stream.

In: a distribution and the name of its parameter. Out: a value. All randomness of `draw` comes from here; so
do low-discrepancy sampling and sweeps, which the other functions of `draw` do not know.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import BaseModel

from blendgen.draw.low_discrepancy import low_discrepancy_u
from blendgen.draw.sweep import Plan, parameter_of
from blendgen.spec.distributions import Distribution, SameAs
from blendgen.streams import stream

_Item = TypeVar("_Item")

# Parameters that were renamed keep their streams: the same seed samples the same values as before.
_STREAMS = {"camera.subject_offset": "camera.aim", "products_per_image": "per_image"}
_SEQUENCES = "coverage"  # of the seeds of low-discrepancy sequences, which was the name of that key


@dataclass(frozen=True)
class Sampler:
    """The streams of one index (of a shot or an image) at one attempt.

    low_discrepancy: at the first attempt, spread the numbers of each parameter evenly over the indices
    camera_count: number of mounted cameras of the data set; the parameters of each are drawn once
    drawn: the values that were drawn, by parameter (of several lamps or products: of the last one)
    """

    seed: int
    index: int
    attempt: int
    low_discrepancy: bool = False
    sweep: Plan | None = None
    camera_count: int | None = None
    drawn: dict[str, Any] = field(default_factory=dict, compare=False)

    def value(self, distribution: Distribution, name: str) -> Any:
        """The value of a distribution; name: dotted path of the parameter."""
        if isinstance(distribution, SameAs):
            value = distribution.shifted(
                self.value(distribution.target, distribution.path),
                self.value(distribution.plus, f"{name}.plus"),
            )
        else:
            value = distribution.quantile(*self.u(name, distribution.dimensions))
        if distribution.dimensions:
            self.drawn[parameter_of(name)] = value
        return value

    def values(
        self, section: BaseModel, sampled: type[BaseModel], prefix: str, but: Collection[str] = ()
    ) -> dict[str, Any]:
        """The values of all parameters of a section that are fields of `sampled` under the same name.

        but: fields that are not sampled this way; optional parameters without a distribution are left out
        """
        names = [name for name in sampled.model_fields if name not in but]
        distributions = {name: getattr(section, name, None) for name in names}
        return {
            name: self.value(distribution, f"{prefix}.{name}")
            for name, distribution in distributions.items()
            if isinstance(distribution, Distribution)
        }

    def u(self, name: str, count: int) -> list[float]:
        """`count` uniform random numbers in [0, 1)."""
        if not count:
            return []
        if self.sweep is None:
            return self._u(name, count, self.index)
        spread = self.sweep.spread(name, self.index, count)
        if spread is not None:
            return spread
        own = self._u(name, count, self.sweep.index_for(name, self.index))
        return self.sweep.moved(name, self.index, own)

    def _u(self, name: str, count: int, index: int) -> list[float]:
        """The numbers of the stream of an index."""
        attempt = self.attempt
        if _is_mounted(name) and (mount := self.mount) is not None:
            index, attempt = mount, 0
        if self.low_discrepancy and attempt == 0:
            return _low_discrepancy_u(self.seed, index, name, count)
        return stream(self.seed, index, attempt, _stream_name(name)).random(count).tolist()

    @property
    def mount(self) -> int | None:
        """The number of the mounted camera of this image; None where each image has a camera of its own.

        In a sweep each image has its own, too, so that one parameter of the camera can change alone.
        """
        if self.camera_count is None or self.sweep is not None:
            return None
        u = stream(self.seed, self.index, 0, "camera.mount").random()
        return min(int(u * self.camera_count), self.camera_count - 1)

    def subject_index(self) -> int:
        """The index that determines the subject, which is assigned and not drawn."""
        return self.index if self.sweep is None else self.sweep.index_for("products", self.index)

    def seed_number(self, name: str, bits: int = 53) -> int:
        """A seed for a later step; every JSON reader preserves integers of up to 53 bits."""
        index = self.index if self.sweep is None else self.sweep.index_for(name, self.index)
        return int(stream(self.seed, index, self.attempt, name).random() * 2**bits)


def _is_mounted(name: str) -> bool:
    """Whether a parameter belongs to the camera and not to one of its images."""
    return name.startswith("camera.") and parameter_of(name) != "camera.subject_offset"


def _stream_name(parameter: str) -> str:
    """The name of a parameter's stream; "products_per_image.plus" belongs to products_per_image."""
    for name, former in _STREAMS.items():
        if parameter == name or parameter.startswith(f"{name}."):
            return former + parameter.removeprefix(name)
    return parameter


def _low_discrepancy_u(seed: int, index: int, name: str, count: int) -> list[float]:
    """The numbers of a parameter, each from its own sequence."""
    return [low_discrepancy_u(index, *seeds) for seeds in _sequence_seeds(seed, _stream_name(name), count)]


@lru_cache(maxsize=4096)
def _sequence_seeds(seed: int, stream_name: str, count: int) -> list[tuple[int, int]]:
    drawn = stream(seed, 0, 0, f"{_SEQUENCES}.{stream_name}").integers(2**32, size=(count, 2))
    return [(int(order), int(value)) for order, value in drawn]


def shuffled(items: tuple[_Item, ...], seed: int, block: int, name: str) -> list[_Item]:
    """The items in an order that depends only on (seed, block, name)."""
    order = stream(seed, block, 0, name).random(len(items)).argsort(kind="stable")
    return [items[i] for i in order]
