"""Staging: the folder of this machine in which a data set of an object store is made, or read.

In: a URL. Out: a folder that is the same for every command of the same user with that URL, so that a run that
was killed finds what it had made. It is in the cache, unless the user names another one; what somebody else
has there is refused, and never replaced.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from blendgen.cloud.index import Index
from blendgen.cloud.pull import is_here
from blendgen.dataset.layout import Layout
from blendgen.dataset.lock import FolderLock
from blendgen.dataset.ownership import is_temporary, listed, our_files, own_files, refuse_other_folder
from blendgen.dataset.store import read_record
from blendgen.errors import DatasetError
from blendgen.files.folder import Folder
from blendgen.files.url import Url
from blendgen.models.measuring.cache import cache_folder

MADE, READ = "staging", "copies"
_CHOOSE = "choose another staging folder (--staging)"


def staging_folder(url: Url, purpose: str) -> Path:
    """purpose: MADE or READ, which are apart; raises SetupError."""
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", url.name)[:40].strip("-.") or "data"
    key = hashlib.sha256(str(url).encode()).hexdigest()[:16]
    return cache_folder() / purpose / f"{slug}-{key}"


def finished_files(layout: Layout) -> list[str]:
    """The names of all files of the data set in a folder; not those of others, nor temporary ones."""
    known = read_record(layout)
    return [name for name in our_files(layout, known)[0] if known and not is_temporary(layout, name)]


def refuse_other_files(layout: Layout, index: Index) -> None:
    """Raises DatasetError for a folder, named by a user, in which files are not those of a data set.

    Nothing of somebody else is replaced or removed, nor an image that the store lacks.
    """
    known = read_record(layout)
    if known:
        refuse_other_folder(layout, known)
        if known["digest"] != index.head.record.get("digest"):
            raise DatasetError(f"{layout.root}: contains another data set; {_CHOOSE}")
    ours, foreign = our_files(layout, known)
    own = {layout.name(path) for path in own_files(layout, known)}
    unsent = [name for name in ours if known and not is_temporary(layout, name)]
    unsent = [name for name in unsent if name not in index.entries and name not in own]
    if unsent:
        raise DatasetError(f"{layout.root}: has images that the store lacks; {_CHOOSE}:{listed(unsent)}")
    in_the_way = [name for name in foreign if name in index.entries or not known]
    others = [name for name in in_the_way if not _is_object(layout, index, name)]
    if others:
        raise DatasetError(f"{layout.root}: has files of somebody else; {_CHOOSE}:{listed(others)}")


def _is_object(layout: Layout, index: Index, name: str) -> bool:
    return name in index.entries and is_here(layout, index.entries[name])


def remove_staging(layout: Layout, names: Iterable[str]) -> None:
    """Remove files of a data set that is in the store, and the folders that are empty then."""
    with suppress(OSError, DatasetError), FolderLock(layout):  # what is left is only a cache
        folder = Folder(layout.root, layout.temporary.name)
        for name in names:
            folder.remove(name)
        folder.remove_temporary_files()
    for path in (layout.root, *list(layout.root.parents)[:3]):
        with suppress(OSError):  # not empty
            path.rmdir()
