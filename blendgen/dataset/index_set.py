"""Index set: the numbers of images that have something in common; of neighbours each takes a bit.

As a set of Python, ten million numbers take a gigabyte; here they take a few megabytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableSet

_BITS = 9  # of a number, its place in a page of 512 neighbours
_IN_PAGE = (1 << _BITS) - 1


class IndexSet(MutableSet[int]):
    """Whole numbers from 0; iterates in the order in which their pages came."""

    def __init__(self, indices: Iterable[int] = ()):
        self._pages: dict[int, int] = {}
        for index in indices:
            self.add(index)

    def __contains__(self, index: object) -> bool:
        return isinstance(index, int) and bool(self._pages.get(index >> _BITS, 0) >> (index & _IN_PAGE) & 1)

    def __iter__(self) -> Iterator[int]:
        for number, page in self._pages.items():
            while page:
                lowest = page & -page
                yield (number << _BITS) + lowest.bit_length() - 1
                page ^= lowest

    def __len__(self) -> int:
        return sum(page.bit_count() for page in self._pages.values())

    def __repr__(self) -> str:
        return f"IndexSet({sorted(self)})"

    def add(self, value: int) -> None:
        page = value >> _BITS
        self._pages[page] = self._pages.get(page, 0) | 1 << (value & _IN_PAGE)

    def discard(self, value: int) -> None:
        page, mask = value >> _BITS, 1 << (value & _IN_PAGE)
        if self._pages.get(page, 0) & mask:
            self._pages[page] ^= mask

    def copy(self) -> IndexSet:
        other = IndexSet()
        other._pages = dict(self._pages)
        return other
