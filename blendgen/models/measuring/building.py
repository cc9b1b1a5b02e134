"""Building: the folders in which entries of the cache are built, and the removal of abandoned ones.

While a process builds anything it has one folder `.building-<host>-<process>-<random>` with a locked file
`owner`. The lock is released when the process ends, for whatever reason, so the next run on the same host can
recognise abandoned folders. Folders of other hosts, and of older versions, are removed by their age.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import tempfile
import time
from pathlib import Path

try:
    import fcntl
except ImportError:  # not Unix: only the age counts
    fcntl = None  # type: ignore[assignment]  # a missing module has no type of its own

PREFIX = ".building-"
_OWNER = "owner"
_ABANDONED_AFTER_S = 24 * 3600
_YOUNG_S = 60  # a new folder may not have its owner file yet


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
            sweep(self._place)
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
        self._lock = os.open(self._folder / _OWNER, os.O_RDWR | os.O_CREAT | os.O_EXCL | _CLOSE, 0o600)
        if fcntl is not None:
            with contextlib.suppress(OSError):  # a file system without locks: only the age counts
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

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
    """Remove the folders of killed processes."""
    for folder in place.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # published or discarded by its process in the meantime
            if _is_abandoned(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(folder: Path) -> bool:
    age_s = time.time() - folder.stat().st_mtime
    if age_s > _ABANDONED_AFTER_S:
        return not _is_locked(folder)
    mine = folder.name.startswith(f"{PREFIX}{_host()}-") and (folder / _OWNER).is_file()
    return mine and age_s > _YOUNG_S and not _is_locked(folder)


def _is_locked(folder: Path) -> bool:
    """Whether a process of this host is using the folder; a folder without an owner file is not in use."""
    try:
        lock = os.open(folder / _OWNER, os.O_RDWR | _CLOSE | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (OSError, AttributeError):  # no locks here
        return False
    finally:
        os.close(lock)
    return False
