"""Packs: data sets in few large files, whose tar and Parquet files and indices a stranger has made."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from blendgen.containers.packing import Packer
from blendgen.dataset.layout import Layout
from blendgen.dataset.pack_index import loaded_index
from blendgen.dataset.packed import ImageFiles
from tests.attack import bombs
from tests.attack.case import Case, Command, Place, harmless, survives
from tests.attack.stock import SPEC, fifo, link, write_spec, write_yaml

_PACK = "train-000000"
_HUGE = 10**15
_SPARSE = 10**11
Change = Callable[[Place, Path], object]  # of the pack


def cases() -> Iterator[Case]:
    for container in ("webdataset", "parquet"):
        yield Case(f"packs of {container}: as they are", partial(_whole, container))
        for name, change in _CHANGES.items():
            yield Case(f"packs of {container}: {name}", partial(_read, container, change))
    for name, change in _TARS.items():
        is_short = name == "a member leads out"
        yield Case(f"packs of webdataset: {name}", partial(_read, "webdataset", change), is_short)
    for name, change in _PARQUETS.items():
        yield Case(f"packs of parquet: {name}", partial(_read, "parquet", change))


def _packed(place: Place, folder: Path, container: str) -> Path:
    """The data set of the stock in packs; returns the one of split train."""
    shutil.copytree(place.stock / "set", folder)
    for name in (".lock", "images/README.md"):
        (folder / name).unlink(missing_ok=True)
    record = json.loads((folder / "dataset.json").read_text("utf-8"))
    record |= {"container": container, "images_per_file": 4}
    (folder / "dataset.json").write_text(json.dumps(record), "utf-8")
    Packer.of(ImageFiles.of(Layout(folder), record), record).pack_all()
    return next(path for path in (folder / "data").iterdir() if path.stem == _PACK)


def _spec(place: Place, container: str) -> Path:
    write_spec(place)
    return write_yaml(place, SPEC + f"output: {{container: {container}, images_per_file: 4}}\n")


def _whole(container: str, place: Place) -> list[Command]:
    """So that the others fail for what is wrong with them, and not for what this module makes."""
    folder = _packed(place, place.given / "set", container).parents[1]
    return [survives("verify", folder), survives("export", folder, "yolo", place.out / "y")]


def _read(container: str, change: Change, place: Place) -> list[Command]:
    """By every command that opens packs, and by those that would repair or resume them."""
    change(place, _packed(place, place.given / "set", container))
    folder, out = place.given / "set", place.out
    verified = harmless("verify", folder, codes=(1, 2, 3, 4, 5))
    if place.short:
        return [verified]
    own = out / "set"
    change(place, _packed(place, own, container))
    place.protected += [place.victim, place.secret]
    place.readable.append(place.stock / "given")  # a repair reads the models of the spec
    return [
        verified,
        harmless("export", folder, "yolo", out / "yolo"),
        harmless("export", folder, "webdataset", out / "webdataset"),
        harmless("merge", folder, "-o", out / "merged", "--allow-gaps", "--check", "--link", "copy"),
        harmless("status", folder),
        harmless("subset", folder, "-o", out / "subset", "--limit", 2),
        harmless("generate", _spec(place, container), "-o", own, "--workers", "1", memory_mb=3000),
        harmless("verify", own, "--repair", codes=(1, 2, 3, 4, 5), memory_mb=3000),
    ]


# ---- any pack, and its index


def _index(pack: Path) -> Path:
    return pack.with_name(f"{pack.stem}.index.npy")


def _indexed(column: str, value: int) -> Change:
    def change(place: Place, pack: Path) -> None:
        index = np.array(loaded_index(_index(pack)))
        index[column][0] = value
        np.save(_index(pack), index)

    return change


def _swapped(place: Place, pack: Path) -> None:
    """The places of two images are exchanged, so that each is found under the name of the other."""
    index = np.array(loaded_index(_index(pack)))
    names = [name for name in index.dtype.names if name != "index"]
    index[names] = index[[*names]][::-1].copy()
    np.save(_index(pack), index)


def _claims_many(place: Place, pack: Path) -> None:
    """A sparse index, and a pack in which all of it can be."""
    dtype = loaded_index(_index(pack)).dtype
    header = io.BytesIO()
    shape = (_SPARSE // dtype.itemsize,)
    np.lib.format.write_array_header_1_0(
        header, {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    )
    bombs.sparse(_index(pack), header.getvalue(), len(header.getvalue()) + shape[0] * dtype.itemsize)
    os.truncate(pack, 2 * _SPARSE)


def _both(name: str, change: Callable[[Path], object]) -> dict[str, Change]:
    return {
        f"the pack {name}": lambda place, pack: change(pack),
        f"the index {name}": lambda place, pack: change(_index(pack)),
    }


def _to_secret(path_of: Callable[[Path], Path]) -> Change:
    return lambda place, pack: link(path_of(pack), place.secret / "secret.bin")


def _elsewhere(place: Place, pack: Path) -> None:
    """The folder of the packs is a link to one of a victim."""
    folder = place.victim / "data"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.move(pack.parent, folder)
    link(pack.parent, folder)


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


_CHANGES: dict[str, Change] = {
    **_both("is torn", lambda path: os.truncate(path, path.stat().st_size // 2)),
    **_both("is empty", lambda path: os.truncate(path, 0)),
    **_both("has another byte", _flip),
    **_both("is missing", lambda path: path.unlink()),
    **_both("is a pipe", fifo),
    **_both("is /dev/zero", lambda path: link(path, "/dev/zero")),
    **_both("is a folder", lambda path: (path.unlink(), path.mkdir())),
    **_both("is sparse", lambda path: os.truncate(path, _SPARSE)),
    "the pack is a link to a secret": _to_secret(lambda pack: pack),
    "the index is a link to a secret": _to_secret(_index),
    "the folder is a link": _elsewhere,
    "two images are swapped": _swapped,
    "the index claims 100 GB": _claims_many,
    "an offset is negative": _indexed("image_offset", -1),
    "an offset is behind the end": _indexed("image_offset", 2**62),
    "a size is negative": _indexed("image_size", -1),
    "a size is huge": _indexed("image_size", 2**62),
    "an image has another number": _indexed("index", 10**6),
    "a split has a strange name": lambda place, pack: pack.rename(pack.with_name("\x1b[2J\u202e-000000.tar")),
    "packs of somebody": lambda place, pack: (pack.parent / "thesis.tar").write_bytes(b"mine"),
}


# ---- tar files


def _members(change: Callable[[tarfile.TarInfo], object], data: bytes | None = None) -> Change:
    """A tar file whose first member is another one; the index is gone, so that it is read."""

    def changed(place: Place, pack: Path) -> None:
        with tarfile.open(pack) as tar:
            members = [(one, tar.extractfile(one).read()) for one in tar.getmembers()]
        change(members[0][0])
        with tarfile.open(pack, "w", format=tarfile.GNU_FORMAT) as tar:
            for number, (member, content) in enumerate(members):
                own = data if number == 0 and data is not None else content
                tar.addfile(member, io.BytesIO(own[: member.size].ljust(min(member.size, 1 << 20), b"\0")))
        _index(pack).unlink()

    return changed


def _named(name: str) -> Change:
    return _members(lambda member: setattr(member, "name", name))


def _typed(kind: bytes, target: str = "") -> Change:
    def change(member: tarfile.TarInfo) -> None:
        member.type, member.linkname, member.size = kind, target, 0

    return _members(change)


def _claims(size: int) -> Change:
    """The first header claims a size; what follows is cut off or sparse."""

    def change(place: Place, pack: Path) -> None:
        with tarfile.open(pack) as tar:
            member = tar.next()
        member.size = size
        data = pack.read_bytes()
        pack.write_bytes(member.tobuf(tarfile.GNU_FORMAT) + data[tarfile.BLOCKSIZE :])
        _index(pack).unlink()

    return change


def _twice(place: Place, pack: Path) -> None:
    data = pack.read_bytes()
    with tarfile.open(pack) as tar:
        end = max(one.offset_data + -(-one.size // 512) * 512 for one in tar.getmembers())
    pack.write_bytes(data[:end] + data)
    _index(pack).unlink()


_TARS: dict[str, Change] = {
    "a member leads out": _named("../../victim/secret.png"),
    "a member is absolute": _named("/etc/passwd"),
    "a member has escapes": _named("\x1b[2J\u202e.png"),
    "a member has a huge number": _named("9" * 90 + ".png"),
    "a member has another suffix": _named("000000.exr"),
    "a member is a link": _typed(tarfile.SYMTYPE, "/etc/passwd"),
    "a member is a hard link": _typed(tarfile.LNKTYPE, "../../secret/secret.png"),
    "a member is a device": _typed(tarfile.CHRTYPE),
    "a member is a folder": _typed(tarfile.DIRTYPE),
    "a member is sparse": _typed(tarfile.GNUTYPE_SPARSE),
    "a member claims 8 GB": _claims(2**33 - 1),
    "a member claims 2**80 bytes": _claims(2**80),
    "a member claims less than nothing": _claims(-1),
    "all members are there twice": _twice,
    "it is a zip file": lambda place, pack: (
        pack.write_bytes(b"PK\x03\x04" + bytes(2000)),
        _index(pack).unlink(),
    ),
}


# ---- Parquet files


def _table(columns: Callable[[int], dict[str, object]], rows: int = 4, **options) -> Change:
    """A Parquet file with these columns in place of the pack, whose index is gone."""

    def change(place: Place, pack: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table(columns(rows)), pack, **options)
        _index(pack).unlink()

    return change


def _pictures(size: int) -> Callable[[int], dict[str, object]]:
    """Pictures of that many equal bytes, which take next to no space in the file."""

    def columns(rows: int) -> dict[str, object]:
        import pyarrow as pa

        one = pa.array([bytes(size)], pa.binary())
        repeated = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), one)
        image = pa.StructArray.from_arrays([repeated, pa.array(["a.png"] * rows)], ["bytes", "path"])
        return {"image": image, "mask": image, "index": pa.array(range(rows))}

    return columns


_PARQUETS: dict[str, Change] = {
    "pictures are compressed": _table(_pictures(1000), compression="zstd"),
    "no pictures": _table(lambda rows: {"index": list(range(rows))}),
    "pictures are numbers": _table(lambda rows: {"index": list(range(rows)), "image": [1.5] * rows}),
}
