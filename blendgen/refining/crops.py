"""Crops: what a refiner is trained on: squares of one size, from renders and from photos.

In: a data set, or a folder of photos. Out: (n, 3, side, side) uint8. Photos are first made as small as the
renders, as noise and sharpness belong to a size in pixels. Places follow from the seed by a sequence that
covers all positions evenly.
source: Roberts 2018, The unreasonable effectiveness of quasirandom sequences
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from blendgen.dataset.source import Source
from blendgen.errors import UsageError
from blendgen.files.names import printable
from blendgen.geometry.arrays import AnyArray, ImageHW3U8
from blendgen.photos.folder import PhotoFolder
from blendgen.system.progress import Progress

COUNT = 2048  # of each kind, 57 MB at 96 pixels
_MOST_PICTURES = 1024
_STEPS = (0.7548776662466927, 0.5698402909980532)  # of the sequence, in x and y
_GOLDEN = 0.6180339887498949


@dataclass
class Crops:
    """images: (n, 3, side, side) uint8; pictures: from how many; digest: of the pixels"""

    images: AnyArray
    pictures: int
    left_out: list[str] = field(default_factory=list)

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.images.tobytes()).hexdigest()


def render_crops(source: Source, side: int, seed: int, progress: Progress) -> Crops:
    """raises: DatasetError for an image that cannot be read"""
    positions = _spread(source.images)
    progress.begin(len(positions))
    return _crops(
        (image for position in positions for image in _read(source, position, progress)),
        len(positions), side, seed,
    )  # fmt: skip


def _read(source: Source, position: int, progress: Progress) -> Iterator[ImageHW3U8]:
    yield source.image(source.row(position))
    progress.advance(1)


def photo_crops(folder: PhotoFolder, longest_px: int, side: int, seed: int, progress: Progress) -> Crops:
    """longest_px: that of the renders; raises UsageError where no photo can be used"""
    files = tuple(folder.files[position] for position in _spread(len(folder.files)))
    used, left_out = PhotoFolder(folder.place, files, folder.left_out), []
    progress.begin(len(files), "photo")

    def images() -> Iterator[ImageHW3U8]:
        for path, image in used.images(longest_px):
            progress.advance(1)
            if min(image.shape[:2]) < side:
                left_out.append(
                    f"{printable(str(path))}: is {image.shape[1]} x {image.shape[0]} pixels next to renders "
                    f"of {longest_px}: smaller than --size {side}"
                )
            else:
                yield image

    crops = _crops(images(), len(files), side, seed)
    reasons = [*used.left_out, *left_out]
    if not crops.pictures:
        listed = "".join(f"\n  {reason}" for reason in reasons[:3])
        raise UsageError(f"{printable(str(folder.place))}: no photo can be used{listed}")
    return Crops(crops.images, crops.pictures, reasons)


def _spread(count: int) -> list[int]:
    """Positions of at most _MOST_PICTURES pictures, evenly spaced."""
    wanted = min(count, _MOST_PICTURES)
    return [number * count // wanted for number in range(wanted)]


def _crops(images: Iterable[ImageHW3U8], count: int, side: int, seed: int) -> Crops:
    """The same number of each picture. count: of the pictures, at most"""
    squares: list[AnyArray] = []
    each, pictures = -(-COUNT // count), 0
    for image in images:
        pictures += 1
        for _ in range(each):
            top, left = _place(image, side, len(squares) + _GOLDEN * seed)
            squares.append(image[top : top + side, left : left + side].transpose(2, 0, 1))
    empty = np.zeros((0, 3, side, side), np.uint8)
    return Crops(np.stack(squares) if squares else empty, pictures)


def _place(image: ImageHW3U8, side: int, number: float) -> tuple[int, int]:
    x, y = ((0.5 + step * number) % 1 for step in _STEPS)
    return int(y * (image.shape[0] - side + 1)), int(x * (image.shape[1] - side + 1))
