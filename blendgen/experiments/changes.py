"""Changes: what to change in a spec where a classifier is blind or takes a shortcut.

In: an Effect and the text of the spec. Out: Guesses that edit.py writes, each checked against the schema, and
sentences on what a spec cannot change.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blendgen.errors import SpecError
from blendgen.experiments.effects import Effect, Verdict
from blendgen.matching.edit import edited
from blendgen.spec.distributions import (
    Choice,
    Distribution,
    Integers,
    LogUniform,
    Normal,
    TruncatedNormal,
    Uniform,
)
from blendgen.spec.load import check_spec
from blendgen.spec.yaml_source import parse
from blendgen.starter.guess import Guess, rounded

COMMAND = "probe"
_WIDER = 0.25  # of the range, at the end that is hard
_DIGITS = 3


@dataclass(frozen=True)
class Changes:
    """values: to be written; others: advice for which there is no value; text: of the changed spec"""

    values: tuple[Guess, ...]
    others: tuple[str, ...]
    text: str
    diff: str


def changes(text: str, name: str, folder: Path, effects: Sequence[Effect]) -> Changes:
    """text: of the spec; name: of its file; folder: of its relative paths"""
    values: list[Guess] = []
    others: list[str] = []
    for effect in effects:
        guess = _guess(effect)
        if guess is not None and _is_valid(edited(text, [*values, guess], COMMAND), name, folder):
            values.append(guess)
        elif advice := _advice(effect):
            others.append(advice)
    after = edited(text, values, COMMAND) if values else text
    return Changes(tuple(values), tuple(others), after, _diff(text, after, name))


def _diff(before: str, after: str, name: str) -> str:
    first, second = (text.splitlines(keepends=True) for text in (before, after))
    return "".join(difflib.unified_diff(first, second, fromfile=name, tofile=name))


def _is_valid(text: str, name: str, folder: Path) -> bool:
    try:
        check_spec(parse(text, name), folder)
    except SpecError:
        return False
    return True


def _guess(effect: Effect) -> Guess | None:
    distribution = effect.factor.distribution
    value = None
    if effect.verdict == Verdict.BLIND:
        value = _wider(distribution, effect)
    elif effect.verdict == Verdict.SHORTCUT and isinstance(distribution, Choice):
        value = _evened(distribution)
    if value is None:
        return None
    return Guess(tuple(effect.factor.name.split(".")), value, _evidence(effect))


def _evidence(effect: Effect) -> str:
    if effect.verdict == Verdict.SHORTCUT:
        return "each value as often: the classifier tells classes by it"
    levels, shares = effect.factor.levels, effect.accuracy
    return (
        f"{_percent(shares[effect.worst].value)} right at {levels[effect.worst].name}, "
        f"{_percent(shares[effect.best].value)} at {levels[effect.best].name}"
    )


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def _wider(distribution: Distribution, effect: Effect) -> Any:
    """The plain value of a distribution with more of what is hard; None where there is none."""
    is_high = effect.worst == len(effect.factor.levels) - 1
    if isinstance(distribution, Choice):
        return _more_of(distribution, effect.factor.levels[effect.worst].value)
    if isinstance(distribution, Normal):
        return {"normal": [distribution.mean, _round(distribution.standard_deviation * (1 + _WIDER))]}
    if not 0 < effect.worst < len(effect.factor.levels) - 1 and isinstance(
        distribution, Uniform | LogUniform | TruncatedNormal | Integers
    ):
        low, high = _ends(distribution, is_high)
        parameters = distribution.plain()[distribution.keyword][:-2]
        return {distribution.keyword: [*parameters, low, high]}
    return None


def _ends(
    distribution: Uniform | LogUniform | TruncatedNormal | Integers, is_high: bool
) -> tuple[float, float]:
    low, high = distribution.low, distribution.high
    if isinstance(distribution, LogUniform):
        ratio = (high / low) ** _WIDER
        return (low, _round(high * ratio)) if is_high else (_round(low / ratio), high)
    more = _WIDER * (high - low)
    if isinstance(distribution, Integers):
        more = max(1, round(more))
    return (low, _round(high + more)) if is_high else (_round(low - more), high)


def _round(value: float) -> float:
    return rounded(value, _DIGITS)


def _more_of(choice: Choice, value: Any) -> Any:
    """Twice the weight for one value."""
    weights = {
        own: weight * (2 if own == value else 1)
        for own, weight in zip(choice.values, choice.weights, strict=True)
    }
    return {"choice": {key: rounded(weight, _DIGITS) for key, weight in weights.items()}}


def _evened(choice: Choice) -> Any:
    """None where all values are equally likely already."""
    if len({weight for weight in choice.weights if weight > 0}) == 1:
        return None
    return {"choice": list(choice.possible())}


def _advice(effect: Effect) -> str:
    """For shortcuts see cause.py."""
    name = effect.factor.name
    if effect.verdict == Verdict.BLIND:
        level = effect.factor.levels[effect.worst].name
        return f"{name}: the range cannot be wider; make more images at {level}"
    return ""
