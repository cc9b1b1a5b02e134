"""Cache: measured models on disk, by a digest of what they were measured from.

An entry's key is a digest of everything that decides the result: the content of the source and the code that
measures it. Entries never go stale and may be deleted at any time. Several processes may use one cache folder
at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from functools import cache
from importlib import metadata
from pathlib import Path

from blendgen.errors import SetupError
from blendgen.files.regular_file import MAX_MODEL_BYTES
from blendgen.models.companions import Companions, companion_names
from blendgen.models.measuring.building import BuildFolders
from blendgen.models.measuring.entry import IncompleteEntry, file_sha256, read_entry
from blendgen.models.product import Measured
from blendgen.models.scan import CAD_SUFFIXES, model_suffix
from blendgen.models.source import Source

CACHE_FORMAT = 1
# options that say where files are and which may be read
_PLACES = ("path", "root", "allow_outside")
_NAMING = (
    "gltf",
    "glb",
    "obj",
    "stl",
    "ply",
    "usdz",
    *CAD_SUFFIXES,
)  # formats whose other files are known by name


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


def entry_key(content_hash: str, measurer_digest: str) -> str:
    """The key of the entry of a source with that content, from a Measurer with that digest."""
    return hashlib.sha256(f"{CACHE_FORMAT} {content_hash} {measurer_digest}".encode()).hexdigest()


def content_hash(source: Source) -> str:
    """Hex sha256 over the model and the files that it names, its options, and Blender's version.

    Where the files are does not count.

    raises: OSError if the model file cannot be read
    """
    facts = {
        "bpy": _version("bpy"),
        "kind": source.kind,
        "options": {key: value for key, value in source.options.items() if key not in _PLACES},
    }
    if source.kind == "mesh":
        companions = Companions.of(source.options)
        path = companions.model
        if model_suffix(path) in CAD_SUFFIXES:
            facts["cascadio"] = _version("cascadio")
        facts["files"] = _file_facts(companions)
        if model_suffix(path) not in _NAMING:  # which files they read depends on where they may
            facts["allowed"] = [
                os.path.relpath(place, os.path.realpath(path.parent)) for place in companions.folders
            ]
    text = json.dumps(facts, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@cache  # reading metadata takes milliseconds, and every model needs it
def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "absent"


def _file_facts(companions: Companions) -> dict[str, str]:
    """Digests of the model and of each companion, by name relative to it; "" for a missing one."""
    path = companions.model
    facts = {f".{model_suffix(path)}": file_sha256(path, MAX_MODEL_BYTES)}
    for name in companion_names(companions):
        file = companions.inside(name)
        if file is not None:
            facts[name] = file_sha256(file, MAX_MODEL_BYTES) if file.is_file() else ""
    return facts


class AssetCache:
    """The entries below `folder`, which is created on first use.

    Every method raises SetupError if the folder cannot be written.
    """

    def __init__(self, folder: Path | None = None):
        self.folder = folder or cache_folder()
        self._building = BuildFolders(self.folder / "assets")

    def entry_folder(self, key: str) -> Path:
        return self.folder / "assets" / key

    def read(self, key: str) -> Measured | str | None:
        """The entry as of read_entry; None if there is none, or only a damaged one."""
        try:
            return read_entry(self.entry_folder(key))
        except IncompleteEntry:
            return None

    def begin(self, key: str) -> Path:
        """A new empty folder in which an entry can be built; publish or discard it."""
        try:
            return self._building.begin(key[:16])
        except OSError as error:
            raise self._unwritable(error) from error

    def publish(self, building: Path, key: str) -> None:
        """Make the built folder the entry, unless another process was first."""
        try:
            if self.read(key) is not None:
                self.discard(building)
                return
            self._set_aside(key)
            try:
                building.rename(self.entry_folder(key))
            except OSError:
                if self.read(key) is None:
                    raise
            self.discard(building)
        except OSError as error:
            raise self._unwritable(error) from error

    def discard(self, building: Path) -> None:
        self._building.end(building)

    def _set_aside(self, key: str) -> None:
        """Move a damaged entry away; another process may do the same at the same time."""
        if self.entry_folder(key).exists():
            aside = self._building.begin("damaged")
            with contextlib.suppress(FileNotFoundError):
                self.entry_folder(key).rename(aside / "entry")
            self.discard(aside)

    def _unwritable(self, error: OSError) -> SetupError:
        return SetupError(
            f"the cache folder {self.folder} cannot be written ({error.strerror or error}); "
            "set BLENDGEN_CACHE_DIR to a folder that can"
        )
