"""Dataset: a finished data set as rows and NumPy arrays, in any order; ready for PyTorch.

In: a folder that `generate` made. Out: its images, masks and rows by position. A Dataset stores where each
row starts and opens files on demand: it is small, can be pickled, and can be read by several processes at the
same time. It is a map-style data set in the sense of PyTorch, which is not imported.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NotRequired, SupportsIndex, TypedDict, overload

import numpy as np

from blendgen.dataset.label_registry import MASK
from blendgen.dataset.rows import row_values
from blendgen.dataset.source import Source, open_source
from blendgen.errors import UsageError, did_you_mean
from blendgen.geometry.arrays import IdsHW, ImageHW3U8, IntegersHW
from blendgen.scene.row import Row


class Item(TypedDict):
    """One labelled image; PyTorch's default collate function makes a batch of several.

    image: (h, w, 3) uint8 sRGB
    mask: (h, w) int32 instance ids, 0 for the background; only if the data set has masks
    label_id: the class of the subject, an index into Dataset.classes
    index: the number of the image in its data set
    """

    image: ImageHW3U8
    mask: NotRequired[IntegersHW]
    label_id: int
    index: int


@dataclass(frozen=True, repr=False)
class Dataset:
    """A data set, or a part of it, in the order of the images' numbers; open one with `open_dataset`.

    `dataset[3]` is an Item, or what `transform` makes of it; `dataset[:100]` and `dataset.filter(...)` are
    Datasets. `row`, `image` and `mask` read only that.
    """

    source: Source
    positions: Sequence[int]
    transform: Callable[[Item, Row], Any] | None = field(default=None, compare=False)

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

    def column(self, name: str) -> list[Any]:
        """The values of a column, one per image; raises UsageError for a column that rows do not have."""
        return [_columns(row, [name])[name] for row in self.rows()]

    def filter(self, predicate: Callable[[Row], bool] | None = None, /, **columns: Any) -> Dataset:
        """The images whose rows agree in all `columns` and satisfy `predicate`.

            dataset.filter(split="train", label=["mug", "cup"])
            dataset.filter(lambda row: row.objects.visible_fraction[0] > 0.5)

        columns: a value, or a list, tuple, set or frozenset of values, any of which may be there
        raises: UsageError for a column that rows do not have
        """
        chosen = [
            position
            for position, row in zip(self.positions, self.rows(), strict=True)
            if _agrees(_columns(row, columns), columns) and (predicate is None or predicate(row))
        ]
        return replace(self, positions=chosen)

    def with_transform(self, transform: Callable[[Item, Row], Any] | None) -> Dataset:
        """The same images; indexing and iteration give transform(item, row) instead of the Item.

        transform: a function of a module, so that it can be pickled for worker processes
        """
        return replace(self, transform=transform)

    def __repr__(self) -> str:
        return (
            f"Dataset({str(self.folder)!r}: {len(self)} images, {len(self.classes)} classes, "
            f"splits {', '.join(self.splits)})"
        )

    def _item(self, row: Row) -> Any:
        item: Item = {"image": self.source.image(row), "label_id": row.label_id, "index": row.index}
        if MASK.name in row.files:
            item["mask"] = self.source.instance_mask(row).astype(np.int32)
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
    return all(
        values[name] in one if isinstance(one, list | tuple | set | frozenset) else values[name] == one
        for name, one in wanted.items()
    )
