"""Digest map: a whole number for each of very many texts, in about 20 bytes each.

In: texts, of which 64 bits of a hash are stored: among ten million, two are taken for the same with a
probability of 3e-6. Out: the number of a text that is the same.
"""

from __future__ import annotations

import hashlib

import numpy as np

_LEAST = 1 << 16  # new entries in a dict, before they join the sorted ones
_SHARE = 16  # or this share of the sorted ones, so that sorting takes linear time


class DigestMap:
    """Grows only."""

    def __init__(self) -> None:
        self._keys, self._numbers = np.empty(0, np.uint64), np.empty(0, np.int64)
        self._new: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._keys) + len(self._new)

    def __contains__(self, text: str) -> bool:
        return self.get(text) is not None

    def get(self, text: str) -> int | None:
        """The number of a text; None if it was not added."""
        return self._number(_key(text))

    def setdefault(self, text: str, number: int) -> int | None:
        """Add a text with a number; the number of an earlier one that is the same, None if there is none."""
        key = _key(text)
        earlier = self._number(key)
        if earlier is None:
            self._add(key, number)
        return earlier

    def __setitem__(self, text: str, number: int) -> None:
        """Add a text with a number, or change its number."""
        key = _key(text)
        position = self._position(key)
        if position is None:
            self._add(key, number)
        else:
            self._numbers[position] = number

    def _add(self, key: int, number: int) -> None:
        self._new[key] = number
        if len(self._new) >= max(_LEAST, len(self._keys) // _SHARE):
            self._sort()

    def _number(self, key: int) -> int | None:
        if key in self._new:
            return self._new[key]
        position = self._position(key)
        return None if position is None else int(self._numbers[position])

    def _position(self, key: int) -> int | None:
        """Among the sorted ones."""
        position = int(self._keys.searchsorted(np.uint64(key)))
        is_there = position < len(self._keys) and int(self._keys[position]) == key
        return position if is_there else None

    def _sort(self) -> None:
        """Insert the new ones, one array after the other: that takes the least memory."""
        count = len(self._new)
        keys = np.fromiter(self._new, np.uint64, count)
        numbers, order = np.fromiter(self._new.values(), np.int64, count), np.argsort(keys)
        places, self._new = self._keys.searchsorted(keys[order]), {}
        self._keys = np.insert(self._keys, places, keys[order])
        self._numbers = np.insert(self._numbers, places, numbers[order])


def _key(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())
