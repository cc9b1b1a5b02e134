"""Reads: the files that a model is read with in addition to its own, and what they contain.

Which files these are is known only after the model was measured: the importer reports everything that it
looked for (Companions.looked_for). The states of these are stored with the entry of the cache, which is valid
while all of them are the same. So a file that changes makes the model measured again, and a missing file that
appears; any other file does not.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from blendgen.files.disk import passes
from blendgen.files.regular_file import MAX_MODEL_BYTES, open_regular
from blendgen.models.companions import FILE, LIBRARY, TEXTURE, TILES, Companions
from blendgen.models.lookup import Listings, Lookup

_ABSENT, _OUTSIDE, _FOLDER, _UNREADABLE = "", "outside", "folder", "unreadable"
_BETWEEN_TILES = "\n"
_NOT_READ = (_ABSENT, _OUTSIDE, _FOLDER, _UNREADABLE)


class Disk:
    """What is on disk. However many models use a file or a folder, it is read once.

    A file that changes is read again; a folder is not. So each run has a new one.
    """

    def __init__(self) -> None:
        self.listings = Listings()
        self._digests: dict[tuple[int, ...], str] = {}

    def sha256(self, path: Path) -> str:
        """Hex digest of a file; raises OSError, also for one that is not regular or too large."""
        with open_regular(path, MAX_MODEL_BYTES) as file:
            status = os.fstat(file.fileno())
            mark = (
                *(status.st_dev, status.st_ino, status.st_size),
                *(status.st_mtime_ns, status.st_ctime_ns),
            )
            if mark not in self._digests:
                self._digests[mark] = hashlib.file_digest(file, "sha256").hexdigest()
            return self._digests[mark]


def states(looked_for: Iterable[str], companions: Companions, disk: Disk) -> dict[str, str]:
    """What there is now for each entry of Companions.looked_for.

    returns: the sha256 of a file that may be read, or why none is read; the file that a name leads to
    raises: OSError for a file that is too large
    """
    state = _State(companions, disk)
    return {entry: state.of(entry) for entry in looked_for}


def are_current(stored: Mapping[str, str], companions: Companions, disk: Disk) -> bool:
    """Whether the states are those of the files of a model; raises OSError as `states` does."""
    state = _State(companions, disk)
    return all(state.of(entry) == value for entry, value in stored.items())


class _State:
    """States for one model."""

    def __init__(self, companions: Companions, disk: Disk):
        self._companions, self._disk = companions, disk
        self._lookup = Lookup(companions, disk.listings)

    def of(self, entry: str) -> str:
        kind, _, name = entry.partition(" ")
        if kind == TEXTURE:
            texture = self._lookup.texture(name)
            return _OUTSIDE if texture.is_outside else self._named(texture.file)
        if kind == LIBRARY:
            return self._named(self._lookup.library(name))
        if kind == TILES:
            return _BETWEEN_TILES.join(map(self._named, self._companions.tiles(name)))
        return self._of_file(name)

    def _named(self, file: Path | None) -> str:
        return _ABSENT if file is None else os.path.relpath(file, self._companions.folder)

    def _of_file(self, name: str) -> str:
        file = self._companions.inside(name)
        if file is None:
            return _OUTSIDE if self._companions.exists(name) else _ABSENT
        try:
            return self._disk.sha256(file)
        except (FileNotFoundError, NotADirectoryError):
            return _ABSENT
        except OSError as error:
            if error.errno == errno.EFBIG or passes(error):
                raise
            return _FOLDER if file.is_dir() else _UNREADABLE


def read_files(states: Mapping[str, str], companions: Companions) -> list[tuple[str, str]]:
    """Name and sha256 of the files that were read; names do not depend on where the models directory is."""
    return sorted((companions.portable(name), sha256) for name, sha256 in _read(states))


def changed_between(states: Mapping[str, str], companions: Companions, began_ns: int, ended_ns: int) -> bool:
    """Whether a file was changed, replaced or removed, or appeared, while the model was measured.

    states: after it. Files with a time in the future come from a machine with another clock; these pass.
    """
    appeared = any(f"{FILE} {name}" not in states for name in _led_to(states))
    files = [companions.folder / name for name, _ in _read(states)]
    return appeared or any(_was_changed(file, began_ns, ended_ns) for file in files)


def _led_to(states: Mapping[str, str]) -> Iterator[str]:
    """The files to which names led; the importer has reported each, unless it appeared afterwards."""
    for entry, state in states.items():
        kind = entry.partition(" ")[0]
        if kind != FILE and state not in _NOT_READ:
            yield from state.split(_BETWEEN_TILES) if kind == TILES else [state]


def _read(states: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for entry, state in states.items():
        kind, _, name = entry.partition(" ")
        if kind == FILE and state not in _NOT_READ:
            yield name, state


def _was_changed(file: Path, began_ns: int, ended_ns: int) -> bool:
    try:  # programs can set the time of modification, but not this one
        return began_ns < file.stat().st_ctime_ns <= ended_ns
    except OSError:  # it vanished just now
        return True
