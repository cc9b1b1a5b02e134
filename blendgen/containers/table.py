"""Table: the columns of images in Parquet files, as Hugging Face datasets reads them: pictures with their
bytes, class names, boxes.

In: images, a few at a time. Out: Parquet files with a page index, so that the hub's viewer reads single
pages, and chunks cut by content: an upload after a change sends only what is new.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any

from blendgen.containers.features import IMAGE, Feature, arrow_type, class_label, lists, value
from blendgen.errors import SetupError
from blendgen.scene.row import Objects

_ROWS_AT_ONCE, _BYTES_AT_ONCE = 64, 32 * 2**20
_HOW = {"use_content_defined_chunking": True, "write_page_index": True}
Put = Callable[[dict[str, Any], int], None]  # a row, and the size of its pictures


def require_pyarrow() -> None:
    """Raises SetupError where pyarrow is missing."""
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise SetupError(f"parquet needs pyarrow ({error}): pip install 'blendgen[parquet]'") from None


def image_features(
    classes: tuple[str, ...],
    has_keypoints: bool,
    extras: Iterable[str],
    more: Mapping[str, Feature] | None = None,
) -> dict[str, Feature]:
    """The columns of images.

    extras: kinds of other files; more: columns of objects
    """
    label = class_label(classes)
    objects = {
        "bbox": lists(lists(value("float32"), length=4)),
        "area": lists(value("int64")),
        "visible_fraction": lists(value("float32")),
        "category": lists(label),
    }
    if has_keypoints:
        objects["keypoints"] = lists(lists(lists(value("float32"), length=3)))
    return {
        "image": IMAGE,
        **dict.fromkeys(extras, IMAGE),
        "label": label,
        "index": value("int64"),
        "objects": objects | dict(more or {}) | objects,
    }


def object_columns(objects: Objects, has_keypoints: bool) -> dict[str, Sequence[Any]]:
    """The columns of the objects of an image."""
    keys = ["bbox", "category_id", "area", "visible_fraction", *(["keypoints"] if has_keypoints else [])]
    chosen: dict[str, Any] = {key: getattr(objects, key) for key in keys}
    chosen["category"] = chosen.pop("category_id")
    return chosen


def image_cells(
    name: str, image: tuple[str, bytes], extras: Mapping[str, tuple[str, bytes]]
) -> dict[str, dict[str, Any]]:
    """The cells of the pictures of a row; suffix and content of each."""
    cells = {"image": {"bytes": image[1], "path": f"{name}{image[0]}"}}
    for kind, (suffix, data) in extras.items():
        cells[kind] = {"bytes": data, "path": f"{name}.{kind}{suffix}"}
    return cells


def schema_of(features: Mapping[str, Feature]) -> Any:
    """The schema of pyarrow, which states the features."""
    import pyarrow as pa

    described = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.schema([(name, arrow_type(one)) for name, one in features.items()], metadata=described)


@contextmanager
def opened_table(file: IO[bytes], schema: Any, plain: Collection[str] = ()) -> Iterator[Put]:
    """A Parquet file, as a function that adds a row; it is complete when the block ends without an error.

    plain: paths of columns that are neither compressed nor in a dictionary
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    how = _stored_plain(schema, plain) if plain else {}
    with pq.ParquetWriter(file, schema, **_HOW, **how) as writer:
        rows = _Rows(lambda rows: writer.write_table(pa.Table.from_pylist(rows, schema=schema)))
        yield rows.add
        rows.write()


def _stored_plain(schema: Any, plain: Collection[str]) -> dict[str, Any]:
    """Options of the writer for columns that are neither compressed nor in a dictionary."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    empty = pa.BufferOutputStream()
    pq.write_table(schema.empty_table(), empty)
    leaves = pq.ParquetFile(pa.BufferReader(empty.getvalue())).schema
    paths = [leaves.column(number).path for number in range(len(leaves))]
    others = [path for path in paths if path not in plain]
    return {
        "compression": {path: "NONE" if path in plain else "SNAPPY" for path in paths},
        "use_dictionary": others,
        "write_statistics": others,
    }


class _Rows:
    """Rows that are not written yet: a few, or few bytes of images."""

    def __init__(self, write: Callable[[list[dict[str, Any]]], None]):
        self._write, self._rows, self._bytes = write, list[dict[str, Any]](), 0

    def add(self, row: dict[str, Any], size_bytes: int) -> None:
        self._rows.append(row)
        self._bytes += size_bytes
        if len(self._rows) == _ROWS_AT_ONCE or self._bytes >= _BYTES_AT_ONCE:
            self.write()

    def write(self) -> None:
        """Write the rows, if there are any."""
        if self._rows:
            self._write(self._rows)
        self._rows, self._bytes = [], 0
