"""Members: what a WebDataset has of an image: its files, the number of its class, and its labels as JSON.

In: an image and its columns. Out: members of a tar file, whose names up to the first dot make one sample.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from typing import IO, Any

from blendgen.dataset.rows import row_values
from blendgen.scene.row import Row

Contents = Mapping[str, tuple[str, bytes]]  # kind of file -> suffix, content
COLUMNS = (
    "file_name",
    "label",
    "label_id",
    "split",
    "index",
    "shot_index",
    "width",
    "height",
    "objects",
    "camera",
)


def described(row: Row) -> dict[str, Any]:
    """The columns of a row that describe the image."""
    values = row_values(row)
    return {column: values[column] for column in COLUMNS}


def members(
    name: str, image: tuple[str, bytes], extras: Contents, label_id: int, columns: Mapping[str, Any]
) -> Iterator[tuple[str, bytes]]:
    """The names and contents of the members of an image, in their order.

    image: suffix and content; extras: those of its other files, by kind
    """
    yield f"{name}{image[0]}", image[1]
    for kind, (suffix, data) in extras.items():
        yield f"{name}.{kind}{suffix}", data
    yield f"{name}.cls", str(label_id).encode()
    yield f"{name}.json", json.dumps(columns, ensure_ascii=False).encode()


def opened_tar(file: IO[bytes]) -> tarfile.TarFile:
    """A new tar file; of the same members it has the same bytes."""
    return tarfile.TarFile(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT)


def add_member(tar: tarfile.TarFile, name: str, data: bytes) -> int:
    """Add a member; returns where its content begins."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))
    tar.members.clear()  # type: ignore[attr-defined]  # or all stay in memory
    return tar.offset - -(-len(data) // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
