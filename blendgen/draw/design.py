"""Design: change several parameters from image to image by a plan, and keep every other value as it is.

In: for each image the shot whose values it has, and for each planned parameter the part of its distribution
from which it is drawn. Out: as of a Sweep, which the sampler follows. A parameter keeps its own random
stream, moved into that part, so that several lamps still differ; all other streams are those of the shot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from blendgen.draw.attempts import first_feasible
from blendgen.draw.exposure import draw_exposure
from blendgen.draw.sampler import Sampler
from blendgen.draw.shot import sampled_shot
from blendgen.draw.sweep import parameter_of
from blendgen.errors import InfeasibleShot
from blendgen.models.class_table import ClassTable
from blendgen.models.product import Catalog
from blendgen.spec.distributions import Choice, Distribution, SameAs
from blendgen.spec.model import Spec

Part = tuple[float, float]


@dataclass(frozen=True)
class Cell:
    """One image of a design.

    anchor: number of the shot that supplies its values; parts: parameter -> (low, high) of [0, 1), from which
    its first uniform random number is taken
    """

    anchor: int
    parts: Mapping[str, Part]


@dataclass(frozen=True)
class Design:
    """cells: by the number of the image"""

    cells: tuple[Cell, ...]

    def index_for(self, stream_name: str, index: int) -> int:
        """As of Sweep."""
        return self.cells[index].anchor

    def spread(self, stream_name: str, index: int, dimensions: int) -> None:
        """As of Sweep."""
        return None

    def moved(self, stream_name: str, index: int, u: list[float]) -> list[float]:
        """The random numbers of a parameter of image `index`, moved into the part of its cell."""
        part = self.cells[index].parts.get(parameter_of(stream_name))
        if part is None or not u:
            return u
        low, high = part
        return [low + (high - low) * u[0], *u[1:]]


@dataclass(frozen=True)
class _Recorder(Sampler):
    """Also remembers the distribution of each parameter that was drawn."""

    distributions: dict[str, Distribution] = field(default_factory=dict, compare=False)

    def value(self, distribution: Distribution, name: str) -> Any:
        if distribution.dimensions and not isinstance(distribution, SameAs):
            self.distributions[parameter_of(name)] = distribution
        return super().value(distribution, name)


def random_parameters(
    spec: Spec, catalog: Catalog, class_table: ClassTable, shots: Iterable[int]
) -> dict[str, Distribution]:
    """The parameters that have more than one value in these shots, by name, with their distributions.

    A parameter that follows another one (same_as) is not among them: it moves with the other one.
    """
    spec = spec.model_copy(update={"exposures_per_shot": 1})
    distributions: dict[str, Distribution] = {}
    values: dict[str, set[Any]] = {}
    for index in shots:
        draw = partial(_drawn, spec, catalog, class_table, index)
        try:
            recorder = first_feasible(index, draw)
        except InfeasibleShot:
            continue
        distributions |= recorder.distributions
        for name, value in recorder.drawn.items():
            values.setdefault(name, set()).add(value)
    return {
        name: one for name, one in sorted(distributions.items()) if _varies(one) and len(values[name]) > 1
    }


def _drawn(spec: Spec, catalog: Catalog, class_table: ClassTable, index: int, attempt: int) -> _Recorder:
    recorder = _Recorder(
        spec.seed, index, attempt, spec.sampling == "low_discrepancy", None, spec.camera.camera_count
    )
    draw_exposure(spec, sampled_shot(spec, catalog, class_table, recorder), recorder)
    return recorder


def _varies(distribution: Distribution) -> bool:
    return not isinstance(distribution, Choice) or len(set(distribution.possible())) > 1
