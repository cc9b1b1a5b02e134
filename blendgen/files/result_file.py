"""Result file: a single file that a command writes to a path of the user, never over a file of the user.

In: a path, and bytes with MARK near their start or end, or text with TEXT_MARK in its first lines. An earlier
result is replaced, whole or not at all. A file without the mark is not a result, nor is a spec or a script
that only names blendgen; a link is not followed.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from blendgen.errors import DatasetError
from blendgen.files.disk import disk_error, read_error
from blendgen.files.folder import Folder

MARK, TEXT_MARK = b"blendgen", b"# Written by blendgen "
_HEAD_BYTES = 100
_LOOKED_AT_BYTES = 4096


def refuse_others_file(path: Path) -> None:
    """Raises DatasetError if the path holds anything but an earlier result."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise disk_error(path, error) from None
    if not stat.S_ISREG(status.st_mode) or not _is_marked(path):
        raise DatasetError(f"{path}: exists and was not written by blendgen; choose another file name")


def write_result(path: Path, data: bytes) -> None:
    """Write a result, or replace an earlier one; raises DatasetError."""
    refuse_others_file(path)
    folder = Folder(path.parent, ".blendgen-partial")
    folder.write(path.name, data)
    folder.remove_temporary_files()


def _is_marked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            start = file.read(_LOOKED_AT_BYTES)
            if b"\0" not in start:
                return TEXT_MARK in start[:_HEAD_BYTES]
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LOOKED_AT_BYTES))
            return MARK in start or MARK in file.read()
    except OSError as error:
        raise read_error(path, error) from None
