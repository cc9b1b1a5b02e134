"""Pictures: what a classifier learns from and is tested on: images of a data set and photos, alike.

In: a Dataset, or a folder of photos. Out: Pictures: a key, a class, a group, and how to read the pixels. A
group is a shot of a data set, whose images look alike: they are never on both sides of a test.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from blendgen.dataset.dataset import Dataset
from blendgen.geometry.arrays import AnyArray, ImageHW3U8


@dataclass(frozen=True)
class Picture:
    """key: sha256 of its file; label_id: -1 where nobody knows the class; name: for people

    group: of pictures that look alike; read: its pixels, raises one of IMAGE_ERRORS or DatasetError
    """

    key: str
    label_id: int
    name: str
    group: str
    read: Callable[[], ImageHW3U8]


@dataclass(frozen=True)
class PictureSet:
    """Pictures with their features, (n, d) float32, in the same order; classes by label_id."""

    pictures: tuple[Picture, ...]
    features: AnyArray
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def labels(self) -> AnyArray:
        """(n,) int64"""
        return np.array([picture.label_id for picture in self.pictures], np.int64)

    @property
    def groups(self) -> list[str]:
        return [picture.group for picture in self.pictures]

    def at(self, positions: Sequence[int] | AnyArray) -> PictureSet:
        chosen = [int(position) for position in positions]
        return PictureSet(
            tuple(self.pictures[position] for position in chosen), self.features[chosen], self.classes
        )


def dataset_pictures(dataset: Dataset) -> list[Picture]:
    """One for each image; its class is that of its subject."""
    return [
        Picture(
            row.image.sha256 or f"{dataset.source.digest}/{row.index}",
            row.label_id,
            row.image.name,
            f"shot {row.shot_index}",
            partial(dataset.source.image, row),
        )
        for row in dataset.rows()
    ]
