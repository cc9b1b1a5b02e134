"""Real photos: an image folder of the user, with or without folders for splits.

In: FOLDER/<class>/photo.jpg or FOLDER/<split>/<class>/photo.jpg. Out: Photos with their class and split, and
what was left out. Without split folders, the split of a photo depends on its content, so that it stays the
same when photos are added.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from blendgen.errors import DatasetError
from blendgen.exporters.photo_folders import photo_files
from blendgen.files.image_size import size_fault
from blendgen.files.photos import (
    IMAGE_ERRORS,
    PHOTO_SUFFIXES,
    PLAIN_SUFFIXES,
    has_pages,
    image_fault,
    is_plain,
    opened_photo,
)

_ALIKE_BITS = 2


@dataclass(frozen=True)
class Photo:
    """width, height: upright; is_plain: whether every loader reads the file as it is meant

    look: 64 bits that are nearly the same for photos that look nearly the same
    """

    path: Path
    label: str
    split: str
    width: int
    height: int
    sha256: str
    is_plain: bool
    look: int

    @property
    def suffix(self) -> str:
        """Of its file in a mixture."""
        return self.path.suffix.lower() if self.is_plain else ".png"


class _Unfit(ValueError):
    """A file that is not a photo; the message says what it is."""


def read_photos(
    folder: Path, shares: dict[str, float], classes: Sequence[str]
) -> tuple[list[Photo], list[str]]:
    """All photos, sorted by path, each content once, and a message for each file that is left out.

    shares: split -> its share, for a folder without split folders
    classes: those of the data set, which the folders of photos are compared with
    raises: DatasetError if there are no photos, if one photo is in two splits, or if it is not clear what a
        folder is
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DatasetError(f"{folder}: the folder does not exist")
    photos: list[Photo] = []
    left_out: list[str] = []
    for path, label, split in photo_files(folder, classes, left_out):
        try:
            photos.append(_photo(path, label, split, shares))
        except IMAGE_ERRORS as error:
            reason = str(error) if isinstance(error, _Unfit) else f"cannot be read: {image_fault(error)}"
            left_out.append(f"{path}: {reason}")
    if not photos:
        kinds, reasons = ", ".join(PHOTO_SUFFIXES), "".join(f"\n  {reason}" for reason in left_out[:3])
        raise DatasetError(f"{folder}: does not contain photos in class folders ({kinds}){reasons}")
    _refuse_leaks(photos)
    once = {photo.sha256: photo for photo in reversed(photos)}
    left_out += [
        f"{photo.path}: is the same photo as {once[photo.sha256].path}; it counts once"
        for photo in photos
        if photo is not once[photo.sha256]
    ]
    photos = [photo for photo in photos if photo is once[photo.sha256]]
    return photos, left_out + _similar_across_splits(photos)


def _photo(path: Path, label: str, split: str | None, shares: dict[str, float]) -> Photo:
    """Raises one of IMAGE_ERRORS."""
    if path.suffix.lower() not in PHOTO_SUFFIXES:
        raise _Unfit(f"is not one of {', '.join(PHOTO_SUFFIXES)}")
    with opened_photo(path) as image:
        if has_pages(image):
            raise _Unfit("is animated or has several pages; save one of them")
        plain = path.suffix.lower() in PLAIN_SUFFIXES and is_plain(image)
        fault = None if plain else size_fault(image.size)
        if fault:
            raise _Unfit(fault)
        upright = ImageOps.exif_transpose(image)  # decodes all of it
        look = _look(upright)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    split = split or _split_of(digest, shares)
    return Photo(path, label, split, *upright.size, digest, plain, look)


def _look(image: Image.Image) -> int:
    """Which of 8 x 8 neighbours, after shrinking to 9 x 8 pixels, are brighter than the one before.

    source: the difference hash (dHash) of N. Krawetz, Kind of Like That (2013)
    """
    grey = np.asarray(image.convert("L").resize((9, 8), Image.Resampling.BOX), np.int16)
    return int("".join("01"[int(bit)] for bit in (np.diff(grey) > 0).ravel()), 2)


def _similar_across_splits(photos: list[Photo]) -> list[str]:
    """A message for each photo that looks like one of another split: scores would be too good."""
    messages, looks = [], np.array([photo.look for photo in photos], np.uint64)
    for number, photo in enumerate(photos):
        bits = np.unpackbits((looks[:number] ^ looks[number]).view(np.uint8)).reshape(-1, 64)
        alike = np.flatnonzero(bits.sum(axis=1) <= _ALIKE_BITS)
        other = next((photos[k] for k in alike if photos[k].split != photo.split), None)
        if other is not None:
            messages.append(f"{photo.path} ({photo.split}) looks like {other.path} ({other.split})")
    return messages


def _split_of(digest: str, shares: dict[str, float]) -> str:
    position, total = int(digest[:13], 16) / 16**13, 0.0
    for split, share in shares.items():
        total += share
        if position < total:
            return split
    return next(reversed(shares))


def _refuse_leaks(photos: list[Photo]) -> None:
    by_hash: dict[str, Photo] = {}
    for photo in photos:
        other = by_hash.setdefault(photo.sha256, photo)
        if other.split != photo.split:
            raise DatasetError(
                f"{photo.path}: is the same photo as {other.path}, but in another split; test photos "
                "must not be in the training set: remove one of them"
            )
        if other.label != photo.label:
            raise DatasetError(
                f"{photo.path}: is the same photo as {other.path}, but of another class; remove one of them"
            )
