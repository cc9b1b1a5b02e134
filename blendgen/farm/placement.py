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

from blendgen.dataset.layout import Layout
from blendgen.errors import DatasetError
from blendgen.farm.merge_input import MergeInput
from blendgen.files.folder import Folder
from blendgen.scene.row import RowFile, RowHead

LINKS = ("hard", "copy", "move")


class Placement:
    """link: one of LINKS; check: compare the sha256 of each file with its row, not only its size.

    placed: how many files are new
    """

    def __init__(self, output: Layout, link: str = "hard", check: bool = False):
        self._folder = Folder(output.root, output.temporary.name)
        self._output, self._link, self._check = output, link, check
        self.placed = 0

    def place(self, source: MergeInput, row: RowHead, index: int) -> None:
        """Put the files of image `index` in place; raises DatasetError."""
        for file in row.files.values():
            if row.index != index or Path(file.name).stem.lstrip("0") != str(index).lstrip("0"):
                raise DatasetError(
                    f"{source.root}: image {index} has a row or the file {file.name} of another"
                )
            if not self._was_moved(source, file):
                self._check_file(source.layout, file)
                if not source.is_output:
                    self._place_file(source.layout, file)

    def _was_moved(self, source: MergeInput, file: RowFile) -> bool:
        """Whether a merge that was killed has moved a file."""
        return self._link == "move" and not (source.root / file.name).exists() and self._is_there(file)

    def _place_file(self, source: Layout, file: RowFile) -> None:
        path = source.root / file.name
        with self._folder.disk_errors(file.name):
            try:
                self._folder.place_new(path, file.name, self._link)
            except FileExistsError:
                self._check_existing(path, file)
                return
        self.placed += 1

    def _check_file(self, source: Layout, file: RowFile) -> None:
        """Raises DatasetError unless a file is whole and in its input."""
        path = source.root / file.name
        if not _is_inside(source.root, path.parent):
            raise DatasetError(f"{path}: leads out of the data set through a link")
        try:
            status = path.lstat()
        except FileNotFoundError:
            raise _missing(source, f"{file.name} is missing") from None
        if not stat.S_ISREG(status.st_mode):
            raise DatasetError(f"{path}: is a link or not a file; replace it with the file itself")
        if status.st_size != file.size_bytes or (self._check and not _has_content(path, file)):
            raise _missing(source, f"{file.name} is not the file that was written")

    def _check_existing(self, path: Path, file: RowFile) -> None:
        """Raises DatasetError unless what has the name of a file is this file, or has the same content."""
        status = self._folder.status(file.name)
        if status is not None and os.path.samestat(status, path.lstat()):
            return
        if not self._is_there(file):
            raise DatasetError(
                f"{self._output.root / file.name}: is in the place of an image, and not the one of {path}; "
                "move it away"
            )

    def _is_there(self, file: RowFile) -> bool:
        return self._folder.has_file(file.name) and _has_content(self._output.root / file.name, file)


def _missing(source: Layout, what: str) -> DatasetError:
    return DatasetError(
        f"{source.root}: {what}; `blendgen verify` lists what else is wrong, and `blendgen generate` for "
        "this shard makes it again"
    )


def _has_content(path: Path, file: RowFile) -> bool:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest() == file.sha256


@lru_cache(maxsize=4096)
def _is_inside(root: Path, folder: Path) -> bool:
    """Whether a folder is in an input also after all links were followed."""
    return folder.resolve().is_relative_to(root.resolve())
