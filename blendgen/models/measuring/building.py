"""Building: the folders in which entries of the cache are built, and the removal of abandoned ones.

While a process builds anything it has one folder `.building-<host>-<process>-<random>` with a locked file
`owner`. The lock is released when the process ends, for whatever reason, so the next run on the same host can
recognise abandoned folders. Folders of other hosts, of older versions, and without locks are removed by their
age, by the clock of the file system.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import tempfile
from pathlib import Path

from blendgen.files.clock import file_system_time_s

try:
    import fcntl
except ImportError:  # not Unix: only the age counts
    fcntl = None  # type: ignore[assignment]  # a missing module has no type of its own

PREFIX = ".building-"
_OWNER, _NEW_OWNER = "owner", "owner.new"
_ABANDONED_AFTER_S = 24 * 3600


class BuildFolders:
    """The folders in which this process builds, below `place`. Every method may raise OSError."""

    def __init__(self, place: Path):
        self._place = place
        self._folder: Path | None = None
        self._lock = -1
        self._open: set[Path] = set()

    def begin(self, name: str) -> Path:
        """A new empty folder whose name starts with `name`."""
        if self._folder is None:
            self._place.mkdir(parents=True, exist_ok=True)
            self._start()
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._folder))
        self._open.add(folder)
        return folder

    def end(self, folder: Path) -> None:
        """Remove a folder if it still exists; with the last one also the folder of this process."""
        shutil.rmtree(folder, ignore_errors=True)
        if folder in self._open:
            self._open.remove(folder)
            if not self._open:
                self._close()

    def _start(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{_host()}-{os.getpid()}-", dir=self._place))
        # lock the file before it gets its name: a file `owner` without a lock then means an abandoned folder
        new = self._folder / _NEW_OWNER
        self._lock = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | _CLOSE, 0o600)
        if fcntl is not None:
            with contextlib.suppress(OSError):  # a file system without locks: only the age counts
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        new.rename(self._folder / _OWNER)

    def _close(self) -> None:
        folder, lock, self._folder, self._lock = self._folder, self._lock, None, -1
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        if lock >= 0:
            os.close(lock)


_CLOSE = getattr(os, "O_CLOEXEC", 0)


def _host() -> str:
    return re.sub(r"[^\w.]", "_", socket.gethostname())[:64] or "_"


def sweep(place: Path) -> None:
    """Remove the folders of killed processes, if there are any."""
    folders = list(place.glob(f"{PREFIX}*"))
    if not folders:
        return
    try:
        now_s = file_system_time_s(place)
    except OSError:  # nothing can be removed where nothing can be written
        return
    for folder in folders:
        with contextlib.suppress(OSError):  # published or discarded by its process in the meantime
            if _is_abandoned(folder, now_s):
                shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(folder: Path, now_s: float) -> bool:
    locked = _is_locked(folder)
    if locked is False and folder.name.startswith(f"{PREFIX}{_host()}-"):
        return True
    return not locked and now_s - folder.stat().st_mtime > _ABANDONED_AFTER_S


def _is_locked(folder: Path) -> bool | None:
    """Whether a process uses the folder, perhaps on another host; None if that is not known."""
    try:
        lock = os.open(folder / _OWNER, os.O_RDWR | _CLOSE | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (OSError, AttributeError):  # no locks here
        return None
    finally:
        os.close(lock)
    return False
