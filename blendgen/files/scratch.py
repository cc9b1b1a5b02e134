"""Scratch: temporary folders, all of one run in one folder; the next run clears away what a killed one left.

`$TMPDIR/blendgen-run-<random>/` is there while a scratch folder is in use. Its file `owner` is locked
as long as the run lives: a run that was killed leaves a folder whose lock is free, and the next run
removes that, with whatever workers left in it.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from blendgen.errors import SetupError

try:
    import fcntl
except ImportError:  # Windows: nothing is locked, and nothing swept
    fcntl = None

PREFIX = "blendgen-run-"
_OWNER, _NEW_OWNER = "owner", "owner.new"
_MARK = b"a run of blendgen\n"
_YOUNG_S = 3600.0  # a folder without an owner may be of a run that begins at this moment


@dataclass
class _Run:
    """The folder of this run; users: scratch folders in use."""

    folder: Path | None = None
    lock: int = -1
    users: int = 0


_run = _Run()
_guard = threading.Lock()
_swept: set[str] = set()


@contextmanager
def scratch_folder(purpose: str) -> Iterator[Path]:
    """An empty folder of this run, gone at the end; raises SetupError where none can be made."""
    folder = _taken(purpose)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _given_back()


def scratch_error(error: OSError) -> SetupError:
    """What to say where a temporary folder or a file in one cannot be written."""
    place = f" ({error.filename})" if error.filename else ""
    return SetupError(
        f"temporary files cannot be written: {error.strerror or error}{place}; set TMPDIR to a folder "
        "that has room"
    )


def _taken(purpose: str) -> Path:
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


def _given_back() -> None:
    with _guard:
        _run.users -= 1
        if _run.users == 0:
            _end()


def _begin(place: str) -> None:
    if place not in _swept:
        _swept.add(place)
        sweep(Path(place))
    _run.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    # locked before it has its name: an owner that can be seen and is free belongs to nobody
    new = _run.folder / _NEW_OWNER
    _run.lock = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(_run.lock, _MARK)
    if fcntl is not None:
        with suppress(OSError):  # a file system without locks: then nobody sweeps there either
            fcntl.flock(_run.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    new.rename(_run.folder / _OWNER)


def _end() -> None:
    folder, lock, _run.folder, _run.lock = _run.folder, _run.lock, None, -1
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
    if lock >= 0:
        os.close(lock)


def sweep(place: Path) -> None:
    """Remove the folders of this user's runs that are no more."""
    if fcntl is None:
        return
    with suppress(OSError):
        for entry in [*os.scandir(place)]:
            if entry.name.startswith(PREFIX) and _is_private(entry):
                with suppress(OSError):
                    _remove_if_left(Path(entry.path))


def _is_private(entry: os.DirEntry) -> bool:
    """A folder of this user's that nobody else could have put anything into; no link to one."""
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    private = stat.S_ISDIR(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o700
    return private and status.st_uid == os.geteuid()


def _remove_if_left(folder: Path) -> None:
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
    """The owner last: where this is cut short, the next sweep goes on."""
    for entry in [*os.scandir(folder)]:
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
        elif entry.name != _OWNER:
            Path(entry.path).unlink()
    (folder / _OWNER).unlink()
    folder.rmdir()


def _remove_if_empty(folder: Path) -> None:
    """Of a run that was killed in its first moment."""
    if time.time() - folder.stat().st_mtime > _YOUNG_S:
        (folder / _NEW_OWNER).unlink(missing_ok=True)
        folder.rmdir()
