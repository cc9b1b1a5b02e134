"""Selection: the models that `models` of a section selects, and models that share a name.

An entry is the name of a model, its file relative to the directory, or a pattern for one of the two. A
pattern selects collision meshes only if it says so, such as */collision/*: the names of others often begin
like that of their product.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import NamedTuple

from blendgen.errors import CatalogError, did_you_mean
from blendgen.files.names import some_of
from blendgen.models.product_names import is_collision_mesh, product_name
from blendgen.models.recolor import matches
from blendgen.models.source import Source

_log = logging.getLogger(__name__)
_WAY_OUT = "`models` in a spec selects files, and `blendgen models FILE` checks one"


class Selection(NamedTuple):
    """What the entries of `models` select.

    sources: in the order of the entries; unknown: (entry, advice) for each that selects none, by its place
    left_out: collision meshes that patterns match, but no entry selects
    """

    sources: list[Source]
    unknown: dict[int, tuple[str, str]]
    left_out: list[Source]


def is_pattern(entry: str) -> bool:
    return "*" in entry or "?" in entry


def without_collision_meshes(sources: list[Source], display: str) -> list[Source]:
    """The sources that are used if none is chosen; warns of the others.

    raises: CatalogError if all are collision meshes
    """
    visible = [source for source in sources if not _is_hull(source)]
    left_out = [source for source in sources if _is_hull(source)]
    if not visible:
        raise CatalogError(f"{display}: only collision meshes: {_files(left_out)}; {_WAY_OUT}")
    warn_of_collision_meshes(left_out, display)
    return visible


def warn_of_collision_meshes(left_out: list[Source], display: str) -> None:
    if left_out:
        _log.warning("%s: left out collision meshes: %s; %s", display, _files(left_out), _WAY_OUT)


def selection(entries: Sequence[str], sources: Sequence[Source]) -> Selection:
    by_name: dict[str, list[int]] = defaultdict(list)
    for number, source in enumerate(sources):
        for name in {source.name, source.file} - {""}:
            by_name[name].append(number)
    matching = [_matching(entry, by_name) for entry in entries]
    hulls = {number for number, source in enumerate(sources) if _is_hull(source)}
    selected = [
        numbers if _may_be_hull(entry) else [number for number in numbers if number not in hulls]
        for entry, numbers in zip(entries, matching, strict=True)
    ]
    unknown = {
        i: (entry, _advice(entry, [sources[number] for number in matching[i]], sources))
        for i, (entry, numbers) in enumerate(zip(entries, selected, strict=True))
        if not numbers
    }
    chosen = dict.fromkeys(number for numbers in selected for number in numbers)
    left_out = {number for numbers in matching for number in numbers} - chosen.keys()
    return Selection(
        [sources[number] for number in chosen], unknown, [sources[number] for number in sorted(left_out)]
    )


def _is_hull(source: Source) -> bool:
    """Whether a source is a collision mesh."""
    return bool(source.file) and is_collision_mesh(PurePath(source.file))


def _files(sources: Iterable[Source]) -> str:
    return some_of([source.file for source in sources])


def _may_be_hull(entry: str) -> bool:
    """Whether an entry means collision meshes too; it may be a name, which has no suffix."""
    return not is_pattern(entry) or any(is_collision_mesh(PurePath(one)) for one in (entry, f"{entry}.x"))


def _matching(entry: str, by_name: Mapping[str, list[int]]) -> list[int]:
    if not is_pattern(entry):
        return by_name.get(entry, [])
    return sorted({number for name, numbers in by_name.items() if matches(entry, name) for number in numbers})


def _advice(entry: str, matching: Sequence[Source], sources: Iterable[Source]) -> str:
    """matching: collision meshes"""
    if matching:
        return f" but collision meshes: {_files(matching)}; give their files to use them"
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
    advice = "rename one; or, in a spec, let `models` select files"
    paths = {product_name(PurePath(source.file), "path").casefold() for source in group}
    if len(paths) == len(group):
        advice += ", or set names: path"
    return NameClash(group[0].name, tuple(source.display for source in group), advice)
