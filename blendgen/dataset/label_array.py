"""LabelArray: the NumPy array that a label file of an image becomes.

In: the channels of the file, and its row. Out: an array of one shape and type, whatever the file's format:
colours are (h, w, 3), ids int32, since some loaders lack uint16, and depth is in metres, `inf` where nothing
was hit. Masks of products are in the order of the row's objects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from blendgen.develop.encode import DEPTH_STEP_M
from blendgen.geometry.arrays import AnyArray
from blendgen.scene.row import Row

# channel -> (h, w); the one of a grey image has the name ""
Channels = Mapping[str, AnyArray]


class ArraySpec(NamedTuple):
    """shape: None for a side that differs from image to image; dtype: a name of NumPy"""

    shape: tuple[int | None, ...]
    dtype: str


@dataclass(frozen=True)
class LabelArray:
    """values: of the channels of a file; raises KeyError for a channel that is missing"""

    spec: ArraySpec
    values: Callable[[Channels, Row], AnyArray]

    def of(self, channels: Channels, row: Row) -> AnyArray:
        """The array of a file; raises KeyError as `values` does."""
        return self.values(channels, row).astype(self.spec.dtype, copy=False)


def _rgb(channels: Channels, row: Row) -> AnyArray:
    return np.stack([channels[name] for name in "RGB"], axis=-1)


def _grey(channels: Channels, row: Row) -> AnyArray:
    return channels[""]


def _depth_m(channels: Channels, row: Row) -> AnyArray:
    if "Z" in channels:
        return channels["Z"]
    steps = channels[""]
    return np.where(steps > 0, steps * DEPTH_STEP_M, np.inf)


def _planes(channels: Channels, row: Row) -> AnyArray:
    planes = [channels[f"instance_{instance_id}"] for instance_id in row.objects.instance_id]
    return np.stack(planes) if planes else np.zeros((0, row.height, row.width))


RGB_U8 = LabelArray(ArraySpec((None, None, 3), "uint8"), _rgb)
VECTORS = LabelArray(ArraySpec((None, None, 3), "float32"), _rgb)
IDS = LabelArray(ArraySpec((None, None), "int32"), _grey)
DEPTH_M = LabelArray(ArraySpec((None, None), "float32"), _depth_m)
MASKS = LabelArray(ArraySpec((None, None, None), "bool"), _planes)
SHARES = LabelArray(ArraySpec((None, None, None), "float32"), _planes)
