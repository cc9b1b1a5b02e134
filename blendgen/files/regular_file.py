"""Regular file: how a file of a stranger is opened, so that a pipe, a device or a giant cannot hold the run.

A model, a picture, a sidecar or a table may be a link to something that never ends or never answers. Only
regular files are opened, links to such included, and none that is larger than it can honestly be.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

MAX_MODEL_BYTES = 4 * 2**30
MAX_TEXT_BYTES = 4_000_000  # of a sidecar or a table
_UNITS = ((2**30, "GiB"), (2**20, "MiB"), (10**6, "MB"), (2**10, "KiB"))


def open_regular(path: Path, max_bytes: int | None = None) -> BinaryIO:
    """The file, opened to be read.

    max_bytes: the largest size that is opened; None: any
    raises: OSError with a plain `strerror`, also where it is no regular file or too large
    """
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    try:
        facts = os.fstat(number)
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        if max_bytes is not None and facts.st_size > max_bytes:
            raise OSError(errno.EFBIG, f"larger than {_size(max_bytes)}", str(path))
        return os.fdopen(number, "rb")
    except BaseException:
        os.close(number)
        raise


def read_bounded(path: Path, max_bytes: int = MAX_TEXT_BYTES) -> bytes:
    """All bytes of a regular file that is no larger than that; raises OSError as open_regular does."""
    with open_regular(path, max_bytes) as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:  # it grows while it is read
        raise OSError(errno.EFBIG, f"larger than {_size(max_bytes)}", str(path))
    return data


def links_outside(path: Path) -> bool:
    """Whether it is a link that leads out of the folder that it lies in."""
    return path.is_symlink() and not path.resolve().is_relative_to(path.parent.resolve())


def _size(count: int) -> str:
    factor, name = next(((f, n) for f, n in _UNITS if count >= f and count % f == 0), (1, "bytes"))
    return f"{count // factor} {name}"
