"""Cache: measured models on disk, by a digest of what they were measured from.

An entry's key is a digest of what is known before measuring: the model file, the options, and the code that
measures it. Which other files decide the result is known only afterwards: an entry lists them
(measuring/reads.py), and a key has one entry for each content of these files. Entries never go stale and may
be deleted at any time. Several processes may use one cache folder at once.
source: the direct mode of ccache

A crash of the importer is stored too, until the model file is changed or touched: which other files it had
read is not known.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from blendgen.errors import BlendgenError, SetupError
from blendgen.files.disk import disk_error, passes
from blendgen.files.regular_file import read_bounded
from blendgen.files.whole_file import whole_file
from blendgen.models.companions import Companions
from blendgen.models.measuring.building import BuildFolders, sweep
from blendgen.models.measuring.entry import IncompleteEntry, read_entry, read_states, write_states
from blendgen.models.measuring.reads import Disk, are_current
from blendgen.models.product import Measured
from blendgen.models.scan import CONVERTED_SUFFIXES, model_suffix
from blendgen.models.source import Source

CACHE_FORMAT = 1
# options that say where files are and which may be read
_PLACES = ("path", "root", "allow_outside")


def cache_folder() -> Path:
    """$BLENDGEN_CACHE_DIR, or $XDG_CACHE_HOME/blendgen, or ~/.cache/blendgen.

    raises: SetupError if there is no home folder
    """
    own, base = os.environ.get("BLENDGEN_CACHE_DIR"), os.environ.get("XDG_CACHE_HOME")
    try:
        if own:
            return Path(own).expanduser()
        return (Path(base) if base else Path.home() / ".cache") / "blendgen"
    except RuntimeError as error:
        raise SetupError(
            f"the cache needs a home folder ({error}); set BLENDGEN_CACHE_DIR to a folder"
        ) from error


def blender_environment(scratch: Path) -> dict[str, str]:
    """Environment variables of a process that loads Blender, so that it writes nothing to the user's folders.

    scratch: for its temporary files; Blender's and the graphics drivers' own caches go into our cache folder
    """
    own = cache_folder().absolute()
    return {
        "TMPDIR": str(scratch),
        "BLENDGEN_CACHE_DIR": str(own),
        "XDG_CACHE_HOME": str(own / "blender"),
        "BLENDER_USER_RESOURCES": str(own / "blender" / "user"),
    }


def source_facts(source: Source, disk: Disk) -> dict[str, Any]:
    """What decides the result of measuring and is known before it; where the files are does not count.

    raises: OSError if the model file cannot be read
    """
    facts: dict[str, Any] = {
        "bpy": _version("bpy"),
        "kind": source.kind,
        "options": {key: value for key, value in source.options.items() if key not in _PLACES},
    }
    if source.kind == "mesh":
        path = Path(source.options["path"])
        if model_suffix(path) in CONVERTED_SUFFIXES:  # a refusal may be due to a library that is missing
            facts["libraries"] = [_version("cascadio"), _version("pycollada")]
        facts["model"] = [model_suffix(path), disk.sha256(path)]
    return facts


def entry_key(facts: Mapping[str, Any], measurer_digest: str) -> str:
    """The key of the entries of a source, from a Measurer with that digest."""
    return _sha256([CACHE_FORMAT, facts, measurer_digest])


def content_hash(facts: Mapping[str, Any], files: list[tuple[str, str]]) -> str:
    """Hex sha256 over all that decides the result, but for our own code; files: of reads.read_files."""
    return _sha256([facts, files])


def _sha256(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@cache  # reading metadata takes milliseconds, and every model needs it
def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "absent"


class Stored(NamedTuple):
    """An entry: its folder, what was measured or why it was refused, and the states of its other files."""

    folder: Path
    entry: Measured | str
    states: dict[str, str]


class AssetCache:
    """The entries below `folder`, which is created on first use.

    Every method raises SetupError if the folder cannot be written, DiskUnavailable if the disk is full.
    """

    def __init__(self, folder: Path | None = None):
        self.folder = folder or cache_folder()
        self._place = self.folder / "assets"
        self._building = BuildFolders(self._place)

    def remove_abandoned(self) -> None:
        """Remove what killed runs were building."""
        sweep(self._place)

    def find(self, key: str, companions: Companions, disk: Disk) -> Stored | None:
        """The entry of a key for a model with these other files; None if there is none, or it is damaged.

        raises: OSError if one of these files is too large
        """
        for folder in self._entries(key):
            try:
                states = read_states(folder)
                if are_current(states, companions, disk):
                    return Stored(folder, read_entry(folder), states)
            except IncompleteEntry:
                continue
        return None

    def crash(self, key: str, model: Path) -> str | None:
        """How the importer ended, without an answer, for the file as it is now; None if it did not."""
        try:
            return read_bounded(self._crash_file(key, model)).decode()
        except (OSError, ValueError):
            return None

    def store_crash(self, key: str, model: Path, crash: str) -> None:
        """crash: in one line; nothing is stored where that is not possible"""
        with contextlib.suppress(OSError), whole_file(self._crash_file(key, model)) as path:
            path.write_text(crash, encoding="utf-8")

    def _crash_file(self, key: str, model: Path) -> Path:
        """raises: OSError if there is no model"""
        return self.folder / "crashes" / f"{key}-{model.stat().st_mtime_ns:x}"

    def _entries(self, key: str) -> list[Path]:
        try:
            return sorted((self._place / key).iterdir())
        except OSError:
            return []

    def begin(self, key: str) -> Path:
        """A new empty folder in which an entry can be built; publish or discard it."""
        try:
            return self._building.begin(key[:16])
        except OSError as error:
            raise self._unwritable(error) from error

    def publish(self, building: Path, key: str, states: dict[str, str]) -> Path:
        """Make the built folder an entry of the key, unless another process was first; returns its folder.

        states: of the other files that the model was read with
        """
        folder = self._place / key / _sha256(states)
        try:
            write_states(building, states)
            if not _is_complete(folder):
                self._set_aside(folder)
                folder.parent.mkdir(exist_ok=True)
                self._move(building, folder)
            self.discard(building)
        except OSError as error:
            raise self._unwritable(error) from error
        return folder

    @staticmethod
    def _move(building: Path, folder: Path) -> None:
        try:
            building.rename(folder)
        except OSError:
            if not _is_complete(folder):
                raise

    def discard(self, building: Path) -> None:
        self._building.end(building)

    def _set_aside(self, folder: Path) -> None:
        """Move a damaged entry away; another process may do the same at the same time."""
        if folder.exists():
            aside = self._building.begin("damaged")
            with contextlib.suppress(FileNotFoundError):
                folder.rename(aside / "entry")
            self.discard(aside)

    def _unwritable(self, error: OSError) -> BlendgenError:
        if passes(error):
            return disk_error(self.folder, error)
        return SetupError(
            f"the cache folder {self.folder} cannot be written ({error.strerror or error}); "
            "set BLENDGEN_CACHE_DIR to a folder that can"
        )


def _is_complete(folder: Path) -> bool:
    try:
        read_states(folder)
        read_entry(folder)
    except IncompleteEntry:
        return False
    return True
