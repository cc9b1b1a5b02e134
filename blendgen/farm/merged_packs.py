"""Merged packs: the large files of a merged data set, if its images are in large files.

In: the images of merge inputs in order. Out: packs in the output. A pack whose images all come from one input
is linked, copied or moved as it is; only those that several shards share are written again. A pack in the
output is replaced only by one that holds its images too.
"""

from __future__ import annotations

import filecmp
import os
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np

from blendgen.containers.packing import Packer, PackRow
from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import Census, census, read_row
from blendgen.dataset.pack_index import INDEX, loaded_index, pack_index
from blendgen.dataset.pack_plan import PackPlan, place_of_file
from blendgen.dataset.packed import ImageFiles
from blendgen.dataset.whole_files import has_files
from blendgen.errors import DatasetError
from blendgen.farm.merge_input import MergeInput
from blendgen.files.folder import Folder
from blendgen.scene.row import Row, RowHead


@dataclass(frozen=True)
class _Entry:
    split: str
    index: int
    source: MergeInput
    is_loose: bool  # whether one of its files is not only in a pack

    def row(self) -> Row:
        """Its row, read again: those of a block are not kept in memory."""
        manifest = self.source.layout.manifest
        status = manifest.stat()
        rows = _census(manifest, (status.st_ino, status.st_size, status.st_mtime_ns))
        line = bisect_left(rows.indices, self.index)
        return read_row(manifest, line + 1, rows.offsets[line])


@lru_cache(maxsize=2)
def _census(manifest: Path, state: tuple[int, ...]) -> Census:
    """Of the manifest in this state."""
    return census(manifest)


class MergedPacks:
    """A placement.

    record: dataset.json of the output; link: one of placement.LINKS; check: compare sha256 too
    """

    def __init__(self, output: Layout, plan: PackPlan, record: Mapping[str, Any], link: str, check: bool):
        self._files, self._plan = ImageFiles(output, plan), plan
        self._packer = Packer(self._files, plan, record)
        self._folder = Folder(output.root, output.temporary.name)
        self._link, self._check = link, check
        self._block: list[_Entry] = []

    def place(self, source: MergeInput, row: RowHead, index: int) -> None:
        """Take the next image, in the order of their indices; raises DatasetError."""
        for name in row.file_names:
            place = place_of_file(name)
            if row.index != index or place is None or (place.index, place.split) != (index, row.split):
                raise DatasetError(f"{source.root}: image {index} has a row or the file {name} of another")
        if not has_files(source.files, row, self._check) and not self._was_moved(row):
            raise DatasetError(
                f"{source.root}: a file of image {index} is missing, or not the file that was written; "
                "`blendgen verify` lists what else is wrong, and `blendgen generate` for this shard makes it "
                "again"
            )
        if self._block and self._plan.block(self._block[0].index) != self._plan.block(index):
            self.finish()
        is_loose = any(os.path.lexists(source.root / name) for name in row.file_names)
        self._block.append(_Entry(row.split, index, source, is_loose))

    def finish(self) -> None:
        """Place the packs of the block whose images came last; raises DatasetError."""
        entries, self._block = sorted(self._block, key=attrgetter("split", "index")), []
        for split, own in groupby(entries, attrgetter("split")):
            self._place(split, [*own])

    def _was_moved(self, row: RowHead) -> bool:
        """Whether a merge that was killed has moved the pack."""
        return self._link == "move" and has_files(self._files, row, check=True)

    def _place(self, split: str, entries: list[_Entry]) -> None:
        block = self._plan.block(entries[0].index)
        names = self._plan.pack(split, block), self._plan.index_file(split, block)
        images, source = [entry.index for entry in entries], entries[0].source
        # a loose file comes before that in the pack, which may be damaged
        if all(entry.source is source and not entry.is_loose for entry in entries):
            if _has_images(source.files, names, images):
                if not source.is_output:
                    self._place_whole(source, names)
                return
            if self._link == "move" and _has_images(self._files, names, images):
                return
        self._packer.pack(PackRow(split, one.index, one.row, one.source.files) for one in entries)

    def _place_whole(self, source: MergeInput, names: tuple[str, str]) -> None:
        """The index first: a merge that was killed in between finds the pack where it was, and goes on."""
        for name in reversed(names):
            path = source.root / name
            with self._folder.disk_errors(name):
                try:
                    self._folder.place_new(path, name, self._link)
                except FileExistsError:
                    self._check_existing(path, name)

    def _check_existing(self, path: Path, name: str) -> None:
        """Raises DatasetError unless what has the name of a pack is this pack, or has the same content."""
        status = self._folder.status(name)
        if status is not None and os.path.samestat(status, path.lstat()):
            return
        there = self._files.layout.root / name
        if not self._folder.has_file(name) or not filecmp.cmp(there, path, shallow=False):
            raise DatasetError(f"{there}: is in the place of a file of images, and not {path}; move it away")


def _has_images(files: ImageFiles, names: tuple[str, str], images: list[int]) -> bool:
    """Whether a data set has a pack with these images, and its index."""
    pack, index_file = (files.layout.root / name for name in names)
    index = pack_index(pack)
    if index is None or not np.array_equal(index[INDEX], images):
        return False
    try:
        return np.array_equal(loaded_index(index_file), index)
    except (OSError, ValueError):
        return False
