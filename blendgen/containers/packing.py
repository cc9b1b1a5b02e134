"""Packing: files of images go into large ones, a block of images at a time, and the loose files go away.

In: rows, and the loose files or older packs that have their files. Out: packs with their indices. A pack
depends on its rows alone. It appears complete or not at all: whatever is killed, each file is loose or in a
pack, and the next run packs what is left. Only files with the sha256 of their row are packed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import groupby, pairwise
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np

from blendgen.containers.pack_writers import PackContent, opened_pack
from blendgen.dataset.label_registry import FOLDERS, IMAGE
from blendgen.dataset.manifest import Census, census, read_row
from blendgen.dataset.pack_index import (
    INDEX,
    Index,
    index_bytes,
    is_index,
    loaded_index,
    pack_index,
    rebuilt_index,
)
from blendgen.dataset.pack_plan import PackPlan, place_of_file
from blendgen.dataset.packed import ImageFiles, read_file
from blendgen.errors import DatasetError
from blendgen.files.folder import Folder
from blendgen.geometry.arrays import IntegersN
from blendgen.scene.row import Row, RowFile


@dataclass(frozen=True)
class PackRow:
    """A row that goes into a pack; it is not read before its turn: a block has many.

    files: where its files are, if not in the data set itself
    """

    split: str
    index: int
    load: Callable[[], Row]
    files: ImageFiles | None = None


@dataclass(frozen=True)
class Packer:
    """Writes the packs of a data set.

    files: of the data set; record: its dataset.json, for the classes and keypoints
    """

    files: ImageFiles
    plan: PackPlan
    record: Mapping[str, Any]

    @classmethod
    def of(cls, files: ImageFiles, record: Mapping[str, Any]) -> Packer | None:
        """The packer of a data set; None for one of loose files."""
        return None if files.plan is None else cls(files, files.plan, record)

    @property
    def _folder(self) -> Folder:
        return Folder(self.files.layout.root, self.files.layout.temporary.name)

    def pack(self, rows: Iterable[PackRow]) -> None:
        """Write the packs of all rows of a block, and remove their loose files; raises DatasetError."""
        ordered = sorted(rows, key=attrgetter("split", "index"))
        for _, own in groupby(ordered, attrgetter("split")):
            for name in self._write([*own]):
                with self._folder.disk_errors(name):
                    self._folder.remove(name)

    def _write(self, rows: list[PackRow]) -> list[str]:
        """Write one pack; returns the names of the files in it.

        Its old index goes first: it is not that of the new pack.
        """
        pack, index_file = self.plan.files_of(rows[0].split, rows[0].index)
        folder, names = self._folder, list[str]()
        with folder.atomic_file(pack) as file:
            common = common_content(rows[0].load(), self.record)
            with opened_pack(self.plan.container, file, common) as add:
                for one in rows:
                    row = one.load()
                    add(row, _contents(row, one.files or self.files))
                    names += row.file_names
            folder.remove(index_file)
        self._write_index(pack, index_file)
        return names

    def _write_index(self, pack: str, index_file: str) -> None:
        try:
            index = rebuilt_index(self.files.layout.root / pack)
        except (OSError, ValueError) as error:
            raise DatasetError(f"{self.files.layout.root / pack}: cannot be read again: {error}") from None
        self._folder.write(index_file, index_bytes(index))

    def pack_all(self, again: Collection[int] = ()) -> None:
        """Pack what is loose, or not in the pack where it belongs.

        again: blocks that are packed also if they seem complete; raises: DatasetError
        """
        places = (place_of_file(name) for folder in FOLDERS for name in self._folder.files(folder))
        loose = {self.plan.block(place.index) for place in places if place is not None}
        manifest = self.files.layout.manifest
        rows = census(manifest)
        for block, lines in blocks_of(self.plan, rows):
            if block in loose or block in again or not self._is_packed(block, rows, lines):
                self.pack(pack_rows(manifest, rows, lines))

    def restore_indices(self) -> Iterator[str]:
        """Write indices that are missing, or not those of their packs; yields their names.

        raises: DatasetError
        """
        for name, index in self.wrong_indices():
            self._folder.write(name, index_bytes(index))
            yield name

    def wrong_indices(self) -> Iterator[tuple[str, Index]]:
        """Names of indices that are missing, or not those of their packs, with what they should be."""
        for name in sorted(self._folder.files(self.files.layout.packs.name)):
            place = self.plan.named(name)
            if place is None or not name.endswith(self.plan.suffix):
                continue
            try:
                index = rebuilt_index(self.files.layout.root / name)
            except (OSError, ValueError):  # nothing can be said about the index of a damaged pack
                continue
            index_file = self.plan.index_file(*place)
            if not is_index(self.files.layout.root / index_file, index):
                yield index_file, index

    def _is_packed(self, block: int, rows: Census, lines: IntegersN) -> bool:
        """Whether all rows of a block are in its packs, and nothing else."""
        indices = np.frombuffer(rows.indices, np.int64)[lines]
        splits = np.frombuffer(rows.splits, np.intc)[lines]
        return all(
            self._has_images(split, block, indices[splits == number])
            for number, split in enumerate(rows.images_per_split)
            if (splits == number).any()
        )

    def _has_images(self, split: str, block: int, images: np.ndarray) -> bool:
        root, name = self.files.layout.root, self.plan.index_file(split, block)
        pack = pack_index(root / self.plan.pack(split, block))
        if pack is None or not np.array_equal(pack[INDEX], images):
            return False
        try:
            loaded_index(root / name)
        except (OSError, ValueError):  # a run was killed before it wrote it
            return False
        return True


def blocks_of(plan: PackPlan, rows: Census) -> Iterator[tuple[int, IntegersN]]:
    """The blocks of a manifest, each with the numbers of its lines from 0, in the order of the images."""
    indices = np.frombuffer(rows.indices, np.int64)
    lines = np.argsort(indices, kind="stable")
    blocks = indices[lines] // plan.images_per_file
    starts = [0, *(np.flatnonzero(np.diff(blocks)) + 1), len(blocks)] if len(blocks) else []
    for start, end in pairwise(starts):
        yield int(blocks[start]), lines[start:end]


def pack_rows(manifest: Path, rows: Census, lines: IntegersN) -> Iterator[PackRow]:
    """Some lines of a manifest, from 0."""
    splits = list(rows.images_per_split)
    for line in lines.tolist():
        load = partial(read_row, manifest, line + 1, rows.offsets[line])
        yield PackRow(splits[rows.splits[line]], rows.indices[line], load)


def common_content(row: Row, record: Mapping[str, Any]) -> PackContent:
    """What all rows of a data set have in common. row: one of them; record: dataset.json"""
    extras = tuple(kind for kind in row.files if kind != IMAGE.name)
    return PackContent(tuple(record["classes"]), bool(record.get("keypoints")), extras)


def _contents(row: Row, files: ImageFiles) -> dict[str, tuple[str, bytes]]:
    """Suffix and content of the files of a row by kind; raises DatasetError where one is not its own."""
    return {kind: _content(row, file, files) for kind, file in row.files.items()}


def _content(row: Row, file: RowFile, files: ImageFiles) -> tuple[str, bytes]:
    try:
        source = files.file(file.name)
        data = read_file(source)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise DatasetError(f"{files.layout.root}: {file.name} cannot be read: {why}; {_AGAIN}") from None
    if file.sha256 is not None and hashlib.sha256(data).hexdigest() != file.sha256:
        raise DatasetError(f"{files.layout.root}: {file.name} is not the file that was written; {_AGAIN}")
    return source.suffix, data


_AGAIN = "run `blendgen generate --check`, which makes it again"
