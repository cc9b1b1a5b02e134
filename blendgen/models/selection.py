"""Selection: the models that `models` of a section selects, and models that share a name.

An entry is the name of a model, its file relative to the directory, or a pattern for one of the two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from blendgen.errors import did_you_mean
from blendgen.models.product_names import product_name
from blendgen.models.recolor import matches
from blendgen.models.source import Source


def is_pattern(entry: str) -> bool:
    return "*" in entry or "?" in entry


def selection(
    entries: Sequence[str], sources: Sequence[Source]
) -> tuple[list[Source], dict[int, tuple[str, str]]]:
    """The selected sources in the order of the entries, and (entry, advice) for each that selects none."""
    by_name: dict[str, list[int]] = defaultdict(list)
    for number, source in enumerate(sources):
        for name in {source.name, source.file} - {""}:
            by_name[name].append(number)
    selected = [_matching(entry, by_name) for entry in entries]
    unknown = {
        i: (entry, _advice(entry, sources))
        for i, (entry, numbers) in enumerate(zip(entries, selected, strict=True))
        if not numbers
    }
    return [sources[number] for number in dict.fromkeys(n for numbers in selected for n in numbers)], unknown


def _matching(entry: str, by_name: Mapping[str, list[int]]) -> list[int]:
    if not is_pattern(entry):
        return by_name.get(entry, [])
    return sorted({number for name, numbers in by_name.items() if matches(entry, name) for number in numbers})


def _advice(entry: str, sources: Iterable[Source]) -> str:
    for source in sources:
        if source.former_name == entry:
            return f"; it is called {source.name} now"
    return did_you_mean(entry, (source.name for source in sources))


@dataclass(frozen=True)
class NameClash:
    """Models with one name, letter case aside; advice: how to give them different ones."""

    name: str
    files: tuple[str, ...]
    advice: str


def name_clashes(sources: Iterable[Source]) -> list[NameClash]:
    """One for each name that several sources have."""
    having: dict[str, list[Source]] = defaultdict(list)
    for source in sources:
        having[source.name.casefold()].append(source)
    return [_clash(group) for group in having.values() if len(group) > 1]


def _clash(group: list[Source]) -> NameClash:
    advice = "rename one, or let `models` select files (docs/models.md)"
    paths = {product_name(PurePath(source.file), "path").casefold() for source in group}
    if len(paths) == len(group):
        advice += ", or set names: path"
    return NameClash(group[0].name, tuple(source.display for source in group), advice)
