"""LabelFile: a kind of file that a data set has for each image: where it is, how it is written and checked.

In: a Frame and the `output` section of its spec. Out: the path and the bytes of the file; back from bytes its
channels. The kinds are in label_registry.py.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from blendgen.dataset.label_array import Channels, LabelArray
from blendgen.develop.exr import decode_exr
from blendgen.files.photos import IMAGE_ERRORS
from blendgen.geometry.arrays import IdsHW
from blendgen.scene.film import Frame
from blendgen.scene.folder_names import image_place
from blendgen.scene.row import Row
from blendgen.scene.shot import Shot
from blendgen.spec.output import Output

_MAX_PIXELS = 2**28
_MAX_PIXEL_RATIO = 4  # between the pixels that a file claims and those that its row states

# (row, dataset.json, channels, (h, w) instance ids) -> what is wrong, in words
Check = Callable[[Row, Mapping[str, Any], Channels, IdsHW], Iterator[str]]


def _no_faults(*_: Any) -> Iterator[str]:
    return iter(())


@dataclass(frozen=True)
class LabelFile:
    """A kind of file.

    name: its key in `output`, the start of its columns in a row, and its name in exports
    suffixes: those that it may have; the first where `suffix_of` does not say otherwise
    content: what the file holds, for docs/dataset.md
    is_wanted: whether a spec asks for it
    encode: its bytes, from a frame
    array: what a Dataset makes of it
    check: compares it with the instance mask and its row
    """

    name: str
    folder: str
    content: str
    is_wanted: Callable[[Output], bool]
    encode: Callable[[Frame, Output], bytes]
    array: LabelArray
    check: Check = _no_faults
    suffixes: tuple[str, ...] = (".png",)
    suffix_of: Callable[[Output], str] | None = None

    def path(self, shot: Shot, image_index: int, output: Output) -> str:
        """Relative to the data set; the folder of the file is the class of the shot's subject."""
        suffix = self.suffix_of(output) if self.suffix_of else self.suffixes[0]
        return f"{self.folder}/{shot.split}/{image_place(shot.products[0].label, image_index)}{suffix}"

    def path_fault(self, path: str) -> str | None:
        """Why a sound relative path cannot be that of such a file; None where it can."""
        if not path.startswith(f"{self.folder}/"):
            return f"is not in the folder {self.folder}"
        if not path.endswith(self.suffixes):
            return f"does not end in {' or '.join(self.suffixes)}"
        return None


def decode(data: bytes, suffix: str, pixels: int) -> Channels | None:
    """The channels of an image file; None for a broken one.

    pixels: how many its row states; a file of a few bytes that claims many more is not decoded
    """
    max_pixels = min(_MAX_PIXEL_RATIO * pixels, _MAX_PIXELS)
    try:
        return decode_exr(data, max_pixels) if suffix == ".exr" else _decode_picture(data, max_pixels)
    except IMAGE_ERRORS:
        return None


def _decode_picture(data: bytes, max_pixels: int) -> Channels | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about large pictures
        with Image.open(io.BytesIO(data)) as opened:
            if opened.width * opened.height > max_pixels:
                return None
            values = np.array(opened)
    if values.ndim == 2:
        return {"": values.astype(np.int64)}
    return {name: values[..., i] for i, name in enumerate("RGBA"[: values.shape[2]])}
