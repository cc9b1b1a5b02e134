"""Damaged: a data set that is repaired in place; its lock is held, and nothing that can be read is lost.

In: the folder of a finished data set. Out: a Store whose manifest and failed.jsonl have whole lines only. In
contrast to a run, it keeps rows whose files are missing or damaged: they state what the files have to be.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from blendgen.dataset.failures import FailedImage, sort_failures
from blendgen.dataset.images_card import card_name
from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import sort_manifest
from blendgen.dataset.ownership import is_ours
from blendgen.dataset.packed import read_file
from blendgen.dataset.rows import MAX_ROW_BYTES, parse_head
from blendgen.dataset.store import Store
from blendgen.errors import DatasetError
from blendgen.files.folder import Folder
from blendgen.files.regular_file import open_regular
from blendgen.scene.row import Row


class DamagedStore(Store):
    """As Store, for a data set that is repaired; files of somebody else are left to the caller."""

    keeps_incomplete_rows = True

    def _refuse_foreign(self, known: dict[str, Any]) -> None:
        if not known:
            return
        self._refuse_other_identity(known)
        own = (self.layout.contact_sheet, self.layout.root / card_name(self.layout, known))
        for path in (*own, *self.layout.image_lists):
            if not is_ours(self.layout, known, self.layout.name(path)):
                raise DatasetError(f"{path}: is not the one that blendgen wrote; move it away")

    def _prepare(self, known: dict[str, Any]) -> None:
        for path, parse in ((self.layout.manifest, parse_head), (self.layout.failures, _parsed_failure)):
            _drop_damaged_lines(path, parse)
        super()._prepare(known)

    def sort(self) -> None:
        """Instead of `finish`, if something stays at fault: dataset.json keeps what it says of the images."""
        sort_manifest(self.files, keep_incomplete=True)
        sort_failures(self.layout)

    def content(self, name: str) -> bytes | None:
        """A plain file of the folder, no matter whose, or one in a pack; None where there is none."""
        with suppress(OSError, ValueError):
            if self.is_free(name):
                return read_file(self.files.file(name))
        return None

    def is_free(self, name: str) -> bool:
        """Whether a file can be written there: there is nothing, or a plain file."""
        return is_free(self.layout, name)

    def place(self, contents: Mapping[str, bytes]) -> None:
        """Write the files of an image, unless they are there already; raises DatasetError."""
        for name, content in contents.items():
            if self.content(name) != content:
                self._folder.write(name, content)

    def drop_rows(self, indices: Container[int]) -> None:
        """Remove the rows of some images from the manifest."""

        def parse(line: bytes) -> None:
            if parse_head(line).index in indices:
                raise ValueError

        _drop_damaged_lines(self.layout.manifest, parse)


def is_free(layout: Layout, name: str) -> bool:
    """Whether a file can be written there: there is nothing, or a plain file; no link leads there."""
    try:
        status = Folder(layout.root).status(name)
    except (OSError, DatasetError):
        return False
    return status is None or stat.S_ISREG(status.st_mode)


def taken_files(layout: Layout, row: Row) -> dict[str, bytes]:
    """The content of the files of a row, by their names; removes the files."""
    contents = {}
    for name in row.file_names:
        contents[name] = (layout.root / name).read_bytes()
        (layout.root / name).unlink()
    return contents


def _parsed_failure(line: bytes) -> FailedImage:
    return FailedImage.model_validate_json(line, strict=True)


def _drop_damaged_lines(path: Path, parse: Callable[[bytes], object]) -> None:
    """Rewrite a file of JSON lines without those that are torn, too long or something else."""
    if path.exists() and any(not is_whole for _, is_whole in _lines(path, parse)):
        whole = (line for line, is_whole in _lines(path, parse) if is_whole)
        Folder(path.parent).write(path.name, whole)


def _lines(path: Path, parse: Callable[[bytes], object]) -> Iterator[tuple[bytes, bool]]:
    """(line, whether it is whole); one that is too long for a row comes in several parts."""
    is_begun = False
    with open_regular(path) as file:
        while line := file.readline(MAX_ROW_BYTES):
            has_end = line.endswith(b"\n")
            yield line, has_end and not is_begun and _parses(parse, line)
            is_begun = not has_end


def _parses(parse: Callable[[bytes], object], line: bytes) -> bool:
    try:
        parse(line)
    except ValueError:  # pydantic's error is one
        return False
    return True
