"""Parameters: what a spec lets vary, where a row has the sampled value, and what was asked for.

In: a Spec. Out: Parameters by their name in the spec. Values come from rows that a stranger may have written:
what is neither a finite number nor a short name is skipped. Values that rows do not state, such as gaps
between products, are named in `not_recorded`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from blendgen.scene.row import Row
from blendgen.spec.distributions import Choice, Distribution, SameAs
from blendgen.spec.links import PER_IMAGE, distributions_of
from blendgen.spec.model import Spec

Value = float | str
_MAX_NAME = 200
_GRID = 256  # quantiles that show which values a distribution has
# section of the spec -> where a row has its values; "*" for each of a list
_PLACES = {
    "surface": "shot.surface",
    "backdrop": "shot.backdrop",
    "container": "shot.container",
    "camera": "shot.camera",
    "condition": "shot.products.*.condition",
    "lighting.environment": "shot.environment",
    "lighting.lamps": "shot.lamps.*",
    "exposure": "exposure",
    "sensor": "exposure.sensor",
}
_OWN_PLACES = {
    "products_per_image": "shot.products.length",
    "distractors.count": "shot.distractors.length",
    "occluders.count": "shot.occluders.length",
    "lighting.lamps.count": "shot.lamps.length",
    "lighting.lamps.elevation_deg": "shot.lamps.*.lamp_to_world.elevation_deg",
    "lighting.lamps.size_m": "shot.lamps.*.size_m.first",
    "surface.color": "shot.surface.color_srgb",
    "container.color": "shot.container.color_srgb",
}
_BELT_MESH = "belt_mesh"  # the only kind of surface that has a pitch


@dataclass(frozen=True)
class Parameter:
    """name: as in the spec; distribution: what was asked for

    place: where a row has it, by dots; is_per_image: whether every image of a shot has its own value
    likely: values that it gives: those of a choice, or equally likely ones
    """

    name: str
    distribution: Distribution
    place: str
    is_per_image: bool
    likely: tuple[Value, ...]

    @property
    def is_numeric(self) -> bool:
        return all(isinstance(value, float) for value in self.likely)

    def values(self, row: Row) -> list[Value]:
        """The values of a row, the subject's or that of the first lamp first; none where it has none."""
        start, *rest = self.place.split(".")
        root = row.shot_values if start == "shot" else row.exposure_values
        return [value for value in map(_plain, _reached(root, rest)) if _is_value(value)]


@dataclass(frozen=True)
class Parameters:
    """recorded: those whose values rows have; not_recorded: names of the others"""

    recorded: tuple[Parameter, ...]
    not_recorded: tuple[str, ...]


def varied_parameters(spec: Spec) -> Parameters:
    """The parameters of a spec that are not constant."""
    recorded, others = [], []
    for name, distribution in sorted(_distributions(spec)):
        place = _place(name)
        likely = tuple(map(_plain, _likely(distribution)))
        if place is None or not all(map(_is_value, likely)):
            others.append(name)
        else:
            recorded.append(Parameter(name, distribution, place, name.startswith(PER_IMAGE), likely))
    return Parameters(tuple(recorded), tuple(others))


def _distributions(spec: Spec) -> Iterator[tuple[str, Distribution]]:
    for path, (distribution, _) in distributions_of(spec, ()):
        if distribution.dimensions:
            yield ".".join(path), distribution
    for name, distribution in spec.camera.defaults().items():
        if distribution.dimensions:
            yield f"camera.{name}", distribution


def _place(name: str) -> str | None:
    if name in _OWN_PLACES:
        return _OWN_PLACES[name]
    section, _, key = name.rpartition(".")
    return f"{_PLACES[section]}.{key}" if section in _PLACES else None


def _likely(distribution: Distribution) -> list[Any]:
    """The values of a choice, most likely first; of another distribution those for evenly spaced numbers."""
    if isinstance(distribution, Choice):
        return sorted(
            distribution.possible(), key=lambda value: -distribution.weights[distribution.values.index(value)]
        )
    side = round(_GRID ** (1 / distribution.dimensions))
    axis = [(place + 0.5) / side for place in range(side)]
    return [value_of(distribution, *u) for u in itertools.product(axis, repeat=distribution.dimensions)]


def value_of(distribution: Distribution, *u: float) -> Any:
    """The quantile of a distribution, also of one that refers to another parameter."""
    if not isinstance(distribution, SameAs):
        return distribution.quantile(*u)
    split = distribution.target.dimensions
    return distribution.shifted(
        distribution.target.quantile(*u[:split]), distribution.plus.quantile(*u[split:])
    )


def _reached(value: Any, steps: Sequence[str]) -> Iterator[Any]:
    """The values at the end of some steps into plain JSON."""
    if not steps:
        yield from value if isinstance(value, list | tuple) else [value]
        return
    step, *rest = steps
    if step == "*" and isinstance(value, list | tuple):
        for one in value:
            yield from _reached(one, rest)
    elif step == "length" and isinstance(value, list | tuple):
        yield len(value)
    elif step == "first" and isinstance(value, list | tuple) and value:
        yield value[0]
    elif step == "elevation_deg" and isinstance(value, list | tuple):
        yield from _elevation_deg(value)
    elif step == "pitch_m" and isinstance(value, dict) and value.get("kind") != _BELT_MESH:
        return
    elif isinstance(value, dict) and step in value:
        yield from _reached(value[step], rest)


def _elevation_deg(lamp_to_world: Sequence[Any]) -> Iterator[float]:
    """Of a lamp above the horizon: its third axis points away from what it lights."""
    with suppress(TypeError, ValueError, IndexError):
        yield math.degrees(math.asin(lamp_to_world[2][2]))


def _plain(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return float(value)


def _is_value(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, str) and len(value) <= _MAX_NAME
