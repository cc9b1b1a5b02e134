"""Scan: a folder of model files in, one Source per model out; no file is opened.

The order is that of the paths, letter case ignored first, so it is the same on every machine.
A product is named after its file; where that would not be unique, after the folder that tells
the files apart. Sub-folders of the scanned folder may serve as classes (Source.folder).
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath

from blendgen.catalog.source import Source
from blendgen.errors import CatalogError
from blendgen.vocabulary import METRES_PER_UNIT

MODEL_SUFFIXES = ("glb", "gltf", "obj", "stl", "ply", "fbx", "usd", "usda", "usdc", "usdz", "blend")
UNITLESS_SUFFIXES = ("obj", "stl", "ply")
UP_AXES = ("x", "y", "z")

# Folders named after a format or its parts say nothing about the product in them.
_UNINFORMATIVE = re.compile(
    r"(gltf|glb|obj|stl|ply|fbx|usd|blend|mesh|model|texture|visual|collision|source|google_|lod).*", re.I
)
_RESERVED_ON_WINDOWS = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.I)


def scan_directory(folder: Path, display: str, unit: str | None, up: str | None) -> list[Source]:
    """All models below `folder`, as sources of kind "mesh".

    display: the folder as the user wrote it, for messages
    unit: "m", "cm", "mm", "in" or "ft", overriding what the files say; None: as the files say
    up: "x", "y" or "z" for formats that do not say it; None: as is usual for the format
    raises: CatalogError for a folder that is missing or holds no model
    """
    _check_options(display, unit, up)
    _check_folder(folder, display)
    paths = [path.relative_to(folder) for path in _model_files(folder, display)]
    if not paths:
        raise CatalogError(f"{display}: no model in this folder; expected files {_suffix_list()}")
    return [
        Source(
            name=name,
            folder=path.parts[0] if len(path.parts) > 1 else "",
            kind="mesh",
            options={"path": str((folder / path).absolute()), "unit": unit, "up": up},
            display=str(Path(display, path)).encode("utf-8", "replace").decode(),
        )
        for path, name in zip(paths, product_names(paths), strict=True)
    ]


def _check_options(display: str, unit: str | None, up: str | None) -> None:
    if unit is not None and unit not in METRES_PER_UNIT:
        raise CatalogError(f"{display}: unit is one of {', '.join(METRES_PER_UNIT)}, got {unit!r}")
    if up is not None and up not in UP_AXES:
        raise CatalogError(f"{display}: up is one of {', '.join(UP_AXES)}, got {up!r}")


def _check_folder(folder: Path, display: str) -> None:
    if folder.is_dir():
        return
    if folder.exists():
        raise CatalogError(f"{display}: is a file; expected the folder that holds the models")
    raise CatalogError(f"{display}: no such folder; expected a folder with models {_suffix_list()}")


def _suffix_list() -> str:
    return "(" + " ".join("." + suffix for suffix in MODEL_SUFFIXES) + ")"


def _model_files(folder: Path, display: str) -> list[Path]:
    try:
        found = list(_walk(folder, frozenset()))
    except OSError as error:
        raise CatalogError(f"{display}: cannot be read: {error.strerror}: {error.filename}") from error
    return sorted(found, key=lambda path: ([part.casefold() for part in path.parts], path.parts))


def _walk(folder: Path, ancestors: frozenset[str]) -> Iterator[Path]:
    real = os.path.realpath(folder)
    if real in ancestors:  # a symbolic link back to a folder that holds it
        return
    for entry in os.scandir(folder):
        if entry.name.startswith(".") or entry.name == "__MACOSX":
            continue
        if entry.is_dir():
            yield from _walk(Path(entry.path), ancestors | {real})
        elif entry.is_file() and model_suffix(entry.name) in MODEL_SUFFIXES:
            yield Path(entry.path)


def model_suffix(path: str | PurePath) -> str:
    """'obj' for 'a/Box.OBJ'."""
    return PurePath(path).suffix[1:].lower()


def product_names(paths: list[Path]) -> list[str]:
    """A unique name, usable as a folder name, for each relative path; letter case does not tell apart."""
    stems = _stems(paths)
    groups: dict[str, list[int]] = defaultdict(list)
    for position, stem in enumerate(stems):
        groups[stem.casefold()].append(position)

    def by_folder(position: int) -> str:
        group = groups[stems[position].casefold()]
        return _telling_folder(position, group, paths) if len(group) > 1 else stems[position]

    forms: list[Callable[[int], str]] = [lambda i: stems[i], by_folder]
    forms.append(lambda i: by_folder(i) + (f"__{stems[i]}" if by_folder(i) != stems[i] else ""))
    for parents in range(1, max((len(path.parts) for path in paths), default=0)):
        forms.append(lambda i, parents=parents: "__".join((*paths[i].parts[:-1][-parents:], stems[i])))
    forms.append(lambda i: f"{i + 1:04d}__" + "__".join(paths[i].parts))
    return _first_unique(forms, list(groups.values()))


def _first_unique(forms: list[Callable[[int], str]], groups: list[list[int]]) -> list[str]:
    """Per group the first form that is unique; a group whose name clashes moves on as a whole."""
    level = [0] * len(groups)
    while True:
        names = {i: folder_name(forms[level[g]](i)) for g, group in enumerate(groups) for i in group}
        uses = Counter(name.casefold() for name in names.values())
        clashing = [g for g, group in enumerate(groups) if any(uses[names[i].casefold()] > 1 for i in group)]
        advancing = [g for g in clashing if level[g] < len(forms) - 1]
        if not advancing:
            return [names[i] for i in sorted(names)]
        for g in advancing:
            level[g] += 1


def _stems(paths: list[Path]) -> list[str]:
    """File stems, with the suffix joined where one folder holds the same stem twice."""
    uses = Counter((path.parent, path.stem.casefold()) for path in paths)
    return [
        f"{path.stem}_{path.suffix[1:]}" if uses[path.parent, path.stem.casefold()] > 1 else path.stem
        for path in paths
    ]


def _telling_folder(position: int, group: list[int], paths: list[Path]) -> str:
    """Name of the nearest folder above the file that no other file of the group shares; else its stem."""
    depth = min(len(paths[i].parts) for i in group) - 1
    for level in range(1, depth + 1):
        names = [paths[i].parts[-1 - level] for i in group]
        told_apart = len({name.casefold() for name in names}) == len(names)
        if told_apart and not any(_UNINFORMATIVE.fullmatch(name) for name in names):
            return paths[position].parts[-1 - level]
    return paths[position].stem


def folder_name(text: str) -> str:
    """The text as a name that one folder can have on Linux, macOS and Windows."""
    readable = text.encode("utf-8", "replace").decode()  # a name that is not UTF-8 has lone surrogates
    name = unicodedata.normalize("NFC", readable)
    name = re.sub(r'[/\\:*?"<>|\x00-\x1f\x7f]', "_", name)
    name = name.strip(" ").lstrip(".").rstrip(". ").strip(" ") or "_"
    return f"{name}_" if _RESERVED_ON_WINDOWS.fullmatch(name) else name
