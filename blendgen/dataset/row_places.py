"""Row places: where the rows of images are in a manifest, in 28 bytes for each row.

In: rows in the order of the file. Out: their places in the order of the images' numbers, of each image the
last one that was added.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from dataclasses import dataclass

import numpy as np

from blendgen.dataset.index_set import IndexSet
from blendgen.geometry.arrays import IntegersN


@dataclass(frozen=True)
class SortedPlaces:
    """One row of each image, in the order of the images' numbers.

    is_sorted: whether the file has these rows, in this order, and no others
    offsets: where each of them starts, in bytes; counts: number of images of each (label, split)
    images_digest: sha256 of the digests of all images; last_index: -1 without an image
    """

    is_sorted: bool
    offsets: IntegersN
    counts: Counter[tuple[str, str]]
    images_digest: str
    last_index: int


class RowPlaces:
    """indices: the images that have a row"""

    def __init__(self) -> None:
        self._in_file, self._offsets, self._digests = array("q"), array("q"), array("Q")
        self._pairs, self._numbers = array("i"), dict[tuple[str, str], int]()
        self.indices = IndexSet()

    def __contains__(self, index: int) -> bool:
        return index in self.indices

    def __len__(self) -> int:
        """How many rows were added, of one image perhaps several."""
        return len(self._in_file)

    def add(self, index: int, offset: int, pair: tuple[str, str], digest: int) -> None:
        """offset: of the row in the file, in bytes; pair: label and split; digest: of the image, 64 bits"""
        self.indices.add(index)
        self._in_file.append(index)
        self._offsets.append(offset)
        self._digests.append(digest)
        self._pairs.append(self._numbers.setdefault(pair, len(self._numbers)))

    def sorted(self) -> SortedPlaces:
        """The rows in the order of the images' numbers."""
        indices = np.array(self._in_file, np.int64)
        order = np.argsort(indices, kind="stable")
        is_last = np.ones(len(order), bool)
        is_last[:-1] = np.diff(indices[order]) != 0
        order = order[is_last]
        pairs, counts = [*self._numbers], np.bincount(np.array(self._pairs, np.int32)[order])
        return SortedPlaces(
            is_sorted=bool(len(order) == len(indices) and (order[1:] > order[:-1]).all()),
            offsets=np.array(self._offsets, np.int64)[order],
            counts=Counter({pairs[number]: int(count) for number, count in enumerate(counts) if count}),
            images_digest=hashlib.sha256(np.array(self._digests, np.uint64)[order].tobytes()).hexdigest(),
            last_index=int(indices.max(initial=-1)),
        )
