"""Parquet spans: where the bytes of pictures are in a Parquet file whose pictures are neither compressed nor
in a dictionary.

In: such a file. Out: offset and size of each picture, so that one can be read without its neighbours, and
without pyarrow. A value of bytes is its length, four bytes, little endian, and then the bytes themselves;
values of a column chunk follow each other, in pages that a value is never cut by. Columns that would expand
to much more than their part of the file are refused before they are read.
source: https://parquet.apache.org/docs/file-format/data-pages/encodings/ (PLAIN)
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from blendgen.dataset.label_registry import LABEL_FILES

Span = tuple[int, int]
_LENGTH_BYTES = 4
_SUFFIX = ".bytes"  # of the columns with pictures
_INDEX, _MAX_ROWS = "index", 10**7
# of a chunk: a picture of 1 GiB after others; numbers, each with a page of its own, in few rows or many
_MAX_PICTURE_BYTES, _MAX_BYTES_PER_NUMBER, _MAX_NUMBERS_BYTES = 2**30 + 2**26, 64, 2**26


def images_of_parquet(path: Path) -> Iterator[tuple[int, dict[str, Span]]]:
    """The pictures of each row by the number of its image.

    raises: ValueError for another kind of Parquet file, or where pyarrow is missing; OSError
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ValueError(f"needs pyarrow ({error}): pip install 'blendgen[parquet]'") from None
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            table = pq.ParquetFile(path, memory_map=True)
            if table.metadata.num_rows > _MAX_ROWS:
                raise ValueError(f"has {table.metadata.num_rows} rows")
            for group in range(table.num_row_groups):
                yield from _images_of_group(table, group, content)
    except pa.ArrowException as error:
        raise ValueError(f"is not a Parquet file of images: {error}") from None


def _images_of_group(table: Any, group: int, content: mmap.mmap) -> Iterator[tuple[int, dict[str, Span]]]:
    """Reads a row at a time: a value may be large, and many rows may share it."""
    names = [name for name in table.schema_arrow.names if name in LABEL_FILES]
    if not names:
        raise ValueError("has no pictures")
    ends = {name: _chunk(table.metadata.row_group(group), name + _SUFFIX, len(content)) for name in names}
    _check_numbers(table.metadata.row_group(group))
    columns = [_INDEX, *(name + _SUFFIX for name in names)]
    for row in table.iter_batches(batch_size=1, row_groups=[group], columns=columns):
        spans = {}
        for name in names:
            offset, size = spans[name] = _span(row.column(name)[0]["bytes"].as_py(), content, *ends[name])
            ends[name] = offset + size, ends[name][1]
        yield row.column(_INDEX)[0].as_py(), spans


def _span(data: bytes, content: mmap.mmap, start: int, end: int) -> Span:
    """Where a picture is in a part of the file; raises ValueError where it is not there as it is."""
    place = content.find(len(data).to_bytes(_LENGTH_BYTES, "little") + data, start, end)
    if place < 0:
        raise ValueError("a picture is compressed")
    return place + _LENGTH_BYTES, len(data)


def _chunk(group: Any, path: str, file_bytes: int) -> Span:
    """Begin and end of a column chunk; raises ValueError where its values cannot be found in the file."""
    column = _column(group, path)
    size = column.total_compressed_size
    if column.compression != "UNCOMPRESSED":
        raise ValueError(f"the column {path} is compressed")
    if not group.num_rows * _LENGTH_BYTES <= size <= file_bytes or column.has_dictionary_page:
        raise ValueError(f"the column {path} does not have each of its values")
    if size > _MAX_PICTURE_BYTES:
        raise ValueError(f"the column {path} has {size} bytes in one part")
    return column.data_page_offset, column.data_page_offset + size


def _check_numbers(group: Any) -> None:
    """Raises ValueError where the numbers of the images are not numbers, or expand to more than they take."""
    column = _column(group, _INDEX)
    size = max(column.total_compressed_size, column.total_uncompressed_size)
    limit = min(2**16 + group.num_rows * _MAX_BYTES_PER_NUMBER, _MAX_NUMBERS_BYTES)
    is_packed = column.compression not in ("UNCOMPRESSED", "SNAPPY")  # Snappy expands little
    if is_packed or not column.physical_type.startswith("INT") or size > limit:
        raise ValueError(f"the column {_INDEX} does not have the numbers of the images")


def _column(group: Any, path: str) -> Any:
    """The metadata of a column chunk; raises ValueError where it is missing."""
    columns = map(group.column, range(group.num_columns))
    for column in columns:
        if column.path_in_schema == path:
            return column
    raise ValueError(f"has no column {path}")
