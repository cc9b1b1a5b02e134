"""Regular file: open untrusted files so that a pipe, a device or a huge file cannot block the run.

A model, image, sidecar or table may be a link to something that never ends or never responds. Only regular
files are opened, links to them included, and only up to a size that is plausible for their kind.
"""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

MAX_MODEL_BYTES = 4 * 2**30
MAX_TEXT_BYTES = 4_000_000  # of a sidecar or a table
_UNITS = ((2**30, "GiB"), (2**20, "MiB"), (10**6, "MB"), (2**10, "KiB"))


def open_regular(path: Path, max_bytes: int | None = None) -> BufferedReader:
    """Open a file for reading.

    max_bytes: the largest size to open; None: any
    raises: OSError with a readable `strerror`, also if the file is too large or not a regular file
    """
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    try:
        status = os.fstat(number)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        if max_bytes is not None and status.st_size > max_bytes:
            raise OSError(errno.EFBIG, f"larger than {_size(max_bytes)}", str(path))
        return os.fdopen(number, "rb")
    except BaseException:
        os.close(number)
        raise


def read_bounded(path: Path, max_bytes: int = MAX_TEXT_BYTES) -> bytes:
    """All bytes of a regular file of at most max_bytes; raises OSError as open_regular does."""
    with open_regular(path, max_bytes) as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:  # it grew while it was read
        raise OSError(errno.EFBIG, f"larger than {_size(max_bytes)}", str(path))
    return data


def links_outside(path: Path) -> bool:
    """Whether a path is a link to something outside the folder that contains it."""
    return path.is_symlink() and not path.resolve().is_relative_to(path.parent.resolve())


def _size(count: int) -> str:
    factor, name = next(((f, n) for f, n in _UNITS if count >= f and count % f == 0), (1, "bytes"))
    return f"{count // factor} {name}"
