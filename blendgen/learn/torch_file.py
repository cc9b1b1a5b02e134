"""Torch file: the weights in a file of `torch.save`, read without torch.

In: bytes of a .pth file in the format of torch before 1.6, which is that of the published weights: five
pickles, then the raw values of each storage. Out: name -> array. A pickle can run any code: only the four
names that a file of weights needs are accepted, and no storage may be larger than the file.
source: torch/serialization.py, _legacy_save
"""

from __future__ import annotations

import collections
import io
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from blendgen.geometry.arrays import AnyArray

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_TYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8"), "HalfStorage": np.dtype("<f2")}
_LENGTH_BYTES = 8
# what a damaged or foreign pickle raises
_ODD = (
    *(pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, KeyError, TypeError),
    *(ValueError, OverflowError, MemoryError, RecursionError, UnicodeDecodeError),
)


@dataclass(frozen=True)
class _View:
    """A tensor: a part of a storage, whose values come later in the file."""

    key: str
    dtype: np.dtype[Any]
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def of(self, storage: AnyArray) -> AnyArray:
        """The values; raises ValueError for a view that leaves its storage."""
        last = self.offset + sum((n - 1) * step for n, step in zip(self.shape, self.strides, strict=True))
        if min((*self.shape, self.offset, *self.strides), default=0) < 0 or last >= storage.size > 0:
            raise ValueError("a tensor leaves its storage")
        strides = [step * self.dtype.itemsize for step in self.strides]
        view = np.lib.stride_tricks.as_strided(storage[self.offset :], self.shape, strides, writeable=False)
        return np.array(view)


class _Reader(pickle.Unpickler):
    """Reads pickles that hold nothing but dictionaries, plain values and tensors."""

    def find_class(self, module: str, name: str) -> Any:
        known = {
            ("collections", "OrderedDict"): collections.OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _view,
            **{("torch", storage): storage for storage in _TYPES},
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"needs {module}.{name}, which no weights need")
        return known[module, name]

    def persistent_load(self, pid: Any) -> Any:
        kind, storage_type, key, _location, _count, view = pid
        if kind != "storage" or view is not None:
            raise pickle.UnpicklingError("has storages of an unknown kind")
        return str(key), _TYPES[storage_type]


def _view(storage: Any, offset: Any, shape: Any, strides: Any, *_rest: Any) -> _View:
    key, dtype = storage
    return _View(key, dtype, int(offset), tuple(map(int, shape)), tuple(map(int, strides)))


def read_weights(data: bytes) -> dict[str, AnyArray]:
    """Name -> values of all tensors; raises ValueError, with a reason, for anything else."""
    file = io.BytesIO(data)
    try:
        magic, protocol, system = (_Reader(file).load() for _ in range(3))
        if magic != _MAGIC or protocol != _PROTOCOL or not system["little_endian"]:
            raise ValueError("is not a file of weights that torch before 1.6 wrote")
        tensors, keys = _Reader(file).load(), _Reader(file).load()
        return _filled(tensors, _storages(file, len(data), tensors, keys))
    except _ODD as error:
        raise ValueError(f"{error or type(error).__name__}") from None


def _storages(
    file: io.BytesIO, size: int, tensors: Mapping[str, _View], keys: Sequence[str]
) -> dict[str, AnyArray]:
    types = {tensor.key: tensor.dtype for tensor in tensors.values()}
    storages = {}
    for key in keys:
        count = int.from_bytes(file.read(_LENGTH_BYTES), "little", signed=True)
        wanted = count * types[key].itemsize
        if not 0 <= wanted <= size - file.tell():
            raise ValueError("is cut off")
        storages[key] = np.frombuffer(file.read(wanted), types[key])
    return storages


def _filled(tensors: Mapping[str, _View], storages: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
    return {str(name): tensor.of(storages[tensor.key]) for name, tensor in tensors.items()}
