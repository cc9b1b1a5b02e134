"""Packed: the files of images, wherever they are: loose, or in packs.

In: names as rows have them. Out: a Path, or a PackedFile, which answers the same questions; both are opened
by `picture` and `read_file`. A loose file comes before one of the same name in a pack: it is newer, or it is
what a killed run has not removed yet.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blendgen.dataset.layout import Layout
from blendgen.dataset.pack_index import MAX_FILE_BYTES, Index, pack_index, span_of
from blendgen.dataset.pack_plan import PackPlan, place_of_file
from blendgen.files.folder import Folder
from blendgen.files.regular_file import open_regular, read_bounded
from blendgen.scene.row import RowHead


@dataclass(frozen=True)
class PackedFile:
    """A file in a pack. place: where it would be as a loose file"""

    place: Path
    pack: Path
    offset: int
    size_bytes: int

    @property
    def suffix(self) -> str:
        return self.place.suffix

    @property
    def name(self) -> str:
        return self.place.name

    def __str__(self) -> str:
        return f"{self.place} in {self.pack.name}"

    def read_bytes(self) -> bytes:
        """All of it; raises OSError, also where the pack ends before it."""
        with open_regular(self.pack) as file:
            file.seek(self.offset)
            data = file.read(self.size_bytes)
        if len(data) != self.size_bytes:
            raise OSError(errno.EIO, "the pack is torn off", str(self.pack))
        return data


ImageFile = Path | PackedFile


def opened_path(file: ImageFile) -> Path:
    """The path that is opened: of the file, or of its pack."""
    return file if isinstance(file, Path) else file.pack


def read_file(file: ImageFile, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """All of it; raises OSError, also where it is larger."""
    if isinstance(file, Path):
        return read_bounded(file, max_bytes)
    if file.size_bytes > max_bytes:
        raise OSError(errno.EFBIG, f"larger than {max_bytes} bytes", str(file.pack))
    return file.read_bytes()


def picture(file: ImageFile) -> Path | io.BytesIO:
    """What Pillow opens; raises OSError."""
    return file if isinstance(file, Path) else io.BytesIO(file.read_bytes())


def size_of(file: ImageFile) -> int:
    """In bytes; raises OSError where it is missing."""
    return file.stat().st_size if isinstance(file, Path) else file.size_bytes


@dataclass(frozen=True)
class ImageFiles:
    """The files of a data set. plan: None if all of them are loose"""

    layout: Layout
    plan: PackPlan | None = None

    @classmethod
    def of(cls, layout: Layout, record: Mapping[str, Any]) -> ImageFiles:
        """record: dataset.json; raises DatasetError where it states a container that is not known"""
        return cls(layout, PackPlan.of_record(record))

    def file(self, name: str) -> ImageFile:
        """The file that a row names (rows.py has checked the name); it may be missing.

        raises: ValueError if a link leads out of the data set, or for a folder, device or pipe
        """
        if self.plan is not None and not os.path.lexists(self.layout.root / name):
            packed = self.packed(name)
            if packed is not None:
                return packed
        return self.layout.file(name)

    def pack_of(self, row: RowHead) -> set[tuple[str, int]]:
        """Split and block of the pack of a row; empty if all its files are loose."""
        if self.plan is None or all(os.path.lexists(self.layout.root / name) for name in row.file_names):
            return set()
        return {(row.split, self.plan.block(row.index))}

    def packed(self, name: str) -> PackedFile | None:
        """The file of that name in its pack; None if there is no pack, or if it is not in it.

        raises: ValueError if the folder of the packs is a link
        """
        place = place_of_file(name)
        if self.plan is None or place is None:
            return None
        if self.layout.packs.is_symlink():
            raise ValueError(f"{self.layout.packs.name} is a link; replace it with the folder itself")
        pack = self.layout.root / self.plan.pack(place.split, self.plan.block(place.index))
        index = pack_index(pack)
        span = None if index is None else span_of(index, place.index, place.kind)
        return None if span is None else PackedFile(self.layout.root / name, pack, *span)


def packs_of(files: ImageFiles) -> Iterator[tuple[str, Index]]:
    """The packs in the folder of a data set that can be read, by name, with their indices."""
    layout = files.layout
    for name in sorted(Folder(layout.root).files(layout.packs.name)):
        if files.plan is not None and files.plan.named(name) and name.endswith(files.plan.suffix):
            index = pack_index(layout.root / name)
            if index is not None:
                yield name, index
