"""Comparison: whether a pack is what packing its rows makes, pictures aside.

In: a pack, its rows, and the contents of the files in it. Out: yes or no. A pack is made again
and compared byte for byte. The bytes of a Parquet file depend on the version of pyarrow: those of another
version are compared by their columns.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from blendgen.containers.pack_writers import Contents, PackContent, opened_pack, parquet_cells, parquet_schema
from blendgen.files.regular_file import open_regular
from blendgen.scene.row import Row

ContentsOf = Callable[[Row], Contents]
_DESCRIBED = ["label", "index", "objects"]
_MAX_VALUES, _MAX_BYTES = 10**7, 2**28  # of a part of a Parquet file, which has few rows


def is_of_rows(pack: Path, rows: Iterable[Row], contents: ContentsOf, common: PackContent) -> bool:
    """raises: OSError"""
    if pack.suffix == ".tar":
        return _has_bytes("webdataset", pack, rows, contents, common)
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        writer = pq.read_metadata(pack).created_by
    except pa.ArrowException:
        return False
    if writer.endswith(f" {pa.cpp_version}"):
        return _has_bytes("parquet", pack, rows, contents, common)
    return _has_columns(pack, rows, common)


def _has_bytes(
    container: str, pack: Path, rows: Iterable[Row], contents: ContentsOf, common: PackContent
) -> bool:
    with open_regular(pack) as file:
        compared = _Compared(file)
        with opened_pack(container, compared, common) as add:
            for row in rows:
                add(row, contents(row))
        return compared.is_same and not file.read(1)


def _has_columns(pack: Path, rows: Iterable[Row], common: PackContent) -> bool:
    """Whether the columns that describe pictures are those of the rows; a part of the file at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema, rest = parquet_schema(common), iter(rows)
    columns = [*_DESCRIBED, *(f"{name}.path" for name in common.pictures)]
    try:
        with pq.ParquetFile(pack) as file:
            stored = file.schema_arrow
            if stored.names != schema.names or stored.metadata != schema.metadata:
                return False
            for number in range(file.num_row_groups):
                if _is_too_large(file.metadata.row_group(number), columns):
                    return False
                table = file.read_row_group(number, columns)
                if not _is_table_of(table, islice(rest, len(table)), common):
                    return False
    except pa.ArrowException:
        return False
    return next(rest, None) is None


def _is_too_large(group: Any, columns: list[str]) -> bool:
    """Whether columns expand to more than rows can be."""
    parts = [group.column(number) for number in range(group.num_columns)]
    own = [one for one in parts if one.path_in_schema.startswith(tuple(columns))]
    values = max((one.num_values for one in own), default=0)
    return values > _MAX_VALUES or sum(one.total_uncompressed_size for one in own) > _MAX_BYTES


def _is_table_of(table: Any, rows: Iterable[Row], common: PackContent) -> bool:
    import pyarrow as pa

    schema, expected = parquet_schema(common), [parquet_cells(row, common) for row in rows]
    cells = pa.Table.from_pylist(expected, schema=pa.schema([schema.field(name) for name in _DESCRIBED]))
    paths = [{name: row[name]["path"] for name in common.pictures} for row in expected]
    return bool(table.select(_DESCRIBED).equals(cells)) and paths == _paths(table, common)


def _paths(table: Any, common: PackContent) -> list[dict[str, str]]:
    rows = table.select(list(common.pictures)).to_pylist()
    return [{name: row[name]["path"] for name in common.pictures} for row in rows]


class _Compared(io.BytesIO):
    """A file that is not written, but compared with one that is there."""

    def __init__(self, file: io.BufferedReader):
        super().__init__()
        self._file, self.is_same = file, True

    def write(self, data: Any) -> int:
        self.is_same = self._file.read(len(data)) == data and self.is_same
        return len(data)

    def tell(self) -> int:
        return self._file.tell()
