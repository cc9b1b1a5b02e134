"""Pack checks: the folders of images hold what rows name, and packs are what packing their rows makes.

In: a data set whose rows and files are checked. Out: names of files with what is wrong. A pack is made again
in memory, from the files in it, and compared byte for byte: also what describes the images in it.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any

from blendgen.containers.comparison import is_of_rows
from blendgen.containers.pack_writers import Contents, require_writer
from blendgen.containers.packing import Packer, PackRow, blocks_of, common_content, pack_rows
from blendgen.dataset.label_registry import FOLDERS
from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import Census, census
from blendgen.dataset.pack_index import is_index, rebuilt_index
from blendgen.dataset.pack_plan import PackPlan
from blendgen.dataset.packed import ImageFiles
from blendgen.errors import DatasetError
from blendgen.scene.film import requested
from blendgen.scene.row import Row
from blendgen.verification.earlier import Earlier

_NO_ROW = "does not belong to a row"
_OTHER = "is not the file that was written"


def strays(files: ImageFiles, earlier: Earlier) -> Iterator[tuple[str, str]]:
    """Files that no row names, which trainers would read as data, and those that are in a pack too."""
    layout = files.layout
    own = {layout.name(layout.images_card), *earlier.lists.names} if files.plan is None else ()
    for name in itertools.chain.from_iterable(_files_in(layout, folder) for folder in FOLDERS):
        if not earlier.names(name) and name not in own:
            yield name, _NO_ROW
        elif files.plan is not None and _is_packed(files, name):
            yield name, "is in its pack too; `blendgen generate` or a repair removes it"
    if files.plan is not None:
        packs = _packs_with_rows(layout, files.plan)
        for path in sorted(layout.packs.rglob("*")):
            is_named = files.plan.named(layout.name(path)) in packs
            if path.is_file() and not is_named and path != layout.packs_card:
                yield layout.name(path), _NO_ROW


def _files_in(layout: Layout, folder: str) -> Iterator[str]:
    """The names of the files in a folder, one folder in it after the other."""
    for place, folders, inside in os.walk(layout.root / folder):
        folders.sort()
        for path in (Path(place, name) for name in sorted(inside)):
            if path.is_file():
                yield layout.name(path)


def _is_packed(files: ImageFiles, name: str) -> bool:
    try:
        return files.packed(name) is not None
    except ValueError:
        return False


def pack_faults(files: ImageFiles, record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names of packs and indices, with what is wrong; packs that are not there are not mentioned.

    raises: SetupError where the library that reads a pack is missing
    """
    packer, rows = Packer.of(files, record), _census(files.layout)
    if packer is None or rows is None:
        return
    require_writer(packer.plan.container)
    for _, lines in blocks_of(packer.plan, rows):
        of_block = sorted(pack_rows(files.layout.manifest, rows, lines), key=attrgetter("split", "index"))
        for _, own in itertools.groupby(of_block, key=attrgetter("split")):
            yield from _faults_of_pack(packer, [*own])


def _faults_of_pack(packer: Packer, rows: list[PackRow]) -> Iterator[tuple[str, str]]:
    root = packer.files.layout.root
    pack, index_file = packer.plan.files_of(rows[0].split, rows[0].index)
    if not (root / pack).exists():
        return
    try:
        index = rebuilt_index(root / pack)
    except (OSError, ValueError) as error:
        yield pack, f"cannot be read: {getattr(error, 'strerror', None) or error}"
        return
    if not is_index(root / index_file, index):
        yield index_file, f"{_OTHER}, or is missing; `blendgen generate` or a repair writes it again"
    elif not _is_of_rows(packer, rows, root / pack):
        yield pack, f"{_OTHER}: it has other members, or other labels, than its rows"


def _is_of_rows(packer: Packer, rows: list[PackRow], pack: Path) -> bool:
    """Whether a pack describes its rows as it should; its pictures have faults of their own."""
    try:
        common = common_content(rows[0].load(), packer.record)
        return is_of_rows(pack, _packed(packer.files, rows), partial(_contents, packer.files), common)
    except DatasetError:  # a row with a fault of its own
        return True
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _packed(files: ImageFiles, rows: list[PackRow]) -> Iterator[Row]:
    """The rows whose files are in the pack."""
    for one in rows:
        row = one.load()
        if all(map(files.packed, row.file_names)):
            yield row


def _contents(files: ImageFiles, row: Row) -> Contents:
    """What a pack has, right or wrong."""
    packed = {kind: requested(files.packed(file.name)) for kind, file in row.files.items()}
    return {kind: (file.suffix, file.read_bytes()) for kind, file in packed.items()}


def _packs_with_rows(layout: Layout, plan: PackPlan) -> set[tuple[str, int] | None]:
    rows = _census(layout)
    if rows is None:
        return set()
    names = list(rows.images_per_split)
    pairs = zip(rows.splits, rows.indices, strict=True)
    return {(names[split], plan.block(index)) for split, index in pairs}


def _census(layout: Layout) -> Census | None:
    """None where the manifest has lines that are not rows, which are faults of their own."""
    try:
        return census(layout.manifest)
    except DatasetError:
        return None
