"""Mirror: copies of files in a scratch folder, each at its own absolute path below that folder.

Names in a copied file that are relative to it still lead to the files near the original: these are links.
Does not load bpy.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from blendgen.models.companions import Companions

_MAX_LINKS = 10_000  # of one folder


@dataclass(frozen=True)
class Mirror:
    """root: the scratch folder."""

    root: Path

    def write(self, file: Path, blocks: Iterable[bytes]) -> Path:
        """A file with the given content in place of `file`, of which the blocks may still be read."""
        copy = self.place(file)
        new = copy.with_name(f"{copy.name}.new")
        with new.open("wb") as target:
            target.writelines(blocks)
        return new.replace(copy)

    def link_neighbours(self, file: Path, companions: Companions) -> None:
        """Link what is next to a file, and next to its parent folders below the models directory."""
        copy = self.place(file)
        for original, folder in zip(file.absolute().parents, copy.parents, strict=False):
            if not companions.allows(str(original)):
                return
            self._link_all(original, folder)

    def _link_all(self, original: Path, folder: Path) -> None:
        with suppress(OSError), os.scandir(original) as entries:  # it may be closed to us
            for entry in islice(entries, _MAX_LINKS):
                link = folder / entry.name
                if not os.path.lexists(link):
                    link.symlink_to(entry.path)

    def original(self, path: str) -> str:
        """The path of the original of a copy or a link; other paths stay as they are."""
        before, copied, rest = path.partition(f"{self.root}{os.sep}")
        return f"{os.sep}{rest}" if copied and not before else path

    def place(self, file: Path) -> Path:
        """Where the copy of a file is; its folder exists."""
        file = file.absolute()
        copy = self.root / file.relative_to(file.anchor)
        copy.parent.mkdir(parents=True, exist_ok=True)
        return copy
