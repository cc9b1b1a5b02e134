"""Guess: one value of a first spec with its reason; and the YAML text of many, each with its reason.

In: Guesses in the order of the file. Out: text that spec/load.py reads, sections nested by the fields' paths.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from blendgen.files.names import printable
from blendgen.spec.yaml_source import Path as FieldPath
from blendgen.spec.yaml_source import dotted

_WIDTH, _REASON_COLUMN = 108, 44


@dataclass(frozen=True)
class Guess:
    """A value of the spec.

    path: of its field; reason: what it was guessed from, or what it means, in one line
    photo: the name of the photo that it was read off, if any
    is_active: False for an alternative, which the spec names in a comment
    """

    path: FieldPath
    value: Any
    reason: str
    photo: str = ""
    is_active: bool = True

    @property
    def field(self) -> str:
        return dotted(self.path)

    def as_dict(self) -> dict[str, Any]:
        return {"field": self.field, "value": self.value, "reason": self.reason, "photo": self.photo or None}

    def __str__(self) -> str:
        return f"{self.field}: {flow(self.value)}: {self.reason}"


def rounded(value: float, digits: int = 2) -> float:
    """A number that a person would write: with two significant digits."""
    number = float(f"{value:.{digits}g}")
    return int(number) if number == int(number) else number


def uniform(low: float, high: float) -> dict[str, list[float]]:
    return {"uniform": [rounded(low), rounded(high)]}


def flow(value: Any) -> str:
    """A value on one line, as YAML."""
    text = yaml.safe_dump([value], default_flow_style=True, width=10**9, allow_unicode=True, sort_keys=False)
    return text.strip()[1:-1]


def one_line(text: str) -> str:
    """Names of files in a comment: nothing in them may end it."""
    return printable(" ".join(text.split()))


def yaml_text(guesses: Iterable[Guess]) -> str:
    """One line for each value, under the headers of its sections."""
    return "\n".join(_lines(guesses)) + "\n"


def _lines(guesses: Iterable[Guess]) -> Iterator[str]:
    opened: FieldPath = ()
    for guess in guesses:
        sections = guess.path[:-1]
        shared = _shared(opened, sections)
        if sections[:1] != opened[:1]:
            yield ""
        for depth in range(shared, len(sections)):
            if not isinstance(sections[depth], int):
                yield f"{'  ' * depth}{sections[depth]}:"
        is_item = bool(sections) and isinstance(sections[-1], int) and shared < len(sections)
        yield from _entry(guess, "  " * len(sections), is_item)
        opened = sections


def _entry(guess: Guess, indent: str, is_item: bool) -> Iterator[str]:
    """The lines of one value; is_item: it opens an item of a list."""
    before = f"{indent[:-2]}- " if is_item else indent
    line = f"{before}{'' if guess.is_active else '# '}{guess.path[-1]}: {flow(guess.value)}"
    reason = one_line(guess.reason)
    with_reason = f"{line:<{_REASON_COLUMN}}  # {reason}"
    if len(with_reason) <= _WIDTH:
        yield with_reason
        return
    above = indent[:-2] if is_item else indent
    yield from textwrap.wrap(reason, _WIDTH, initial_indent=f"{above}# ", subsequent_indent=f"{above}# ")
    yield line


def _shared(one: FieldPath, other: FieldPath) -> int:
    """How many parts two paths start with in common."""
    pairs = zip(one, other, strict=False)
    return next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
