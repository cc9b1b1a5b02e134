"""Dataset: a finished data set as rows and NumPy arrays, in any order; ready for PyTorch.

In: a folder that `generate` made. Out: its images, masks and rows by position. A Dataset stores where each
row starts and opens files on demand: it is small, can be pickled, and can be read by several processes at the
same time. It is a map-style data set in the sense of PyTorch, which is not imported; stream.py makes it an
iterable one.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, SupportsIndex, cast, overload

from blendgen.dataset.fields import ALWAYS, FIELDS, checked_fields, default_fields, read_field
from blendgen.dataset.item import Item
from blendgen.dataset.label_array import ArraySpec
from blendgen.dataset.rows import row_values
from blendgen.dataset.source import Source, open_source
from blendgen.dataset.stream import Stream
from blendgen.errors import UsageError, did_you_mean
from blendgen.geometry.arrays import AnyArray, IdsHW, ImageHW3U8
from blendgen.scene.row import Row


@dataclass(frozen=True, repr=False)
class Dataset:
    """A data set, or a part of it, in the order of the images' numbers; open one with `open_dataset`.

    `dataset[3]` is an Item, or what `transform` makes of it; `dataset[:100]` and `dataset.filter(...)` are
    Datasets. `row`, `image`, `mask` and `array` read only that.
    """

    source: Source
    positions: Sequence[int]
    transform: Callable[[Item, Row], Any] | None = field(default=None, compare=False)
    fields: tuple[str, ...] | None = None

    @property
    def folder(self) -> Path:
        return self.source.root

    @property
    def classes(self) -> tuple[str, ...]:
        """Labels by label_id, also of classes without an image here."""
        return self.source.classes

    @property
    def splits(self) -> tuple[str, ...]:
        """Splits that have images in the whole data set, sorted."""
        return self.source.splits

    def __len__(self) -> int:
        return len(self.positions)

    @overload
    def __getitem__(self, position: SupportsIndex) -> Any: ...

    @overload
    def __getitem__(self, position: slice) -> Dataset: ...

    def __getitem__(self, position: SupportsIndex | slice) -> Any:
        """An Item, or the result of `transform`; a Dataset for a slice.

        raises: IndexError past the end; DatasetError for a row or a file that cannot be read
        """
        if isinstance(position, slice):
            return replace(self, positions=self.positions[position])
        return self._item(self.row(position))

    def __iter__(self) -> Iterator[Any]:
        return map(self._item, self.rows())

    def row(self, position: SupportsIndex) -> Row:
        """The line of the manifest at a position, which may be negative; raises as indexing does."""
        try:
            number = self.positions[operator.index(position)]
        except IndexError:
            raise IndexError(f"there is no image {position}: the data set has {len(self)}") from None
        return self.source.row(number)

    def rows(self) -> Iterator[Row]:
        """All rows in order, without opening an image."""
        return map(self.source.row, self.positions)

    def image(self, position: SupportsIndex) -> ImageHW3U8:
        """(h, w, 3) uint8 sRGB; raises as indexing does."""
        return self.source.image(self.row(position))

    def mask(self, position: SupportsIndex) -> IdsHW:
        """(h, w) uint16 instance ids, 0 for the background; the row's objects.instance_id names them.

        raises: as indexing does, and DatasetError if the data set does not have masks
        """
        return self.source.instance_mask(self.row(position))

    def array(self, position: SupportsIndex, name: str) -> AnyArray:
        """One field of an image (see Item), such as "depth" or "bbox".

        raises: as indexing does, UsageError for an unknown field, DatasetError if the data set lacks it
        """
        checked_fields((name,))
        return read_field(self.source, self.row(position), name)

    def column(self, name: str) -> list[Any]:
        """The values of a column, one per image; raises UsageError for a column that rows do not have."""
        return [_columns(row, [name])[name] for row in self.rows()]

    def filter(self, predicate: Callable[[Row], bool] | None = None, /, **columns: Any) -> Dataset:
        """The images whose rows agree in all `columns` and satisfy `predicate`.

            dataset.filter(split="train", label=["mug", "cup"])
            dataset.filter(lambda row: row.objects.visible_fraction[0] > 0.5)

        columns: a value, or a list, tuple, set or frozenset of values, any of which may be there; for `split`
            alone no row is read
        raises: UsageError for a column that rows do not have, and for a split or class that there is not
        """
        self._refuse_unknown(columns)
        chosen = self._of_splits(columns.pop("split")) if "split" in columns else self.positions
        if columns or predicate is not None:
            rows = map(self.source.row, chosen)
            chosen = [
                position
                for position, row in zip(chosen, rows, strict=True)
                if _agrees(_columns(row, columns), columns) and (predicate is None or predicate(row))
            ]
        return replace(self, positions=chosen)

    def with_transform(self, transform: Callable[[Item, Row], Any] | None) -> Dataset:
        """The same images; indexing and iteration give transform(item, row) instead of the Item.

        transform: a function of a module, so that it can be pickled for worker processes
        """
        return replace(self, transform=transform)

    def with_fields(self, *names: str) -> Dataset:
        """The same images; an Item has these fields, in addition to label_id and index, and no others.

        raises: UsageError for an unknown field; reading raises DatasetError if the data set lacks it
        """
        return replace(self, fields=checked_fields(names))

    def signature(self) -> dict[str, ArraySpec]:
        """Shape and type of everything in an Item, by name; a shape has None where images differ.

        For tf.data: {name: tf.TensorSpec(*spec) for name, spec in dataset.signature().items()}
        """
        names = self.fields
        if names is None:
            names = default_fields(self.row(0)) if len(self) else ()
        return {name: FIELDS[name] for name in names} | dict.fromkeys(ALWAYS, ArraySpec((), "int64"))

    def stream(
        self, *, seed: int | None = None, buffer_size: int | None = None, epoch: int = 0, rank: int = 0,
        world_size: int = 1, drop_last: bool = False,
    ) -> Stream:  # fmt: skip
        """An iterable of what indexing gives; each image is in one process and one DataLoader worker only.

            for item in dataset.stream(seed=7, epoch=epoch):

        seed: shuffles the images; None for their order
        buffer_size: an image moves by fewer places than this, as if it had waited in a buffer of that size;
            None for a permutation of all images
        epoch: a new order for each, from the same seed
        rank, world_size: number of this process, and of all processes, of a distributed run
        drop_last: leave out up to world_size - 1 images, so that all ranks have equally many
        raises: UsageError
        """
        return Stream(self, seed, buffer_size, epoch, rank, world_size, drop_last)

    def __repr__(self) -> str:
        return (
            f"Dataset({str(self.folder)!r}: {len(self)} images, {len(self.classes)} classes, "
            f"splits {', '.join(self.splits)})"
        )

    def _refuse_unknown(self, columns: dict[str, Any]) -> None:
        known = {"split": tuple(self.source.split_names), "label": self.classes}
        for column, names in known.items():
            for name in _as_collection(columns[column]) if column in columns else ():
                if name not in names:
                    raise UsageError(
                        f"{self.folder}: has no {column} {name!r}{did_you_mean(str(name), names)}"
                    )

    def _of_splits(self, wanted: Any) -> list[int]:
        """The positions of rows whose split is one of those wanted; rows are not read."""
        of_split = [_is_one_of(name, wanted) for name in self.source.split_names.values()]
        return [position for position in self.positions if of_split[self.source.row_splits[position]]]

    def _item(self, row: Row) -> Any:
        names = default_fields(row) if self.fields is None else self.fields
        arrays = {name: read_field(self.source, row, name) for name in names}
        item = cast(Item, {**arrays, "label_id": row.label_id, "index": row.index})
        return item if self.transform is None else self.transform(item, row)


def open_dataset(folder: Path) -> Dataset:
    """The finished data set in a folder; raises DatasetError if there is none."""
    source = open_source(folder)
    return Dataset(source, range(source.images))


def _columns(row: Row, names: Iterable[str]) -> dict[str, Any]:
    """The values of a row by column; raises UsageError for a name that is not a column."""
    values = row_values(row)
    for name in names:
        if name not in values:
            raise UsageError(f"rows have no column {name!r}{did_you_mean(name, values)}")
    return values


def _agrees(values: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return all(_is_one_of(values[name], one) for name, one in wanted.items())


def _is_one_of(value: Any, wanted: Any) -> bool:
    return any(value == one for one in _as_collection(wanted))


def _as_collection(wanted: Any) -> Collection[Any]:
    return wanted if isinstance(wanted, list | tuple | set | frozenset) else (wanted,)
