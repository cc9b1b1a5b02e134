"""Destination: the output folder of an export; after a kill the same command continues.

Every file appears complete or not at all; an export that fails before its first file leaves nothing. A list
records the files of the export with their sizes: only these are removed or replaced, and only while they
still have that size. A folder with other files is refused. Names come from rows of a data set, and the list
from the folder; neither is trusted: both are checked as paths, and no link is followed (see folder.py). Hard
links take no space, but a change to such a file changes the data set too: use `copy` for a folder that you
want to edit.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from blendgen.dataset.ownership import HARMLESS, listed
from blendgen.dataset.packed import ImageFile, PackedFile
from blendgen.dataset.schema import MAX_RECORD_BYTES, parsed_json
from blendgen.errors import DatasetError, UsageError
from blendgen.exporters.export_list import LIST, OF_A_LINK, ExportList
from blendgen.files.folder import Folder

_MARKER = ".blendgen-export.json"
LINKS = ("hard", "copy", "symlink")
_TEMPORARY = ".blendgen-partial"


def is_export(folder: Path) -> bool:
    """Whether an export is in a folder, or a subset."""
    return (folder / _MARKER).is_file()


class Destination:
    """root: the folder; use as a context manager.

    inputs: folders that are read; the destination must not contain one or be inside one
    """

    def __init__(
        self,
        root: Path,
        identity: dict[str, Any],
        link: str = "hard",
        force: bool = False,
        inputs: tuple[Path, ...] = (),
    ):
        if link not in LINKS:
            raise UsageError(f"link: expected one of {', '.join(LINKS)}, got {link!r}")
        self._broken_link = root if Path(root).is_symlink() and not Path(root).exists() else None
        self._folder = Folder(root, _TEMPORARY)
        self.root, self._link, self._force = self._folder.root, link, force
        # in the form that is read back from the file
        self._identity = json.loads(json.dumps({**identity, "link": link}))
        self._inputs = [Path(path).resolve() for path in inputs]
        self._files = ExportList(self._folder)

    def is_complete(self, last: str) -> bool:
        """Whether the same export is there, with the file that is written last; call before the block."""
        return not self._force and self._known() == self._identity and self._folder.has_file(last)

    def __enter__(self) -> Destination:
        self._refuse_place()
        known, self._makes_root = self._known(), not self.root.exists()
        self._is_new = known is None
        self._refuse_content(known)
        self._folder.remove_temporary_files()
        self._files.read()
        if self._force:
            self._refuse_foreign()
            self._remove_left_over()
            self._folder.remove_empty_folders()
            self._files.forget()
        self._folder.write(_MARKER, json.dumps(self._identity).encode())
        self._files.open()
        return self

    def __exit__(self, kind, *_) -> None:
        self._files.close()
        if kind is None:
            self._remove_left_over()
            self._files.finish()
        self._folder.remove_temporary_files()
        if kind is not None and self._is_new and not self._files.written:
            self._leave_nothing()

    def _refuse_place(self) -> None:
        """Raise DatasetError for a destination that cannot be a folder next to the inputs."""
        for path in self._inputs:
            if path == self.root:
                raise DatasetError(f"{self.root}: is the folder that is read; choose a folder next to it")
            if path.is_relative_to(self.root) or self.root.is_relative_to(path):
                raise DatasetError(
                    f"{self.root}: is inside {path}, or contains it; choose a folder next to it"
                )
        if self._broken_link is not None:
            raise DatasetError(
                f"{self._broken_link}: is a link to a folder that does not exist; choose another folder"
            )
        if self.root.exists() and not self.root.is_dir():
            raise DatasetError(f"{self.root}: is a file; choose a folder")

    def _refuse_content(self, known: dict[str, Any] | None) -> None:
        """Raise DatasetError for a folder with other files or another export, whose identity is `known`."""
        if known is None and any(self._folder.files()):
            raise DatasetError(
                f"{self.root}: is not empty and does not contain an export; choose another folder"
            )
        if known is not None and known != self._identity and not self._force:
            raise DatasetError(
                f"{self.root}: contains another export; choose another folder, or set force (--force) to "
                "replace it"
            )

    def _leave_nothing(self) -> None:
        """After an error before the first file: a corrected command is not refused as another export."""
        with suppress(OSError, DatasetError):
            self._folder.remove(LIST)
            self._folder.remove(_MARKER)
            if self._makes_root:
                self.root.rmdir()

    def has(self, name: str) -> bool:
        """Whether an earlier run finished this file; it then stays part of the export."""
        if not self._is_ours(name):
            return False
        self._files.keep(name)
        return True

    def earlier(self, name: str) -> bytes | None:
        """What an earlier run wrote into a file that it finished; raises DatasetError."""
        if not self.has(name):
            return None
        with self._folder.disk_errors(name):
            return (self.root / name).read_bytes()

    def place(self, source: ImageFile, name: str) -> None:
        """Add a file under a name, relative to the root with "/"; raises DatasetError.

        A file in a pack is copied, whatever the kind of link.
        """
        if isinstance(source, PackedFile):
            self._copy(source, name)
            return
        try:
            size = source.stat().st_size
            size_there = OF_A_LINK if self._link == "symlink" else size
            if self.has(name) and self._files.listed.get(name) == size_there:
                return
            with self._folder.disk_errors(name):
                self._note(name, size_there)
                self._folder.add_file(source, name, self._link)
        except FileNotFoundError:
            raise DatasetError(
                f"{source}: is missing; run `blendgen verify` to list what else is wrong"
            ) from None

    def _copy(self, source: PackedFile, name: str) -> None:
        if self.has(name) and self._files.listed.get(name) == source.size_bytes:
            return
        with self._folder.disk_errors(name):
            self.write_bytes(name, source.read_bytes())

    def make_folder(self, name: str) -> None:
        """Add a folder that may stay empty, with "/"; raises DatasetError."""
        self._folder.make_folder(name)

    def write_text(self, name: str, text: str) -> None:
        self.write_bytes(name, text.encode("utf-8", "backslashreplace"))

    def write_bytes(self, name: str, data: bytes) -> None:
        with self.opened(name) as file:
            file.write(data)

    @contextmanager
    def opened(self, name: str) -> Iterator[IO[bytes]]:
        """A new binary file that gets its name when the block ends without an error."""
        self._refuse_other(name)
        with self._folder.atomic_file(name) as file:
            yield file
            self._note(name, file.tell())

    def _note(self, name: str, size: int) -> None:
        """Record a file before it gets its name, so that later runs know it."""
        self._refuse_other(name)
        self._files.note(name, size)

    def _refuse_other(self, name: str) -> None:
        """Raise DatasetError if the name belongs to a foreign file, or leads through a link."""
        is_there = self._folder.status(name) is not None
        if is_there and name not in self._files.written and not self._is_ours(name):
            raise DatasetError(f"{self.root / name}: does not belong to this export; move it away")

    def _is_ours(self, name: str) -> bool:
        status = self._folder.status(name)
        if status is None:
            return False
        size = OF_A_LINK if stat.S_ISLNK(status.st_mode) else status.st_size
        return self._files.listed.get(name) == size and (size == OF_A_LINK or stat.S_ISREG(status.st_mode))

    def _refuse_foreign(self) -> None:
        """Raise DatasetError if --force would meet files that the export did not write."""
        ours = (_MARKER, LIST)
        foreign = sorted(
            name
            for name in self._folder.files()
            if name not in ours and Path(name).name not in HARMLESS and not self._is_ours(name)
        )
        if foreign:
            raise DatasetError(
                f"{self.root}: contains files that the export did not write, or that have changed; force "
                f"(--force) removes only its own files; move the others away:{listed(foreign)}"
            )

    def _known(self) -> dict[str, Any] | None:
        if not self._folder.has_file(_MARKER):
            return None
        try:
            with (self.root / _MARKER).open("rb") as file:
                known = parsed_json(file.read(MAX_RECORD_BYTES + 1), MAX_RECORD_BYTES)
        except (OSError, ValueError):
            return None
        return known if isinstance(known, dict) else None

    def _remove_left_over(self) -> None:
        """Remove unchanged files of earlier runs that are not among those of this run, and folders that are
        empty afterwards.

        Those at the top, which describe the others, are removed first: what a kill leaves looks incomplete.
        """
        for name in self._files.left_over():
            with self._folder.disk_errors(name):
                if self._is_ours(name):
                    self._folder.remove(name)
