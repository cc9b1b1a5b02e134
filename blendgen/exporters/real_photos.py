"""Real photos: an image folder of the user, with or without folders for splits.

In: FOLDER/<class>/photo.jpg or FOLDER/<split>/<class>/photo.jpg. Out: Photos with their split, and what was
left out. Without split folders, the split of a photo depends on its content, so that it stays the same when
photos are added.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from blendgen.dataset.ownership import HARMLESS
from blendgen.errors import DatasetError
from blendgen.files.image_size import own_pixel_limit
from blendgen.files.names import name_fault, printable
from blendgen.files.photos import IMAGE_ERRORS, PHOTO_SUFFIXES, is_plain
from blendgen.scene.split_names import USUAL_SPLITS, usual_split

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


def read_photos(folder: Path, shares: dict[str, float]) -> tuple[list[Photo], list[str]]:
    """All photos, sorted by path, each content once, and a message for each file that is left out.

    shares: split -> its share, for a folder without split folders
    raises: DatasetError if there are no photos, or if one photo is in two splits
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DatasetError(f"{folder}: the folder does not exist")
    photos, left_out = [], []
    for path, label, split in _files(folder):
        try:
            photos.append(_photo(path, label, split, shares))
        except IMAGE_ERRORS as error:
            left_out.append(
                f"{path}: {error}" if isinstance(error, _Unfit) else f"{path}: cannot be read: {error}"
            )
    if not photos:
        raise DatasetError(
            f"{folder}: does not contain photos in class folders ({', '.join(PHOTO_SUFFIXES)})"
        )
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
    with own_pixel_limit(), Image.open(path) as image:
        if getattr(image, "n_frames", 1) > 1:
            raise _Unfit("is animated or has several pages; save one of them")
        plain = is_plain(image)
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


def _files(folder: Path) -> Iterator[tuple[Path, str, str | None]]:
    """Photos with their class, and their split if there are split folders."""
    tops = _folders(folder)
    with_splits = tops and all(usual_split(path.name) in USUAL_SPLITS for path in tops)
    for top in tops:
        split = usual_split(top.name) if with_splits else None
        for label in _folders(top) if with_splits else [top]:
            fault = name_fault(label.name)
            if fault:
                raise DatasetError(f"{printable(str(label))}: cannot be the name of a class: it {fault}")
            for path in sorted(label.rglob("*")):
                if path.is_file() and path.name not in HARMLESS:
                    yield path, label.name, split


def _folders(folder: Path) -> list[Path]:
    """Sub-folders that are not hidden; editors and systems create hidden ones."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


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
