"""Scan: a folder of model files in, one Source per model out; no file is opened.

Each folder is visited once, however many links lead to it. Links that lead out of the scanned folder are left
out with a warning, unless they are to be followed.

Sources are sorted by path, ignoring letter case first, so their order is the same on every machine. A product
is named after its file; if that would not be unique, after the folder that distinguishes the files.
Sub-folders of the scanned folder may serve as classes (Source.folder).
"""

from __future__ import annotations

import logging
import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePath
from typing import Literal, get_args

from blendgen.errors import CatalogError
from blendgen.files.names import is_hidden, printable
from blendgen.models.source import Source
from blendgen.scene.vocabulary import METRES_PER_UNIT

_log = logging.getLogger(__name__)

MODEL_SUFFIXES = ("glb", "gltf", "obj", "stl", "ply", "fbx", "usd", "usda", "usdc", "usdz", "blend")
UNITLESS_SUFFIXES = ("obj", "stl", "ply")
UpAxis = Literal["x", "y", "z"]
UP_AXES: tuple[UpAxis, ...] = get_args(UpAxis)
_MAX_NAMED = 5

# Folders named after a format or a kind of file say nothing about the product in them.
_UNINFORMATIVE = re.compile(
    r"(gltf|glb|obj|stl|ply|fbx|usd|blend|mesh|model|texture|visual|collision|source|google_|lod).*", re.I
)
_RESERVED_ON_WINDOWS = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.I)


def scan_directory(
    folder: Path,
    display: str,
    unit: str | None,
    up: str | None,
    follow_links: bool = False,
    allow_outside: bool = False,
) -> list[Source]:
    """All models below `folder`, as sources of kind "mesh".

    display: the folder as the user wrote it, for messages
    unit: "m", "cm", "mm", "in" or "ft", overriding what the files say; None: as the files say
    up: "x", "y" or "z" for formats that do not state it; None: as usual for the format
    follow_links: also links to files and folders that lie outside of `folder`
    allow_outside: the models may be read with other files from outside of `folder`
    raises: CatalogError for a folder that is missing or contains no model
    """
    check_options(display, unit, up)
    _check_folder(folder, display)
    paths = [path.relative_to(folder) for path in _model_files(folder, display, follow_links)]
    limits = {"root": str(folder.absolute()), **({"allow_outside": True} if allow_outside else {})}
    if not paths:
        raise CatalogError(f"{display}: no model in this folder; expected files {_suffix_list()}")
    return [
        Source(
            name=name,
            folder=path.parts[0] if len(path.parts) > 1 else "",
            kind="mesh",
            options={"path": str((folder / path).absolute()), "unit": unit, "up": up, **limits},
            display=str(Path(display, path)).encode("utf-8", "replace").decode(),
        )
        for path, name in zip(paths, product_names(paths), strict=True)
    ]


def check_options(display: str, unit: str | None, up: str | None) -> None:
    """Raises CatalogError for an unknown unit or axis; the arguments are those of scan_directory."""
    if unit is not None and unit not in METRES_PER_UNIT:
        raise CatalogError(f"{display}: unit must be one of {', '.join(METRES_PER_UNIT)}; got {unit!r}")
    if up is not None and up not in UP_AXES:
        raise CatalogError(f"{display}: up must be one of {', '.join(UP_AXES)}; got {up!r}")


def _check_folder(folder: Path, display: str) -> None:
    if folder.is_dir():
        return
    if folder.exists():
        raise CatalogError(f"{display}: is a file; expected the folder that holds the models")
    raise CatalogError(
        f"{display}: the folder does not exist; expected a folder with models {_suffix_list()}"
    )


def _suffix_list() -> str:
    return "(" + " ".join("." + suffix for suffix in MODEL_SUFFIXES) + ")"


def _model_files(folder: Path, display: str, follow_links: bool) -> list[Path]:
    walk = _Walk(folder, follow_links)
    try:
        walk.visit_all()
    except OSError as error:
        raise CatalogError(f"{display}: cannot be read: {error.strerror}: {error.filename}") from error
    if walk.outside:
        _log.warning("%s: %s", display, _left_out(walk.outside, folder))
    if walk.odd:
        _log.warning("%s: not a regular file, left out: %s", display, _listed(walk.odd, folder))
    return sorted(walk.models, key=_order)


def _order(path: Path) -> tuple[list[str], tuple[str, ...]]:
    return [part.casefold() for part in path.parts], path.parts


def _left_out(links: list[Path], folder: Path) -> str:
    count = f"{len(links)} links that lead" if len(links) > 1 else "a link that leads"
    return f"left out {count} out of this folder: {_listed(links, folder)}; follow_links: true includes them"


def _listed(paths: list[Path], folder: Path) -> str:
    names = [printable(str(path.relative_to(folder))) for path in sorted(paths, key=_order)]
    return ", ".join(names[:_MAX_NAMED]) + (", ..." if len(names) > _MAX_NAMED else "")


class _Walk:
    """The model files below a folder. Real folders are visited before links, so that the result does not
    depend on the order of the file system."""

    def __init__(self, folder: Path, follow_links: bool):
        self._root = os.path.realpath(folder)
        self._follow = follow_links
        self._visited: set[str] = set()
        self._waiting = [folder]
        self._links: list[Path] = []
        self.models: list[Path] = []
        self.outside: list[Path] = []
        self.odd: list[Path] = []

    def visit_all(self) -> None:
        """Raises OSError if a folder cannot be read."""
        while self._waiting or self._links:
            if self._waiting:
                self._visit(self._waiting.pop())
                continue
            links, self._links = sorted(self._links, key=_order), []
            self._waiting = [link for link in reversed(links) if self._allowed(link)]

    def _visit(self, folder: Path) -> None:
        real = os.path.realpath(folder)
        if real in self._visited:
            return
        self._visited.add(real)
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.name != "__MACOSX":
                    self._sort(entry)

    def _sort(self, entry: os.DirEntry) -> None:
        path = Path(entry.path)
        if entry.is_dir():
            (self._links if entry.is_symlink() else self._waiting).append(path)
        elif model_suffix(entry.name) not in MODEL_SUFFIXES:
            return
        elif not entry.is_file():
            self.odd += [path] if path.exists() else []
        elif not entry.is_symlink() or self._allowed(path):
            self.models.append(path)

    def _allowed(self, link: Path) -> bool:
        if self._follow or Path(os.path.realpath(link)).is_relative_to(self._root):
            return True
        self.outside.append(link)
        return False


def model_suffix(path: str | PurePath) -> str:
    """'obj' for 'a/Box.OBJ'."""
    return PurePath(path).suffix[1:].lower()


def product_names(paths: list[Path]) -> list[str]:
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


def _visible(letter: str) -> str:
    """The letter; nothing for a mark of writing direction, "_" for any other invisible one."""
    if not is_hidden(letter):
        return letter
    return "" if unicodedata.category(letter) == "Cf" else "_"


def folder_name(text: str) -> str:
    """The text as a folder name that is valid on Linux, macOS and Windows."""
    readable = text.encode("utf-8", "replace").decode()  # a name that is not UTF-8 has lone surrogates
    name = unicodedata.normalize("NFC", readable)
    name = re.sub(r'[/\\:*?"<>|]', "_", name)
    name = "".join(_visible(letter) for letter in name)
    name = name.strip(" ").lstrip(".").rstrip(". ").strip(" ") or "_"
    return f"{name}_" if _RESERVED_ON_WINDOWS.fullmatch(name) else name
