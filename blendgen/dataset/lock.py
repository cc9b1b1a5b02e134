"""Lock: two runs never write into the same folder at the same time.

In: the layout of a folder. The lock is an empty file, which is removed when the run ends; that of a killed
run stays, but nobody holds it.
"""

from __future__ import annotations

import stat
from contextlib import suppress

from filelock import FileLock, Timeout

from blendgen.dataset.layout import Layout
from blendgen.errors import DatasetError
from blendgen.files.disk import raise_if_passing


class FolderLock:
    """The lock of a data set, which is not held yet; as a context manager, it is held for the block."""

    def __init__(self, layout: Layout):
        self._layout, self._lock = layout, FileLock(layout.lock)

    def __enter__(self) -> FolderLock:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def acquire(self) -> None:
        """Create the folder if needed, and lock it; raises DatasetError."""
        root = self._layout.root
        self._refuse_other_file()
        try:
            root.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout:
            raise DatasetError(f"{root}: another blendgen process is writing to this folder") from None
        except OSError as error:
            raise_if_passing(root, error)
            why = f"cannot be created: {error.strerror}; choose another folder"
            raise DatasetError(f"{root}: {why}") from None

    def release(self) -> None:
        """Remove the lock file while the lock is held; the next process creates a new one."""
        with suppress(OSError):  # nothing there, or the folder is gone: the lock itself is released anyway
            self._layout.lock.unlink()
        self._lock.release()

    def _refuse_other_file(self) -> None:
        """Anything but an empty file is not touched."""
        try:
            status = self._layout.lock.lstat()
        except OSError:
            return
        if not stat.S_ISREG(status.st_mode) or status.st_size:
            raise DatasetError(f"{self._layout.lock}: is not a lock of blendgen; move it away")
