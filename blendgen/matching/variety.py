"""Variety: ranges of few photos, made as wide as training needs them.

In: Guesses, and the spec whose values they replace. Out: Guesses with the same middles, of which no range is
narrower than half of that of the spec, and surfaces of which half are those of the spec. Few photos show less
than a camera will see, and a classifier trained on a narrow range relies on it.
source: Tobin et al. 2017, Domain randomization
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from blendgen.spec.distributions import (
    Choice,
    Constant,
    Distribution,
    SameAs,
    TruncatedNormal,
    possible_values,
)
from blendgen.spec.fields import distribution_field
from blendgen.spec.model import Spec
from blendgen.starter.guess import Guess, rounded

_KEPT = 0.5  # of the range of the spec, or of its images
_TENTHS = (0.05, 0.95)
_DEVIATIONS = 3.29  # of a normal distribution, between these quantiles
_MIXED = ("surface.color", "surface.kind")
# values that others are measured with; and noise, as photos have no more of it than they show
_EXACT = (
    "exposure.white_balance", "exposure.white_balance_temperature_k", "sensor.natural_vignetting",
    "exposure.gain_db", "sensor.full_well_e", "sensor.read_noise_e",
)  # fmt: skip


def with_variety(guesses: Iterable[Guess], spec: Spec) -> list[Guess]:
    """The Guesses in their order; one that refers to another by same_as comes after it."""
    varied: dict[str, Guess] = {}
    for guess in guesses:
        varied[guess.field] = _varied(guess, spec, varied)
    return [*varied.values()]


def _varied(guess: Guess, spec: Spec, before: dict[str, Guess]) -> Guess:
    section, name = getattr(spec, str(guess.path[0])), str(guess.path[-1])
    own = getattr(section, name, None) if len(guess.path) == 2 else None
    if not isinstance(own, Distribution) or guess.value is None or guess.field in _EXACT:
        return guess
    if guess.field in _MIXED:
        return _mixed(guess, own)
    field: Any = distribution_field(type(section).model_fields[name])
    measured = field.distribution(guess.value)
    width = _KEPT * _width(own) / (_TENTHS[1] - _TENTHS[0])
    bounds = field.low, field.high
    if isinstance(measured, SameAs):
        return _apart(guess, measured, width, bounds, before)
    if isinstance(measured, TruncatedNormal):
        return _deviating(guess, measured, _KEPT * _width(own) / _DEVIATIONS, bounds)
    low, high = measured.support()
    if high - low >= width:
        return guess
    start = max(bounds[0], (low + high - width) / 2)
    end = min(bounds[1], start + width)
    return _wider(guess, {"uniform": [rounded(max(bounds[0], end - width)), rounded(end)]})


def _width(own: Distribution) -> float:
    """Of the middle nine tenths."""
    if isinstance(own, Constant | SameAs) or own.dimensions != 1:
        return 0.0
    if isinstance(own, Choice):
        low, high = own.support()
        return 0.9 * (high - low)
    low, high = (own.quantile(u) for u in _TENTHS)
    return float(high - low)


def _deviating(
    guess: Guess, measured: TruncatedNormal, deviation: float, bounds: tuple[float, float]
) -> Guess:
    if measured.standard_deviation >= deviation:
        return guess
    low, high = (measured.mean + sign * 2 * deviation for sign in (-1, 1))
    ends = max(bounds[0], min(measured.low, low)), min(bounds[1], max(measured.high, high))
    values = [rounded(one) for one in (measured.mean, deviation, *ends)]
    return _wider(guess, {"truncated_normal": values})


def _apart(
    guess: Guess, measured: SameAs, width: float, bounds: tuple[float, float], before: dict[str, Guess]
) -> Guess:
    """Around the other value, as far as the bounds of the field allow."""
    other = before[measured.path].value
    low, high = other["uniform"] if isinstance(other, dict) else (other, other)
    reach = rounded(min(width / 2, low - bounds[0], bounds[1] - high))
    if reach <= 0:
        return guess
    value = {"same_as": measured.path, "plus": {"uniform": [-reach, reach]}}
    return replace(guess, value=value, reason=f"{guess.reason}; they differ half as much as in the spec")


def _mixed(guess: Guess, own: Distribution) -> Guess:
    """Half of the images as in the photos, half as in the spec."""
    measured = _weights(guess.value)
    others = {value: weight for value, weight in _own_weights(own).items() if weight > 0}
    others = {value: weight for value, weight in others.items() if value not in measured}
    if not others:
        return guess
    share = sum(measured.values()) * _KEPT / (1 - _KEPT) / sum(others.values())
    weights = measured | {value: rounded(weight * share) for value, weight in others.items()}
    reason = f"{guess.reason}; half of the images are so, the others as in the spec"
    return replace(guess, value={"choice": weights}, reason=reason)


def _weights(value: Any) -> dict[str, float]:
    return dict(value["choice"]) if isinstance(value, dict) else {value: 1}


def _own_weights(own: Distribution) -> dict[Any, float]:
    if isinstance(own, Choice):
        return dict(zip(own.values, own.weights, strict=True))
    return dict.fromkeys(possible_values(own), 1.0)


def _wider(guess: Guess, value: Any) -> Guess:
    return replace(guess, value=value, reason=f"{guess.reason}; widened to half of the range of the spec")
