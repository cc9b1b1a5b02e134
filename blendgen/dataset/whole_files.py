"""Whole files: whether the files of a row are complete, loose or in their pack."""

from __future__ import annotations

import hashlib
import stat

from blendgen.dataset.packed import ImageFiles
from blendgen.files.disk import raise_if_passing, read_error
from blendgen.scene.row import RowFile, RowHead


def has_files(files: ImageFiles, row: RowHead, check: bool = False) -> bool:
    """Whether the files of a row are complete, loose or in their pack.

    check: compare sha256 too, not only sizes
    raises: DiskUnavailable
    """
    return all(_is_whole(files, file, check) for file in row.files.values())


def _is_whole(files: ImageFiles, file: RowFile, check: bool) -> bool:
    path = files.layout.root / file.name
    try:
        status = path.lstat()
    except FileNotFoundError:
        return _is_packed(files, file, check)
    except OSError as error:
        raise_if_passing(path, error)
        return False
    if not stat.S_ISREG(status.st_mode) or status.st_size != file.size_bytes:
        return False
    if not check:
        return True
    try:
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest() == file.sha256
    except OSError as error:
        raise read_error(path, error) from None


def _is_packed(files: ImageFiles, file: RowFile, check: bool) -> bool:
    """Whether a file is in its pack."""
    try:
        packed = files.packed(file.name)
        if packed is None or packed.size_bytes != file.size_bytes:
            return False
        return not check or hashlib.sha256(packed.read_bytes()).hexdigest() == file.sha256
    except ValueError:
        return False
    except OSError as error:
        raise_if_passing(files.layout.root / file.name, error)
        return False
