"""Run packing: blocks of images are packed while a run makes others, as soon as all of a block are there.

In: rows as the manifest gets them, and failures. Out: packs. Only where each row is in the manifest is
remembered, not the row. What is not complete when the run ends is packed by Packer.pack_all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial
from itertools import chain

from blendgen.containers.packing import Packer, PackRow
from blendgen.dataset.manifest import census, read_row
from blendgen.scene.row import Row


class RunPacking:
    """The blocks of a run that are not complete yet.

    images: how many the spec asks for
    done: those that have a row and files; others: those that cannot be made
    """

    def __init__(self, packer: Packer, images: int, done: Collection[int], others: Collection[int]):
        self._packer, self._images = packer, images
        self._missing: dict[int, int] = {}
        self._places: dict[int, dict[int, PackRow]] = {}  # block -> index -> row
        for index in chain(done, others):
            self._count(index)
        rows = census(packer.files.layout.manifest)
        splits = list(rows.images_per_split)
        for index, split, offset in zip(rows.indices, rows.splits, rows.offsets, strict=True):
            if index in done and self._missing.get(packer.plan.block(index)):
                self._note(index, splits[split], offset)

    def recorded(self, rows: Iterable[Row], offsets: Iterable[int], failed: Iterable[int] = ()) -> None:
        """Take note of images; packs a block that is complete now; raises DatasetError.

        offsets: of the rows in the manifest; failed: indices of images that cannot be made
        """
        blocks = set()
        for row, offset in zip(rows, offsets, strict=True):
            self._note(row.index, row.split, offset)
            blocks.add(self._count(row.index))
        blocks |= {self._count(index) for index in failed}
        for block in blocks:
            if self._missing[block] == 0:
                self._packer.pack(self._places.pop(block, {}).values())

    def _count(self, index: int) -> int:
        """One image less is missing in its block, whose number is returned."""
        block = self._packer.plan.block(index)
        of_block = self._packer.plan.images_of(block)
        whole = len(range(of_block.start, min(of_block.stop, self._images)))
        self._missing[block] = self._missing.get(block, whole) - 1
        return block

    def _note(self, index: int, split: str, offset: int) -> None:
        load = partial(read_row, self._packer.files.layout.manifest, 0, offset)
        rows = self._places.setdefault(self._packer.plan.block(index), {})
        rows[index] = PackRow(split, index, load)
