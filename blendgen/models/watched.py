"""Watched: the state of the files that a spec depends on, to see that one of them changed.

In: the file of a spec, and the folders that it names. Out: a snapshot, to compare with a later one. Times and
sizes are compared, not contents, and by looking again and again, which works on network folders too.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from blendgen.models.spec_sources import spec_sources
from blendgen.spec.load import SpecFile
from blendgen.spec.pictures import picture_files

_DATASET = "dataset.json"  # of a folder that blendgen writes
Snapshot = Mapping[Path, tuple[int, ...]]


def watched_folders(spec_file: SpecFile) -> set[Path]:
    """The folders from which a spec reads models, sidecars, textures and pictures.

    raises: SpecError, CatalogError
    """
    requested = spec_sources(spec_file)
    files = [path for group in picture_files(spec_file).values() for path in group.values()]
    folders = {file.parent for file in files}
    for source in requested.sources:
        if "path" in source.options:
            own = Path(source.options["path"]).parent
            folders |= {own, Path(source.options.get("root", own))}
    return {folder.resolve() for folder in folders}


def snapshot(spec: Path, folders: Iterable[Path], without: Path) -> Snapshot:
    """Number, size and time of a spec and of all files in folders.

    Hidden files, data sets, links to folders, and the file `without` are left out.
    """
    left_out = without.resolve()
    states: dict[Path, tuple[int, ...]] = {}
    for path in (spec, *(file for folder in sorted(folders) for file in _files(folder))):
        state = _state(path)
        if state is not None and path != left_out:
            states[path] = state
    return states


def changed_files(before: Snapshot, after: Snapshot) -> list[Path]:
    """The files that are new, different or gone, sorted."""
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        if _DATASET in files:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place, name) for name in files if not name.startswith("."))


def _state(path: Path) -> tuple[int, ...] | None:
    """None for a file that is gone, and for what is not a regular file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_ino, status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None
