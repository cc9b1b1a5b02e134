"""Disk: a failed read or write as an error for the user, and whether it passes.

A full disk and a network folder that does not answer pass: the same command continues later, perhaps on
another machine. Other errors, such as a folder that this user may not write, need somebody who fixes them.
"""

from __future__ import annotations

import errno
from pathlib import Path

from blendgen.errors import DatasetError, DiskUnavailable

_FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the disk quota is used up"}
# as the clients of NFS, SMB, Lustre, sshfs and s3fs report a server that is gone; macOS lacks some of them
_LOST = frozenset(
    getattr(errno, name)
    for name in (
        *("EIO", "ESTALE", "EREMOTEIO", "ENOTCONN", "ETIMEDOUT", "EHOSTDOWN", "EHOSTUNREACH", "ENOLINK"),
        *("ENETDOWN", "ENETUNREACH", "ENETRESET", "ECONNABORTED", "ECONNRESET", "ECONNREFUSED", "ESHUTDOWN"),
    )
    if hasattr(errno, name)
)
_GOES_ON = "Finished images are kept; run the same command to continue"


def passes(error: Exception) -> bool:
    """Whether the disk is full, or a network folder does not answer."""
    return isinstance(error, OSError) and (error.errno in _FULL or error.errno in _LOST)


def disk_error(path: Path, error: OSError) -> DatasetError:
    """The error for a failed write."""
    if not passes(error):
        return DatasetError(f"{path}: cannot be written: {error.strerror or error}. {_GOES_ON}")
    if error.errno in _FULL:
        return DiskUnavailable(f"{path}: cannot be written: {_FULL[error.errno]}. {_GOES_ON}")
    return DiskUnavailable(
        f"{path}: its disk or network folder does not answer ({error.strerror or error}). {_GOES_ON}"
    )


def read_error(path: Path, error: OSError, way_out: str = "") -> DatasetError:
    """The error for a failed read; way_out: for an error that does not pass."""
    if passes(error):
        return disk_error(path, error)
    return DatasetError(f"{path}: cannot be read: {error.strerror or error}{way_out}")


def raise_if_passing(path: Path, error: Exception) -> None:
    """Raises DiskUnavailable for an error that passes: what cannot be read now may be there and right."""
    if isinstance(error, OSError) and passes(error):
        raise disk_error(path, error) from None
