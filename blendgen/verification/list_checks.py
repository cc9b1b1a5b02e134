"""List checks: the lists of images of a data set against its rows.

In: the heads of all rows. Out: the lists that it has to have, and what is wrong with those on disk. They
follow from the rows alone, so a repair writes them again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from blendgen.dataset.image_lists import LIST, list_line
from blendgen.dataset.layout import Layout
from blendgen.scene.folder_names import FULL
from blendgen.scene.row import RowHead


class ListCheck:
    """What the lists have to be, from rows in the order of the manifest."""

    def __init__(self) -> None:
        self._digests: dict[str, Any] = {}
        self._are_needed = False

    def add(self, row: RowHead) -> None:
        folder = f"images/{row.split}"
        digest = self._digests.setdefault(f"{folder}/{LIST}", hashlib.sha256())
        digest.update(list_line(row.image.name.removeprefix(f"{folder}/"), row.label))
        self._are_needed = self._are_needed or row.index >= FULL

    @property
    def names(self) -> set[str]:
        """The lists that the data set has to have."""
        return set(self._digests) if self._are_needed else set()

    def faults(self, layout: Layout) -> Iterator[tuple[str, str]]:
        """(name of a list, what is wrong with it)"""
        for name in sorted(self.names):
            what = self._fault(layout, name)
            if what is not None:
                yield name, what

    def _fault(self, layout: Layout, name: str) -> str | None:
        try:
            path = layout.file(name)
        except ValueError as error:
            return str(error).removeprefix(name).strip()
        if not path.is_file():
            return "is missing"
        with path.open("rb") as file:
            is_right = hashlib.file_digest(file, "sha256").digest() == self._digests[name].digest()
        return None if is_right else "is not the list of the images in the manifest"
