"""Former names: by the rule that product_names.py replaced, to map older data sets to today's names.

A product was named after its file; if that was not unique, after the folder that distinguished the files, so
a name could change when a file was added.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path

from blendgen.models.product_names import folder_name

# the formats that were read then
_SUFFIXES = (".glb", ".gltf", ".obj", ".stl", ".ply", ".fbx", ".usd", ".usda", ".usdc", ".usdz", ".blend")
_UNINFORMATIVE = re.compile(
    r"(gltf|glb|obj|stl|ply|fbx|usd|blend|mesh|model|texture|visual|collision|source|google_|lod).*", re.I
)


def former_names(paths: list[Path]) -> dict[Path, str]:
    """The name that each file of a folder had; paths: of all its model files, relative to it."""
    known = [path for path in paths if path.suffix.lower() in _SUFFIXES]
    known.sort(key=lambda path: ([part.casefold() for part in path.parts], path.parts))
    return dict(zip(known, _names(known), strict=True))


def _names(paths: list[Path]) -> list[str]:
    """A unique name, usable as a folder name, for each relative path; letter case is ignored."""
    stems = _stems(paths)
    groups: dict[str, list[int]] = defaultdict(list)
    for position, stem in enumerate(stems):
        groups[stem.casefold()].append(position)
    folders = list(stems)
    for group in groups.values():
        level = _distinguishing_level(group, paths) if len(group) > 1 else 0
        for position in group if level else ():
            folders[position] = paths[position].parts[-1 - level]
        for position in group if len(group) > 1 and not level else ():
            folders[position] = paths[position].stem
    forms: list[Callable[[int], str]] = [lambda i: stems[i], lambda i: folders[i]]
    forms.append(lambda i: folders[i] + (f"__{stems[i]}" if folders[i] != stems[i] else ""))
    for parents in range(1, max((len(path.parts) for path in paths), default=0)):
        forms.append(partial(_with_parents, paths, stems, parents))
    forms.append(lambda i: f"{i + 1:04d}__" + "__".join(paths[i].parts))
    return _first_unique(forms, list(groups.values()))


def _with_parents(paths: list[Path], stems: list[str], parents: int, i: int) -> str:
    return "__".join((*paths[i].parts[:-1][-parents:], stems[i]))


def _first_unique(forms: list[Callable[[int], str]], groups: list[list[int]]) -> list[str]:
    """For each group the first form that is unique; a group whose name clashes moves on as a whole.

    All clashing groups move on at once, and only they are checked again: each group is named once per form.
    """
    level = [-1] * len(groups)
    names: dict[int, str] = {}
    owners: dict[str, Counter[int]] = defaultdict(Counter)  # case-folded name -> its groups
    advancing = set(range(len(groups)))
    while advancing:
        for g in advancing:
            _forget(groups[g], g, names, owners)
            level[g] += 1
            for i in groups[g]:
                names[i] = folder_name(forms[level[g]](i))
                owners[names[i].casefold()][g] += 1
        renamed = {names[i].casefold() for g in advancing for i in groups[g]}
        clashing = {g for name in renamed if owners[name].total() > 1 for g in owners[name]}
        advancing = {g for g in clashing if level[g] < len(forms) - 1}
    return [names[i] for i in sorted(names)]


def _forget(group: list[int], g: int, names: dict[int, str], owners: dict[str, Counter[int]]) -> None:
    for i in group:
        if i in names:
            owners[names[i].casefold()].pop(g, None)


def _stems(paths: list[Path]) -> list[str]:
    """File stems, with the suffix appended if the folder contains the same stem twice."""
    uses = Counter((path.parent, path.stem.casefold()) for path in paths)
    return [
        f"{path.stem}_{path.suffix[1:]}" if uses[path.parent, path.stem.casefold()] > 1 else path.stem
        for path in paths
    ]


def _distinguishing_level(group: list[int], paths: list[Path]) -> int:
    """How many levels up each file of the group is in a folder of its own; 0 if they never are."""
    depth = min(len(paths[i].parts) for i in group) - 1
    for level in range(1, depth + 1):
        names = [paths[i].parts[-1 - level] for i in group]
        are_unique = len({name.casefold() for name in names}) == len(names)
        if are_unique and not any(_UNINFORMATIVE.fullmatch(name) for name in names):
            return level
    return 0
