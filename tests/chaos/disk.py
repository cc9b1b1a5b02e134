"""Disk: a small disk of its own in memory, which can be filled, for this program and what it starts.

The program starts itself again in a mount namespace, as `unshare` makes them, where it may mount. Where the
system allows none, everything is on the usual disk, and no disk gets full.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

_INSIDE = "BLENDGEN_CHAOS_NAMESPACE"
_UNSHARE = ("unshare", "--map-root-user", "--mount")
_BLOCK_BYTES = 4096


def enter_namespace() -> None:
    """Start this program again where it may mount, if the system allows that."""
    if _INSIDE in os.environ or shutil.which(_UNSHARE[0]) is None:
        return
    if subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False).returncode == 0:
        os.environ[_INSIDE] = "1"
        os.execvp(_UNSHARE[0], [*_UNSHARE, sys.executable, "-m", "tests.chaos", *sys.argv[1:]])


class SmallDisk:
    """A folder, on a disk of its own if one can be mounted; use as a context manager."""

    def __init__(self, folder: Path, size_bytes: int):
        self.folder, self._ballast = folder, folder / "ballast"
        self._size_bytes, self.is_mounted = size_bytes, False

    def __enter__(self) -> SmallDisk:
        self.folder.mkdir(parents=True)
        if _INSIDE in os.environ:
            mount = ["mount", "-t", "tmpfs", "-o", f"size={self._size_bytes}", "tmpfs", str(self.folder)]
            self.is_mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_mounted:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)

    @property
    def is_full(self) -> bool:
        return self._ballast.exists()

    def fill(self) -> None:
        """Leave no room: only as long as the disk is mounted."""
        with self._ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    free = os.statvfs(self.folder).f_bavail * _BLOCK_BYTES
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), max(free, _BLOCK_BYTES))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def clear(self) -> None:
        self._ballast.unlink()
