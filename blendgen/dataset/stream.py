"""Stream: the images of a Dataset one after the other, shuffled by a seed, each in one process only.

In: a Dataset, and which of the processes of a distributed run this is. Out: an iterable of what indexing
gives. It is an iterable data set in the sense of PyTorch, which is not imported: if the program has imported
it, the workers of a DataLoader divide the images among themselves. Between two images no file is open.
The order comes from a hash, so it is the same on every machine, and nothing but numbers is shuffled.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from blendgen.errors import UsageError
from blendgen.geometry.arrays import IntegersN

_MIX = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


class Images(Protocol):
    """What a Stream reads: a Dataset."""

    def __len__(self) -> int: ...

    def __getitem__(self, position: int, /) -> Any: ...


@dataclass(frozen=True)
class Stream:
    """An iterable of images; `Dataset.stream` makes one and explains the fields."""

    images: Images
    seed: int | None = None
    buffer_size: int | None = None
    epoch: int = 0
    rank: int = 0
    world_size: int = 1
    drop_last: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.rank < self.world_size:
            raise UsageError(
                f"expected 0 <= rank < world_size, got rank {self.rank} of {self.world_size} processes"
            )
        if self.buffer_size is not None and self.seed is None:
            raise UsageError("buffer_size is for shuffling; give a seed too")
        if self.buffer_size is not None and self.buffer_size < 1:
            raise UsageError(f"buffer_size: expected at least 1, got {self.buffer_size}")
        torch_data = sys.modules.get("torch.utils.data")
        if torch_data is not None:  # or a DataLoader would index a stream
            torch_data.IterableDataset.register(Stream)

    def __iter__(self) -> Iterator[Any]:
        worker, workers = _torch_worker()
        return map(self.images.__getitem__, self.positions()[worker::workers])

    def positions(self) -> IntegersN:
        """Where the images of this rank are in the Dataset, in the order of the stream."""
        order = self._order()
        if self.drop_last:
            order = order[: len(order) - len(order) % self.world_size]
        return order[self.rank :: self.world_size]

    def _order(self) -> IntegersN:
        positions = np.arange(len(self.images))
        if self.seed is None:
            return positions
        u = _uniform(len(self.images), f"{self.seed}/{self.epoch}")
        if self.buffer_size is None:
            return np.argsort(u, kind="stable")
        return np.argsort(positions + u * self.buffer_size, kind="stable")


def _uniform(count: int, key: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Numbers from 0 to 1 by hash: SplitMix64 (Steele, Lea, Flood 2014), started at a hash of `key`."""
    start = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "little")
    bits = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(start)
    for shift, factor in _MIX:
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    return (bits ^ (bits >> np.uint64(31))) / 2.0**64


def _torch_worker() -> tuple[int, int]:
    """(number, count) of the DataLoader workers; (0, 1) outside of one."""
    torch_data = sys.modules.get("torch.utils.data")
    info = None if torch_data is None else torch_data.get_worker_info()
    return (0, 1) if info is None else (info.id, info.num_workers)
