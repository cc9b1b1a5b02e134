"""Placement: the files of merged images in the folder of the data set.

In: rows of merge inputs. Out: their files, under the same names in the output: hard links, copies, or the
files themselves. Nothing is ever replaced: what is there already is the same file or has the same content, as
a killed merge left it, or it is an error. No link is followed out of an input, nor in the output.
"""

from __future__ import annotations

import hashlib
import os
import stat
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from blendgen.dataset.layout import Layout
from blendgen.errors import DatasetError
from blendgen.farm.merge_input import MergeInput
from blendgen.files.folder import Folder
from blendgen.scene.row import RowFile, RowHead

LINKS = ("hard", "copy", "move")


class AnyPlacement(Protocol):
    """Puts the files of images in place."""

    def place(self, source: MergeInput, row: RowHead, index: int) -> None:
        """Put the files of image `index` in place; raises DatasetError."""

    def finish(self) -> None:
        """All images are placed, and the manifest is written."""


class Placement:
    """link: one of LINKS; check: compare the sha256 of each file with its row, not only its size."""

    def __init__(self, output: Layout, link: str = "hard", check: bool = False):
        self._folder = Folder(output.root, output.temporary.name)
        self._output, self._link, self._check = output, link, check

    def place(self, source: MergeInput, row: RowHead, index: int) -> None:
        """Put the files of image `index` in place; raises DatasetError."""
        root = str(source.root)
        for file in row.files.values():
            refuse_other_image(root, row, file, index)
            folder = file.name.rpartition("/")[0]
            path = f"{root}/{file.name}"
            if not self._was_moved(path, file):
                self._check_file(source, folder, path, file)
                if not source.is_output:
                    self._place_file(path, file)

    def finish(self) -> None:
        pass

    def _was_moved(self, path: str, file: RowFile) -> bool:
        """Whether a merge that was killed has moved a file."""
        return self._link == "move" and not os.path.lexists(path) and self._is_there(file)

    def _check_file(self, source: MergeInput, folder: str, path: str, file: RowFile) -> None:
        """Raises DatasetError unless a file is whole and in its input."""
        if not _is_inside(str(source.root), folder):
            raise DatasetError(f"{path}: leads out of the data set through a link")
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            raise _damaged(source, f"{file.name} is missing") from None
        if not stat.S_ISREG(status.st_mode):
            raise DatasetError(f"{path}: is a link or not a file; replace it with the file itself")
        if status.st_size != file.size_bytes or (self._check and not _has_content(Path(path), file)):
            raise _damaged(source, f"{file.name} is not the file that was written")

    def _place_file(self, path: str, file: RowFile) -> None:
        with self._folder.disk_errors(file.name):
            try:
                self._folder.place_new(Path(path), file.name, self._link)
            except FileExistsError:
                self._check_existing(path, file)

    def _check_existing(self, path: str, file: RowFile) -> None:
        """Raises DatasetError unless what has the name of a file is this file, or has the same content."""
        status = self._folder.status(file.name)
        if status is not None and os.path.samestat(status, os.lstat(path)):
            return
        if not self._is_there(file):
            raise DatasetError(
                f"{self._output.root / file.name}: is in the place of an image, and not the one of {path}; "
                "move it away"
            )

    def _is_there(self, file: RowFile) -> bool:
        return self._folder.has_file(file.name) and _has_content(self._output.root / file.name, file)


def refuse_other_image(root: str, row: RowHead, file: RowFile, index: int) -> None:
    """Raises DatasetError for a file that is not named as those of image `index` are."""
    stem = file.name.rpartition("/")[2].partition(".")[0]
    if row.index != index or not stem.isdecimal() or int(stem) != index:
        raise DatasetError(f"{root}: image {index} has a row or the file {file.name} of another")


def _damaged(source: MergeInput, what: str) -> DatasetError:
    again = "`blendgen verify --repair`" if source.is_output else "`blendgen generate` for this shard"
    return DatasetError(
        f"{source.root}: {what}; `blendgen verify` lists what else is wrong, and {again} makes it again"
    )


def _has_content(path: Path, file: RowFile) -> bool:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest() == file.sha256


@lru_cache(maxsize=4096)
def _is_inside(root: str, folder: str) -> bool:
    """Whether a folder is in an input also after all links were followed."""
    return Path(root, folder).resolve().is_relative_to(Path(root).resolve())
