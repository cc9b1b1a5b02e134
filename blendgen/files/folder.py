"""Folder: read and write files in one folder tree atomically, without following links.

In: paths relative to the folder, with "/", checked by names.path_fault. Every sub-folder is opened through
the file descriptor of its parent, so that a link in the path cannot lead elsewhere. A file appears complete
or not at all: it is written in a temporary sub-folder of the same file system and renamed. On systems
without folder descriptors (Windows) each part of the path is checked instead.
"""

from __future__ import annotations

import errno
import itertools
import os
import re
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from blendgen.errors import DatasetError
from blendgen.files.disk import disk_error
from blendgen.files.names import path_fault

_HAS_DESCRIPTORS = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
_NO_LINK_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_FOLDER_FLAGS = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _NO_LINK_FLAGS
_NEW_FILE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK_FLAGS
_TEMPORARY = re.compile(r"\d+-\d+")
_ATTEMPTS = 100
_counter = itertools.count()


class Folder:
    """root: the folder, which need not exist yet; temporary: its sub-folder for incomplete files."""

    def __init__(self, root: Path, temporary: str = ".partial"):
        self.root, self.temporary = Path(os.path.realpath(root)), temporary

    def write(self, name: str, data: bytes | Iterable[bytes]) -> None:
        """Replace the content of `name` with `data`, or raise DatasetError and leave it unchanged."""
        with self.atomic_file(name) as file:
            file.writelines([data] if isinstance(data, bytes) else data)

    @contextmanager
    def atomic_file(self, name: str) -> Iterator[IO[bytes]]:
        """A new binary file that gets its name when the block ends without an error."""
        with self.disk_errors(name):
            partial = self._partial()
            try:
                with self._at(partial, make=True) as (parent, leaf):
                    file = os.fdopen(os.open(leaf, _NEW_FILE_FLAGS, 0o666, dir_fd=parent), "wb")
                with file:
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
                self._rename(partial, name)
            except BaseException:
                self._remove_partial(partial)
                raise

    def add_file(self, source: Path, name: str, link: str) -> None:
        """Copy or link a file into the folder.

        link: "copy", "symlink" or "hard", which copies if the file system cannot link
        raises: FileNotFoundError if the source is missing, OSError
        """
        partial = self._partial()
        try:
            self._copy_or_link(source, partial, link)
            self._rename(partial, name)
        except BaseException:
            self._remove_partial(partial)
            raise

    def place_new(self, source: Path, name: str, link: str) -> None:
        """Put a file, which is not followed if it is a link, where nothing is yet.

        link: "hard"; "move"; "copy", as the others do where the file system cannot
        raises: FileNotFoundError if the source is missing, FileExistsError, OSError
        """
        with self._at(name, make=True) as (parent, leaf):
            try:
                if link == "hard":
                    os.link(source, leaf, dst_dir_fd=parent, follow_symlinks=False)
                    return
                with suppress(FileNotFoundError):
                    os.stat(leaf, dir_fd=parent, follow_symlinks=False)
                    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(self.root / name))
                if link == "move":
                    os.rename(source, leaf, dst_dir_fd=parent)
                    return
            except (FileNotFoundError, FileExistsError):
                raise
            except OSError:
                pass  # another file system, or one without hard links
        self.add_file(source, name, "copy")

    def make_folder(self, name: str) -> None:
        """Add a folder, which may be there already."""
        with self.disk_errors(name), self._at(f"{name}/_", make=True):
            pass

    def append(self, name: str, data: bytes) -> None:
        """Append to a file, without fsync; raises DatasetError."""
        with self.disk_errors(name), self._at(name, make=True) as (parent, leaf):
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | _NO_LINK_FLAGS
            with os.fdopen(os.open(leaf, flags, 0o666, dir_fd=parent), "wb") as file:
                file.write(data)

    def opened(self, name: str) -> IO[bytes]:
        """A file to be read and rewritten in place, unbuffered; raises OSError, DatasetError."""
        with self._at(name, make=True) as (parent, leaf):
            flags = os.O_RDWR | os.O_CREAT | _NO_LINK_FLAGS
            return os.fdopen(os.open(leaf, flags, 0o666, dir_fd=parent), "r+b", buffering=0)

    def status(self, name: str) -> os.stat_result | None:
        """The status of a file, of a link itself and not of its target; None if nothing exists there."""
        try:
            with self._at(name) as (parent, leaf):
                return os.stat(leaf, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def has_file(self, name: str) -> bool:
        status = self.status(name)
        return status is not None and stat.S_ISREG(status.st_mode)

    def remove(self, name: str) -> None:
        """Remove a file or link if it exists, and the folders above it that are empty afterwards."""
        with suppress(FileNotFoundError), self._at(name) as (parent, leaf):
            os.unlink(leaf, dir_fd=parent)
        self._remove_empty("/".join(name.split("/")[:-1]))

    def remove_empty_folders(self) -> None:
        """Remove all folders without a file in them; links are not followed."""
        for path, folders, _ in os.walk(self.root, topdown=False):
            for folder in folders:
                self._remove_empty((Path(path) / folder).relative_to(self.root).as_posix())

    def _remove_empty(self, name: str) -> None:
        """Remove a folder if it is empty, and those above it that are empty afterwards."""
        while name:
            try:
                with self._at(name) as (parent, leaf):
                    os.rmdir(leaf, dir_fd=parent)
            except (OSError, DatasetError):  # not empty, removed already, or not ours
                return
            name = name.rpartition("/")[0]

    def files(self, below: str = "") -> Iterator[str]:
        """Names of all files and links, which are not followed; in no particular order."""
        folders = [below]
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(self.root / folder) as entries:
                    listed = list(entries)
            except (FileNotFoundError, NotADirectoryError):
                continue
            for entry in listed:
                name = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    folders.append(name)
                else:
                    yield name

    def remove_temporary_files(self) -> None:
        """Remove the temporary files of killed runs; other files in the temporary sub-folder stay."""
        with suppress(OSError):
            for name in list(self.files(self.temporary)):
                if _TEMPORARY.fullmatch(name.removeprefix(f"{self.temporary}/")):
                    self.remove(name)
        with suppress(OSError):
            (self.root / self.temporary).rmdir()

    @contextmanager
    def disk_errors(self, name: str) -> Iterator[None]:
        """Turn an OSError into a DatasetError about `name`."""
        try:
            yield
        except OSError as error:
            raise disk_error(self.root / name, error) from None

    def _partial(self) -> str:
        return f"{self.temporary}/{os.getpid()}-{next(_counter)}"

    def _copy_or_link(self, source: Path, partial: str, link: str) -> None:
        with self._at(partial, make=True) as (parent, leaf):
            if link == "symlink":
                os.symlink(source.resolve(strict=True), leaf, dir_fd=parent)
                return
            if link == "hard":
                try:
                    os.link(source, leaf, dst_dir_fd=parent)
                    return
                except (FileNotFoundError, FileExistsError):
                    raise
                except OSError:
                    pass  # another file system, or one without hard links
            with (
                source.open("rb") as original,
                os.fdopen(os.open(leaf, _NEW_FILE_FLAGS, 0o666, dir_fd=parent), "wb") as file,
            ):
                shutil.copyfileobj(original, file, 1 << 20)

    def _rename(self, partial: str, name: str) -> None:
        """Again where another process has removed the folder, which was empty, in the meantime."""
        for attempt in range(_ATTEMPTS):
            try:
                with self._at(partial) as (parent, leaf), self._at(name, make=True) as (to_parent, target):
                    os.replace(leaf, target, src_dir_fd=parent, dst_dir_fd=to_parent)
                return
            except FileNotFoundError:
                if attempt == _ATTEMPTS - 1 or self.status(partial) is None:
                    raise

    def _remove_partial(self, partial: str) -> None:
        with suppress(OSError), self._at(partial) as (parent, leaf):
            os.unlink(leaf, dir_fd=parent)

    @contextmanager
    def _at(self, name: str, make: bool = False) -> Iterator[tuple[int | None, str]]:
        """(descriptor of the folder that contains `name`, last part of the name).

        On systems without folder descriptors: (None, full path).
        raises: DatasetError for a name that leads elsewhere or through a link, OSError
        """
        fault = path_fault(name)
        if fault:
            raise DatasetError(f"{self.root}: the name {name!r} {fault}")
        *folders, leaf = name.split("/")
        if not _HAS_DESCRIPTORS:
            yield None, str(self._checked_folder(folders, make) / leaf)
            return
        if make:
            self.root.mkdir(parents=True, exist_ok=True)
        parent = os.open(self.root, _FOLDER_FLAGS)
        try:
            for depth, folder in enumerate(folders, start=1):
                child = self._opened(parent, folder, make, "/".join(folders[:depth]))
                os.close(parent)
                parent = child
            yield parent, leaf
        finally:
            os.close(parent)

    def _opened(self, parent: int, folder: str, make: bool, name: str) -> int:
        try:
            return os.open(folder, _FOLDER_FLAGS, dir_fd=parent)
        except FileNotFoundError:
            if not make:
                raise
            with suppress(FileExistsError):
                os.mkdir(folder, dir_fd=parent)
            return os.open(folder, _FOLDER_FLAGS, dir_fd=parent)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                raise self._not_a_folder(name) from None
            raise

    def _checked_folder(self, folders: list[str], make: bool) -> Path:
        path = self.root
        for folder in folders:
            path = path / folder
            if path.is_symlink() or (path.exists() and not path.is_dir()):
                raise self._not_a_folder(path.relative_to(self.root).as_posix())
        if make:
            path.mkdir(parents=True, exist_ok=True)
        return path

    def _not_a_folder(self, name: str) -> DatasetError:
        return DatasetError(f"{self.root / name}: expected a folder, found a link or a file; move it away")
