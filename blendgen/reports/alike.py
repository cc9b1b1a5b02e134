"""Alike: which pictures of models show nearly the same thing, so that a classifier may not tell them apart.

In: pictures from the same angle in the same light, and the sizes of what they show. Out: numbers of pictures.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from blendgen.geometry.arrays import AnyArray

_SIDE_PX = 32
# of 255: renders of one model differ by less, those of playing cards with other small signs by 65 and more
_LEAST_LEVELS = 12.0
_SIZE_SHARE = 0.02  # of a side: a larger difference is one that can be seen


def alike(pictures: Sequence[Image.Image | None], sizes_m: Sequence[Sequence[float]]) -> dict[int, int]:
    """Number of a picture -> the first one that shows nearly the same, at nearly the same size."""
    small = [None if picture is None else _small(picture) for picture in pictures]
    sizes = np.asarray(sizes_m, np.float64).reshape(-1, 3)
    twins: dict[int, int] = {}
    for number, own in enumerate(small):
        if own is None or not number:
            continue
        equal = np.abs(sizes[:number] - sizes[number]).max(axis=1) <= _SIZE_SHARE * sizes[number].max()
        for other in np.flatnonzero(equal).tolist():
            if other not in twins and _differ_by(own, small[other]) < _LEAST_LEVELS:
                twins[number] = other
                break
    return twins


def _small(picture: Image.Image) -> AnyArray:
    small = picture.convert("RGB").resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BOX)
    return np.asarray(small, np.int16)


def _differ_by(one: AnyArray, other: AnyArray | None) -> float:
    return np.inf if other is None else float(np.abs(one - other).max())
