"""Whole file: a file of our own cache that appears complete or not at all.

For files that a library writes to a path, and for folders that only this user can write; Folder is for the
folders of others. Threads, processes and machines may write the same file at once: the last one wins.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path to write to, which is renamed to `path` when the block ends without an error.

    The folder is created. raises: OSError
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
