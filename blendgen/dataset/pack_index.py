"""Pack index: where the files of images are in a pack, as a NumPy file next to it.

In: the path of a pack, which a stranger may have made. Out: for each image of the pack, in the order of
their numbers, offset and size of each of its files. Without the file, the index is made again from the pack
itself. An index is mapped into memory, so that millions of images take only the pages that are used.
"""

from __future__ import annotations

import io
import itertools
import os
import re
import stat
import tarfile
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from blendgen.dataset.label_registry import IMAGE, LABEL_FILES
from blendgen.dataset.pack_plan import INDEX_SUFFIX
from blendgen.files.disk import raise_if_passing
from blendgen.files.regular_file import open_regular

MAX_FILE_BYTES = 2**30  # of a file in a pack
INDEX = "index"
Index = np.ndarray[Any, np.dtype[Any]]  # fields: index; offset and size of each kind
Span = tuple[int, int]  # offset, size
_MAX_MEMBERS = 10**7
_MAX_END_BYTES = 2**25  # of what follows the last file in a tar file: what describes it, and zeros
_MAGIC = b"\x93NUMPY"
# what NumPy raises for the header of a stranger, besides ValueError
_RUBBISH = (
    *(EOFError, SyntaxError, tokenize.TokenError, RecursionError, MemoryError, OverflowError),
    *(TypeError, KeyError, IndexError, AttributeError),
)
_MEMBER = re.compile(r"([0-9]{6,15})(?:\.([a-z_]+))?(\.[a-z]+)")
_DESCRIPTIONS = (".cls", ".json")  # members of a tar file that are not files of an image


def index_array(entries: Iterable[tuple[int, Mapping[str, Span]]]) -> Index:
    """The index of images in order, each with its files by kind; all have the same kinds.

    raises: ValueError for others
    """
    rest = iter(entries)
    first = next(rest, (0, {}))
    kinds = [kind for kind in LABEL_FILES if kind in first[1]]

    def value(index: int, spans: Mapping[str, Span]) -> tuple[int, ...]:
        if spans.keys() != first[1].keys():
            raise ValueError(f"image {index} has other kinds of files than the first one")
        return index, *(number for kind in kinds for number in spans[kind])

    values = (value(*one) for one in itertools.chain([first] if kinds else [], rest))
    index = np.fromiter(values, _dtype(kinds))
    if not (np.diff(index[INDEX]) > 0).all():
        raise ValueError("an image is not in its place, or is there twice")
    return index


def index_bytes(index: Index) -> bytes:
    """The content of the file."""
    buffer = io.BytesIO()
    np.save(buffer, index, allow_pickle=False)
    return buffer.getvalue()


def pack_index(pack: Path) -> Index | None:
    """The index of a pack; None where there is no pack, or one that cannot be read.

    raises: DiskUnavailable
    """
    status = _regular(pack)
    if status is None:
        return None
    file = pack.with_name(pack.stem + INDEX_SUFFIX)
    own = _regular(file)
    return _opened(pack, _state(status), file, None if own is None else _state(own))


def span_of(index: Index, image: int, kind: str) -> Span | None:
    """Where a file of an image is; None if the pack does not have it."""
    place = int(np.searchsorted(index[INDEX], image))
    if (
        place >= len(index)
        or index[INDEX][place] != image
        or f"{kind}_offset" not in (index.dtype.names or ())
    ):
        return None
    offset, size = int(index[f"{kind}_offset"][place]), int(index[f"{kind}_size"][place])
    return (offset, size) if offset >= 0 and 0 <= size <= MAX_FILE_BYTES else None


def rebuilt_index(pack: Path) -> Index:
    """The index of a pack, from its content; raises ValueError where it is not a pack of ours, OSError."""
    _require_regular(pack)
    if pack.suffix == ".tar":
        try:
            return index_array(_images_of_tar(pack))
        except (tarfile.TarError, EOFError) as error:
            raise ValueError(f"is not a tar file: {error}") from None
    from blendgen.dataset.parquet_spans import images_of_parquet

    try:
        return index_array(images_of_parquet(pack))
    except (KeyError, TypeError, OverflowError) as error:
        raise ValueError(f"is not a Parquet file of images: {error}") from None


@lru_cache(maxsize=128)
def _opened(pack: Path, state: Any, file: Path, file_state: Any) -> Index | None:
    """The index of a pack in this state; raises DiskUnavailable."""
    try:
        if file_state is not None and _fits(index := loaded_index(file), pack, state[1]):
            return index
    except (OSError, ValueError) as error:
        raise_if_passing(file, error)
    try:
        return rebuilt_index(pack)
    except (OSError, ValueError) as error:
        raise_if_passing(pack, error)
        return None


def _fits(index: Index, pack: Path, pack_bytes: int) -> bool:
    """Whether an index can be that of a pack of that size: all files are in it, and little is behind them."""
    last = 0.0
    for kind in LABEL_FILES:
        if f"{kind}_offset" in (index.dtype.names or ()):
            offsets, sizes = (index[f"{kind}_{what}"].astype(np.float64) for what in ("offset", "size"))
            if offsets.min() < 0 or sizes.min() < 0:
                return False
            last = max(last, (offsets + sizes).max())
    if pack.suffix != ".tar":  # the end of a Parquet file says where its columns are
        return last <= pack_bytes and _ends_with(pack, b"PAR1")
    return last <= pack_bytes <= last + _MAX_END_BYTES


def _ends_with(pack: Path, mark: bytes) -> bool:
    with open_regular(pack) as file:
        file.seek(-len(mark), os.SEEK_END)
        return file.read(len(mark)) == mark


def loaded_index(file: Path) -> Index:
    """The content of the file; raises ValueError where it is not an index, OSError."""
    _require_regular(file)
    with file.open("rb") as opened:
        if opened.read(len(_MAGIC)) != _MAGIC:
            raise ValueError("is not an index of a pack")
    try:
        loaded = np.load(file, mmap_mode="r", allow_pickle=False)  # refuses long headers
    except _RUBBISH as error:
        raise ValueError(f"is not an index of a pack: {error}") from None
    if not isinstance(loaded, np.memmap) or loaded.ndim != 1 or len(loaded) > _MAX_MEMBERS:
        raise ValueError("is not an index of a pack")
    if loaded.offset + loaded.nbytes != file.stat().st_size:
        raise ValueError("has more behind the index of a pack")
    kinds = [kind for kind in LABEL_FILES if f"{kind}_offset" in (loaded.dtype.names or ())]
    if not len(loaded) or loaded.dtype != _dtype(kinds) or not (np.diff(loaded[INDEX]) > 0).all():
        raise ValueError("is not an index of a pack")
    return loaded


def is_index(file: Path, index: Index) -> bool:
    """Whether a file has this index; raises DiskUnavailable."""
    try:
        return np.array_equal(loaded_index(file), index)
    except (OSError, ValueError) as error:
        raise_if_passing(file, error)
        return False


def _images_of_tar(pack: Path) -> Iterator[tuple[int, dict[str, Span]]]:
    """The images of a tar file, one after the other."""
    current, spans, members = -1, dict[str, Span](), 0
    with tarfile.open(pack, "r:", format=tarfile.USTAR_FORMAT, tarinfo=_PlainFile) as tar:
        while (member := _next(tar)) is not None:
            members += 1
            match = _MEMBER.fullmatch(member.name)
            is_file = member.type == tarfile.REGTYPE and member.size <= MAX_FILE_BYTES
            if match is None or not is_file or members > _MAX_MEMBERS:
                raise ValueError(f"{ascii(member.name)[:80]} is not a file of an image")
            index, kind = int(match[1]), match[2] or IMAGE.name
            if index != current and spans:
                yield current, spans
                spans = {}
            if index < current:
                raise ValueError(f"image {index} is not in its place")
            current = index
            if match[3] not in _DESCRIPTIONS:
                if kind not in LABEL_FILES or match[3] not in LABEL_FILES[kind].suffixes or kind in spans:
                    raise ValueError(f"{member.name} is not a file of an image")
                spans[kind] = member.offset_data, member.size
        _check_end(tar)
    if spans:
        yield current, spans


def _next(tar: tarfile.TarFile) -> tarfile.TarInfo | None:
    """The next member, without keeping those before it in memory; raises TarError."""
    member = tar.next()
    tar.members.clear()  # type: ignore[attr-defined]  # or all stay in memory
    return member


def _check_end(tar: tarfile.TarFile) -> None:
    """Raises ValueError unless the tar file ends here: tarfile takes a damaged header for the end too."""
    file: Any = tar.fileobj
    rest = file.seek(0, os.SEEK_END) - tar.offset
    file.seek(tar.offset)
    if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise ValueError("is torn off or damaged")
    if rest > _MAX_END_BYTES:
        raise ValueError(f"has {rest} bytes behind its files")


class _PlainFile(tarfile.TarInfo):
    """A member that is a file: extended headers, which may be nested or large, are not read."""

    def _proc_member(self, tar: tarfile.TarFile) -> Any:
        if self.type != tarfile.REGTYPE:
            raise tarfile.ReadError(f"{ascii(self.name)[:80]} is not a plain file")
        return self._proc_builtin(tar)  # type: ignore[attr-defined]


def _dtype(kinds: Iterable[str]) -> np.dtype[Any]:
    spans = [(f"{kind}_{what}", "<i8") for kind in kinds for what in ("offset", "size")]
    return np.dtype([(INDEX, "<i8"), *spans])


def _regular(path: Path) -> Any:
    """The status of a file; None where there is none, or a link or something else; raises DiskUnavailable."""
    try:
        status = None if path.parent.is_symlink() else path.lstat()
    except OSError as error:
        raise_if_passing(path, error)
        return None
    return status if status is not None and stat.S_ISREG(status.st_mode) else None


def _require_regular(path: Path) -> None:
    """Raises ValueError for what is not opened: a link, also in place of its folder, or a pipe or device."""
    if path.exists() and _regular(path) is None:
        raise ValueError("is a link, or is not a file; replace it with the file itself")


def _state(status: Any) -> tuple[int, ...]:
    return status.st_ino, status.st_size, status.st_mtime_ns
