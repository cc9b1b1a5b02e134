"""Folder: whole files in one folder tree, reached without following links.

In: paths relative to the folder, with "/", checked by names.path_fault. Every sub-folder is opened from
its parent's handle, so that a link put in the way leads nowhere. A file appears whole or not at all: it is
written in a temporary sub-folder of the same file system and renamed. Where the system has no folder
handles (Windows) each part of the path is looked at instead.
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
from blendgen.files.names import path_fault

_HANDLES = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_A_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _NO_LINK
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK
_TEMPORARY = re.compile(r"\d+-\d+")
_counter = itertools.count()


class Folder:
    """root: the folder, which need not exist yet; temporary: its sub-folder for files on their way."""

    def __init__(self, root: Path, temporary: str = ".partial"):
        self.root, self.temporary = Path(os.path.realpath(root)), temporary

    def write(self, name: str, data: bytes | Iterable[bytes]) -> None:
        """Make `name` hold all of `data`, or raise DatasetError and leave it as it was."""
        with self.whole(name) as file:
            file.writelines([data] if isinstance(data, bytes) else data)

    @contextmanager
    def whole(self, name: str) -> Iterator[IO[bytes]]:
        """A binary file that takes its name only when the block ends without an error."""
        with self.errors(name):
            partial = self._partial()
            try:
                with self._at(partial, make=True) as (handle, leaf):
                    file = os.fdopen(os.open(leaf, _NEW_FILE, 0o666, dir_fd=handle), "wb")
                with file:
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
                self._rename(partial, name)
            except BaseException:
                self._forget(partial)
                raise

    def place(self, source: Path, name: str, link: str) -> None:
        """Put a file there under a name; link: "copy", "hard" (a copy where links cannot be) or "symlink".

        raises: FileNotFoundError where the source is missing, OSError
        """
        partial = self._partial()
        try:
            self._put(source, partial, link)
            self._rename(partial, name)
        except BaseException:
            self._forget(partial)
            raise

    def append(self, name: str, data: bytes) -> None:
        """Add to the end of a file, without waiting for the disk; raises DatasetError."""
        with self.errors(name), self._at(name, make=True) as (handle, leaf):
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | _NO_LINK
            with os.fdopen(os.open(leaf, flags, 0o666, dir_fd=handle), "wb") as file:
                file.write(data)

    def status(self, name: str) -> os.stat_result | None:
        """What is there under a name, a link itself and not its target; None for nothing."""
        try:
            with self._at(name) as (handle, leaf):
                return os.stat(leaf, dir_fd=handle, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def has_file(self, name: str) -> bool:
        status = self.status(name)
        return status is not None and stat.S_ISREG(status.st_mode)

    def remove(self, name: str) -> None:
        """Remove a file or a link if it is there, and the folders above it that this leaves empty."""
        with suppress(FileNotFoundError), self._at(name) as (handle, leaf):
            os.unlink(leaf, dir_fd=handle)
        parts = name.split("/")[:-1]
        while parts:
            try:
                with self._at("/".join(parts)) as (handle, leaf):
                    os.rmdir(leaf, dir_fd=handle)
            except OSError:  # it holds something, or is gone
                return
            parts.pop()

    def files(self, below: str = "") -> Iterator[str]:
        """Names of all that is not a folder, links included and not followed; in no order."""
        waiting = [below]
        while waiting:
            folder = waiting.pop()
            try:
                with os.scandir(self.root / folder) as entries:
                    here = list(entries)
            except (FileNotFoundError, NotADirectoryError):
                continue
            for entry in here:
                name = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(name)
                else:
                    yield name

    def sweep(self) -> None:
        """Remove the temporary files of killed runs; whatever else lies among them stays."""
        with suppress(OSError):
            for name in list(self.files(self.temporary)):
                if _TEMPORARY.fullmatch(name.removeprefix(f"{self.temporary}/")):
                    self.remove(name)
        with suppress(OSError):
            (self.root / self.temporary).rmdir()

    @contextmanager
    def errors(self, name: str) -> Iterator[None]:
        """Turns what the system refuses into a DatasetError."""
        try:
            yield
        except OSError as error:
            raise disk_error(self.root / name, error) from None

    def _partial(self) -> str:
        return f"{self.temporary}/{os.getpid()}-{next(_counter)}"

    def _put(self, source: Path, partial: str, link: str) -> None:
        with self._at(partial, make=True) as (handle, leaf):
            if link == "symlink":
                os.symlink(source.resolve(strict=True), leaf, dir_fd=handle)
                return
            if link == "hard":
                try:
                    os.link(source, leaf, dst_dir_fd=handle)
                    return
                except (FileNotFoundError, FileExistsError):
                    raise
                except OSError:
                    pass  # another file system, or one without links
            with (
                source.open("rb") as given,
                os.fdopen(os.open(leaf, _NEW_FILE, 0o666, dir_fd=handle), "wb") as file,
            ):
                shutil.copyfileobj(given, file, 1 << 20)

    def _rename(self, partial: str, name: str) -> None:
        with self._at(partial) as (handle, leaf), self._at(name, make=True) as (target_handle, target):
            os.replace(leaf, target, src_dir_fd=handle, dst_dir_fd=target_handle)

    def _forget(self, partial: str) -> None:
        with suppress(OSError), self._at(partial) as (handle, leaf):
            os.unlink(leaf, dir_fd=handle)

    @contextmanager
    def _at(self, name: str, make: bool = False) -> Iterator[tuple[int | None, str]]:
        """The handle of the folder that holds `name`, and its last part; without handles its whole path.

        raises: DatasetError for a name that leads elsewhere or through a link, OSError
        """
        fault = path_fault(name)
        if fault:
            raise DatasetError(f"{self.root}: the name {name!r} {fault}")
        *folders, leaf = name.split("/")
        if not _HANDLES:
            yield None, str(self._step_by_step(folders, make) / leaf)
            return
        if make:
            self.root.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.root, _A_FOLDER)
        try:
            for depth, folder in enumerate(folders, start=1):
                below = self._opened(handle, folder, make, "/".join(folders[:depth]))
                os.close(handle)
                handle = below
            yield handle, leaf
        finally:
            os.close(handle)

    def _opened(self, handle: int, folder: str, make: bool, name: str) -> int:
        try:
            return os.open(folder, _A_FOLDER, dir_fd=handle)
        except FileNotFoundError:
            if not make:
                raise
            with suppress(FileExistsError):
                os.mkdir(folder, dir_fd=handle)
            return os.open(folder, _A_FOLDER, dir_fd=handle)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                raise self._no_folder(name) from None
            raise

    def _step_by_step(self, folders: list[str], make: bool) -> Path:
        path = self.root
        for folder in folders:
            path = path / folder
            if path.is_symlink() or (path.exists() and not path.is_dir()):
                raise self._no_folder(path.relative_to(self.root).as_posix())
        if make:
            path.mkdir(parents=True, exist_ok=True)
        return path

    def _no_folder(self, name: str) -> DatasetError:
        return DatasetError(f"{self.root / name}: is a link or a file where a folder belongs; move it away")


def disk_error(path: Path, error: OSError) -> DatasetError:
    """What the disk refused, in words; what is finished stays."""
    reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
    return DatasetError(
        f"{path}: cannot be written: {reason}. What is finished is kept; run the same command to continue"
    )
