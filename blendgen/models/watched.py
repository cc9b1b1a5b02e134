"""Watched: the state of the files that a spec depends on, to see that one of them changed.

In: the file of a spec, the folders that it names, and the files that its models use. Out: a snapshot, to
compare with a later one. Times and sizes are compared, not contents, and by looking again and again, which
works on network folders too.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from blendgen.models.companions import FILE, Companions
from blendgen.models.measuring.entry import IncompleteEntry, read_states
from blendgen.models.product import Catalog
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


def used_files(spec_file: SpecFile, catalog: Catalog) -> set[Path]:
    """The other files that the models of a spec were measured with, wherever they are; those that were looked
    for and are missing are among them."""
    sources = {source.name: source for source in spec_sources(spec_file).sources if source.kind == "mesh"}
    files: set[Path | None] = set()
    for product in catalog.models:
        with suppress(IncompleteEntry, KeyError):
            companions = Companions.of(sources[product.name].options)
            names = (entry.partition(" ") for entry in read_states(product.asset_path.parent))
            files |= {companions.inside(name) for kind, _, name in names if kind == FILE}
    return {file.parent.resolve() / file.name for file in files if file is not None}


def picture_states(catalog: Catalog) -> tuple:
    """Names, files, sizes and times of a catalogue's panoramas and photos."""
    kinds = catalog.environments, catalog.photos, catalog.backdrops
    return tuple(tuple((name, path, _state(path)) for name, path in kind.items()) for kind in kinds)


def snapshot(spec: Path, folders: Iterable[Path], without: Path, files: Iterable[Path] = ()) -> Snapshot:
    """Number, size and time of a spec, of all files in folders, and of other files.

    Hidden files in folders, data sets, links to folders, and the file `without` are left out.
    """
    left_out = without.resolve()
    states: dict[Path, tuple[int, ...]] = {}
    for path in (spec, *files, *(file for folder in sorted(folders) for file in _files(folder))):
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
