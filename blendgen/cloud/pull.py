"""Pull: objects of a data set, fetched into a folder of this machine.

In: an index, which a stranger may have written, and a folder. Out: files, each whole and with the sha256 of
the index, or not there at all. Files that are there already are not fetched. Nothing is written outside of
the folder, and never more bytes than the index states.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from blendgen.cloud.index import Entry, Index, joined
from blendgen.cloud.objects import ObjectStore
from blendgen.dataset.layout import Layout
from blendgen.errors import DatasetError, DiskUnavailable
from blendgen.files.folder import Folder
from blendgen.files.regular_file import open_regular
from blendgen.system.progress import Progress

_SPARE_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Pull:
    """keep_damaged: fetch also what differs from the index, so that `verify` can say what is wrong with it"""

    store: ObjectStore
    prefix: str
    layout: Layout
    progress: Progress
    keep_damaged: bool = False

    def run(self, index: Index, names: Collection[str] | None = None) -> list[str]:
        """Fetch the files of an index, or those with the names, if it has them; dataset.json last.

        Returns the names of those that are damaged, or missing; raises DatasetError instead, unless they are
        kept.
        """
        wanted = index.entries if names is None else [name for name in names if name in index.entries]
        missing = [index.entries[name] for name in wanted if not is_here(self.layout, index.entries[name])]
        missing.sort(key=self._order)
        self._refuse_too_much(missing)
        self.progress.begin(len(missing), "file")
        damaged = []
        for name, is_right in self.store.side_by_side(self._fetched, missing):
            if not is_right:
                damaged.append(name)
                self._refuse(name)
            self.progress.advance(1)
        return damaged

    def _order(self, entry: Entry) -> tuple[int, str]:
        """What makes a folder a data set comes after the files that it names."""
        last = (self.layout.failures.name, self.layout.manifest.name, self.layout.record.name)
        return last.index(entry.name) + 1 if entry.name in last else 0, entry.name

    def _refuse_too_much(self, entries: Iterable[Entry]) -> None:
        """Raises DiskUnavailable for more bytes than the disk has room for."""
        existing = next(
            path for path in (self.layout.root, *self.layout.root.absolute().parents) if path.is_dir()
        )
        needed, free = sum(entry.size for entry in entries), shutil.disk_usage(existing).free
        if needed + _SPARE_BYTES > free:
            raise DiskUnavailable(
                f"{existing}: has room for {free // 2**20} MiB, and {self.store.place(self.prefix)} needs "
                f"{needed // 2**20 + 1} MiB; name a larger folder (--staging, or TMPDIR where there is none)"
            )

    def _fetched(self, entry: Entry) -> tuple[str, bool]:
        """Fetch one file; its name, and whether it is right."""
        folder, name = Folder(self.layout.root, self.layout.temporary.name), entry.name
        digest, left = hashlib.sha256(), entry.size
        try:
            with folder.atomic_file(name) as file:
                for block in self._blocks(entry):
                    digest.update(block)
                    file.write(block[: max(0, left)])
                    left -= len(block)
                is_right = left == 0 and digest.hexdigest() == entry.sha256
                if not is_right and not self.keep_damaged:
                    raise _Damaged
        except _Damaged:
            return name, False
        return name, is_right

    def _blocks(self, entry: Entry) -> Iterator[bytes]:
        try:
            yield from self.store.blocks(joined(self.prefix, entry.name), entry.size)
        except FileNotFoundError:
            raise _Damaged from None

    def _refuse(self, name: str) -> None:
        if not self.keep_damaged:
            raise DatasetError(
                f"{self.store.place(joined(self.prefix, name))}: is missing or is not what was sent; "
                "`blendgen verify` lists what else is wrong, and --repair makes it again"
            )


def is_here(layout: Layout, entry: Entry) -> bool:
    """Whether a folder has a file with the content of an object."""
    folder = Folder(layout.root)
    status = folder.status(entry.name)
    if status is None or status.st_size != entry.size:
        return False
    return _sha256(folder.root / entry.name) == entry.sha256


class _Damaged(Exception):
    pass


def _sha256(path: Path) -> str | None:
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
