"""Lookup: a name in a model file in, the file near the model that it means out. Does not load bpy.

A model often names its textures by a path on its author's machine, by a path relative to another folder, or
in another letter case than on disk. A file is then looked up by name, nearest folder first: the folder that
the sidecar states; the end of the path; the model's folder; folders of textures in it, and other sub-folders
that hold no models; then folders of textures next to the parent folders. Letter case and Unicode normal form
do not count where no file has the exact name. The order of a folder on disk does not matter.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from blendgen.files.disk import raise_if_passing
from blendgen.files.names import nfc
from blendgen.models.companions import IMAGE_SUFFIXES, LIBRARY, TEXTURE, Companions
from blendgen.models.scan import MODEL_SUFFIXES, model_suffix

_NEAR = ("textures", "texture", "tex", "maps", "images")
_TEXTURE_FOLDERS = (*_NEAR, "image", "img", "materials")  # also all that start with "textur"
_MAX_PARENTS = 2
_MAX_LISTED = 100_000  # names in one folder
# in which a name was written that is not valid UTF-8
_ENCODINGS = ("cp1252", "cp1251", "cp1250", "shift_jis", "gb18030", "big5", "euc_kr", "cp437")


@dataclass(frozen=True)
class Found:
    """What a name means.

    file: None if there is none that may be read
    is_outside: a file has the name, but it may not be read
    renamed: the file has another extension
    """

    file: Path | None
    is_outside: bool = False
    renamed: bool = False


@dataclass(frozen=True)
class _Listing:
    """Sorted names of the files and of the sub-folders of a folder."""

    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()

    @cached_property
    def alike(self) -> dict[str, list[str]]:
        """The files that differ only in letter case, by their key."""
        return _grouped(self.files, _key)

    @cached_property
    def of_stem(self) -> dict[str, list[str]]:
        return _grouped(self.files, lambda file: _key(Path(file).stem))

    @cached_property
    def folders_alike(self) -> dict[str, list[str]]:
        return _grouped(self.folders, _key)

    @cached_property
    def has_models(self) -> bool:
        return any(model_suffix(file) in MODEL_SUFFIXES for file in self.files)


_NOTHING = _Listing()


class Listings:
    """The names in folders, each of which is read once."""

    def __init__(self) -> None:
        self._read: dict[Path, _Listing] = {}

    def of(self, folder: Path) -> _Listing:
        if folder not in self._read:
            self._read[folder] = _entries(folder)
        return self._read[folder]


class Lookup:
    """Looks up the names of one model. Raises nothing for names that are not paths.

    listings: to share with the lookups of other models
    """

    def __init__(self, companions: Companions, listings: Listings | None = None):
        self._companions = companions
        self._listings = listings or Listings()
        self._listed: dict[Path, _Listing] = {}
        self._met_outside = False

    def texture(self, name: str) -> Found:
        """The file of a texture; if there is none, an image of the same name with another extension."""
        self._met_outside = False
        try:
            return self._texture(_path_of(self._companions.ask(TEXTURE, name)))
        except (OSError, ValueError):  # not a valid path: it has a null byte, or is too long
            return Found(None)

    def library(self, name: str) -> Path | None:
        """The file of a material library: where the model says, or next to it; letter case may differ."""
        try:
            named = _path_of(self._companions.ask(LIBRARY, name))
            places = (*self._ends_of(named), self._companions.folder)
            return self._exact((str(named),)) or self._in_places(places, named.name)
        except (OSError, ValueError):
            return None

    def _texture(self, named: PurePosixPath) -> Found:
        stated = self._companions.textures
        exact = [f"{stated}/{named.name}"] if stated else []
        first = [self._companions.folder / stated] if stated else []
        file = (
            self._exact(exact)
            or self._in_places(first, named.name)
            or self._exact((str(named), *(str(end / named.name) for end in self._ends_of(named))))
            or self._exact(f"{near}/{named.name}" for near in (".", *_NEAR))
            or self._in_places(self._places(named), named.name)
        )
        if file is not None or self._met_outside:
            return Found(file, is_outside=file is None)
        places = (*first, *self._places(named))
        renamed = next((file for place in places if (file := self._renamed(place, named.stem))), None)
        return Found(renamed, renamed=renamed is not None)

    def _exact(self, names: Iterable[str]) -> Path | None:
        """The first file of names relative to the model's folder."""
        files = (self._allowed(self._companions.folder / name) for name in names)
        return next((file for file in files if file is not None), None)

    def _in_places(self, places: Iterable[Path], name: str) -> Path | None:
        for place in places:
            for spelling in _spellings(name):
                file = self._match(place, spelling)
                if file is not None:
                    return file
        return None

    def _match(self, place: Path, name: str) -> Path | None:
        """The file of that name in a folder; else the first whose name differs only in letter case."""
        alike = self._list(place).alike.get(_key(name), ())
        for file in sorted(alike, key=lambda file: (file != name, file)):
            if allowed := self._allowed(place / file):
                return allowed
        return None

    def _renamed(self, place: Path, stem: str) -> Path | None:
        alike = self._list(place).of_stem.get(_key(stem), ())
        images = [file for file in alike if model_suffix(file) in IMAGE_SUFFIXES]
        chosen = sorted(images, key=lambda file: (IMAGE_SUFFIXES.index(model_suffix(file)), file))
        return next((allowed for file in chosen if (allowed := self._allowed(place / file))), None)

    def _allowed(self, file: Path) -> Path | None:
        if not file.is_file():
            return None
        allowed = self._companions.inside(str(file))
        self._met_outside |= allowed is None
        return allowed

    def _places(self, named: PurePosixPath) -> Iterator[Path]:
        folder = self._companions.folder
        yield from self._ends_of(named)
        yield folder
        yield from self._texture_folders(folder)
        yield from self._other_folders(folder)
        for parent in folder.parents[:_MAX_PARENTS]:
            if self._companions.allows(str(parent)):
                yield from self._texture_folders(parent)
                yield parent

    def _ends_of(self, named: PurePosixPath) -> Iterator[Path]:
        """Folders near the model that are called like the end of the path, the longest end first."""
        parts = [part for part in named.parts[:-1] if part != "/" and not part.endswith(":")]
        for start in range(len(parts)):
            place: Path | None = self._companions.folder
            for part in parts[start:]:
                place = place and self._sub_folder(place, part)
            if place is not None:
                yield place

    def _sub_folder(self, folder: Path, name: str) -> Path | None:
        if name == "..":
            return folder.parent
        alike = self._list(folder).folders_alike.get(_key(name))
        return folder / min(alike, key=lambda sub: (sub != name, sub)) if alike else None

    def _texture_folders(self, folder: Path) -> Iterator[Path]:
        subs = [sub for sub in self._list(folder).folders if _holds_textures(sub)]
        for sub in sorted(subs, key=lambda sub: (not _key(sub).startswith("textur"), sub)):
            yield folder / sub
            yield from (
                folder / sub / inner for inner in self._list(folder / sub).folders if _holds_textures(inner)
            )

    def _other_folders(self, folder: Path) -> Iterator[Path]:
        """Sub-folders without models of their own, those that are called like the model first."""
        stem = _key(self._companions.model.stem)
        subs = [sub for sub in self._list(folder).folders if not _holds_textures(sub)]
        for sub in sorted(subs, key=lambda sub: (not _key(sub).startswith(stem), sub)):
            if not self._list(folder / sub).has_models:
                yield folder / sub

    def _list(self, folder: Path) -> _Listing:
        """What is in a folder; nothing if it may not be read."""
        if folder not in self._listed:
            allowed = self._companions.allows(str(folder))
            self._listed[folder] = self._listings.of(folder) if allowed else _NOTHING
        return self._listed[folder]


def _entries(folder: Path) -> _Listing:
    """What is in a folder; nothing if it cannot be read, or is too large."""
    files: list[str] = []
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number >= _MAX_LISTED:
                    return _NOTHING
                (folders if entry.is_dir() else files).append(entry.name)
    except OSError as error:
        raise_if_passing(folder, error)
        return _NOTHING
    return _Listing(tuple(sorted(files)), tuple(sorted(folders)))


def _grouped(names: Iterable[str], key: Callable[[str], str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(key(name), []).append(name)
    return groups


def _holds_textures(folder: str) -> bool:
    return _key(folder) in _TEXTURE_FOLDERS or _key(folder).startswith("textur")


def _path_of(name: str) -> PurePosixPath:
    return PurePosixPath(name.replace("\\", "/").removeprefix("file://"))


def _key(name: str) -> str:
    return nfc(name).casefold()


def _spellings(name: str) -> Iterator[str]:
    """The name; as a URL; and as the text that its bytes are in other encodings."""
    yield name
    if "%" in name:
        yield unquote(name)
    if any("\udc80" <= letter <= "\udcff" for letter in name):
        for encoding in _ENCODINGS:
            try:
                yield os.fsencode(name).decode(encoding)
            except UnicodeDecodeError:
                continue
