"""Pack writers: what a pack of each container has of an image.

In: rows in the order of their images, with the contents of their files. Out: a tar file as WebDataset reads
it, or a Parquet file as Hugging Face datasets reads it. The same rows make the same bytes; those of Parquet
depend on the version of pyarrow, which they state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any

from blendgen.containers.members import add_member, described, members, opened_tar
from blendgen.containers.table import (
    image_cells,
    image_features,
    object_columns,
    opened_table,
    require_pyarrow,
    schema_of,
)
from blendgen.dataset.label_registry import IMAGE
from blendgen.scene.row import Row

Contents = Mapping[str, tuple[str, bytes]]  # kind of file -> suffix, content
Add = Callable[[Row, Contents], None]


@dataclass(frozen=True)
class PackContent:
    """What all rows of a data set have in common."""

    classes: tuple[str, ...]
    has_keypoints: bool = False
    extras: tuple[str, ...] = ()

    @property
    def pictures(self) -> tuple[str, ...]:
        """The kinds of files of an image."""
        return (IMAGE.name, *self.extras)


def require_writer(container: str) -> None:
    """Raises SetupError where the library that writes a container is missing."""
    if container == "parquet":
        require_pyarrow()


@contextmanager
def opened_pack(container: str, file: IO[bytes], common: PackContent) -> Iterator[Add]:
    """A pack, as a function that adds an image; it is complete when the block ends without an error."""
    opened = _opened_parquet if container == "parquet" else _opened_webdataset
    with opened(file, common) as add:
        yield add


@contextmanager
def _opened_webdataset(file: IO[bytes], common: PackContent) -> Iterator[Add]:
    with opened_tar(file) as tar:

        def add(row: Row, contents: Contents) -> None:
            image, extras = _divided(contents)
            for name, data in members(_name(row), image, extras, row.label_id, described(row)):
                add_member(tar, name, data)

        yield add


@contextmanager
def _opened_parquet(file: IO[bytes], common: PackContent) -> Iterator[Add]:
    """Pictures are stored as they are, so that each can be read by its place in the file."""
    require_pyarrow()
    plain = [f"{name}.bytes" for name in common.pictures]
    with opened_table(file, parquet_schema(common), plain) as put:

        def add(row: Row, contents: Contents) -> None:
            put(parquet_cells(row, common, contents), sum(len(data) for _, data in contents.values()))

        yield add


def parquet_schema(common: PackContent) -> Any:
    """The schema of pyarrow."""
    return schema_of(image_features(common.classes, common.has_keypoints, common.extras))


def parquet_cells(row: Row, common: PackContent, contents: Contents | None = None) -> dict[str, Any]:
    """The cells of a row; contents: None for pictures without bytes."""
    if contents is None:
        contents = {kind: (PurePosixPath(file.name).suffix, b"") for kind, file in row.files.items()}
    image, extras = _divided(contents)
    return {
        **image_cells(_name(row), image, extras),
        "label": row.label_id,
        "index": row.index,
        "objects": object_columns(row.objects, common.has_keypoints),
    }


def _name(row: Row) -> str:
    return f"{row.index:06d}"


def _divided(contents: Contents) -> tuple[tuple[str, bytes], Contents]:
    """(the image, its other files)."""
    return contents[IMAGE.name], {kind: one for kind, one in contents.items() if kind != IMAGE.name}
