"""Scratch: temporary folders; those of one run share a parent, which the next run removes if it was killed.

`$TMPDIR/blendgen-run-<random>/` exists while a scratch folder is in use. Its file `owner` is locked for as
long as the run lives. A killed run leaves a folder whose lock is free; the next run removes it, with all
files that workers left in it.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from blendgen.errors import BlendgenError, DiskUnavailable, SetupError
from blendgen.files.clock import file_system_time_s
from blendgen.files.disk import disk_error, passes

try:
    import fcntl
except ImportError:  # Windows: folders are not locked, and abandoned ones not removed
    fcntl = None  # type: ignore[assignment]  # a missing module has no type of its own

PREFIX = "blendgen-run-"
_OWNER, _NEW_OWNER = "owner", "owner.new"
_MARK = b"a run of blendgen\n"
_STARTING_S = 3600.0  # a folder without an owner may belong to a run that is starting


@dataclass
class _Run:
    """The folder of this run; users: scratch folders in use."""

    folder: Path | None = None
    lock: int = -1
    users: int = 0


_run = _Run()
_guard = threading.Lock()
_cleaned: set[str] = set()


@contextmanager
def scratch_folder(purpose: str) -> Iterator[Path]:
    """An empty temporary folder, removed at the end; raises as scratch_error if it cannot be created."""
    folder = _create(purpose)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _release()


def scratch_error(error: OSError) -> BlendgenError:
    """The error for a temporary folder or file that cannot be written."""
    if passes(error):
        place = error.filename or tempfile.gettempdir()
        return DiskUnavailable(f"{disk_error(Path(place), error)}; or set TMPDIR to another folder")
    place = f" ({error.filename})" if error.filename else ""
    return SetupError(
        f"temporary files cannot be written: {error.strerror or error}{place}; set TMPDIR to a writable "
        "folder with enough space"
    )


def _create(purpose: str) -> Path:
    with _guard:
        try:
            if _run.users == 0:
                _begin(tempfile.gettempdir())
            folder = Path(tempfile.mkdtemp(prefix=f"{purpose}-", dir=_run.folder))
        except OSError as error:
            if _run.users == 0:
                _end()
            raise scratch_error(error) from None
        _run.users += 1
        return folder


def _release() -> None:
    with _guard:
        _run.users -= 1
        if _run.users == 0:
            _end()


def _begin(place: str) -> None:
    if place not in _cleaned:
        _cleaned.add(place)
        remove_abandoned(Path(place))
    _run.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    # lock the file before it gets its name: a file `owner` without a lock then means an abandoned folder
    new = _run.folder / _NEW_OWNER
    _run.lock = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(_run.lock, _MARK)
    if fcntl is not None:
        with suppress(OSError):  # a file system without locks: nothing can be removed there either
            fcntl.flock(_run.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    new.rename(_run.folder / _OWNER)


def _end() -> None:
    folder, lock, _run.folder, _run.lock = _run.folder, _run.lock, None, -1
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
    if lock >= 0:
        os.close(lock)


def remove_abandoned(place: Path) -> None:
    """Remove the folders of this user's killed runs."""
    if fcntl is None:
        return
    with suppress(OSError):
        for entry in [*os.scandir(place)]:
            if entry.name.startswith(PREFIX) and _is_private(entry):
                with suppress(OSError):
                    _remove_if_abandoned(Path(entry.path))


def _is_private(entry: os.DirEntry) -> bool:
    """Whether an entry is a folder, not a link, that only this user can write to."""
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    private = stat.S_ISDIR(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o700
    return private and status.st_uid == os.geteuid()


def _remove_if_abandoned(folder: Path) -> None:
    try:
        lock = os.open(folder / _OWNER, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        _remove_if_empty(folder)
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.read(lock, len(_MARK)) == _MARK:
            _remove(folder)
    finally:
        os.close(lock)


def _remove(folder: Path) -> None:
    """Remove `owner` last: if this is interrupted, the next run continues."""
    for entry in [*os.scandir(folder)]:
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
        elif entry.name != _OWNER:
            Path(entry.path).unlink()
    (folder / _OWNER).unlink()
    folder.rmdir()


def _remove_if_empty(folder: Path) -> None:
    """Remove the folder of a run that was killed while it started."""
    if file_system_time_s(folder.parent) - folder.stat().st_mtime > _STARTING_S:
        (folder / _NEW_OWNER).unlink(missing_ok=True)
        folder.rmdir()
