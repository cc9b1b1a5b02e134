"""Real photos: an image folder of the user, with or without folders for splits.

In: FOLDER/<class>/photo.jpg or FOLDER/<split>/<class>/photo.jpg. Out: Photos with their split. Without
split folders, the split of a photo depends on its content, so that it stays the same when photos are added.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from blendgen.errors import DatasetError
from blendgen.files.image_size import own_pixel_limit
from blendgen.files.names import name_fault, printable
from blendgen.files.photos import IMAGE_ERRORS, PHOTO_SUFFIXES
from blendgen.scene.split_names import USUAL_SPLITS, usual_split


@dataclass(frozen=True)
class Photo:
    path: Path
    label: str
    split: str
    width: int
    height: int
    sha256: str


def read_photos(folder: Path, shares: dict[str, float]) -> tuple[list[Photo], list[str]]:
    """All photos, sorted by path, and a message for each unreadable one.

    shares: split -> its share, for a folder without split folders
    raises: DatasetError if there are no photos, or if one photo is in two splits
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DatasetError(f"{folder}: the folder does not exist")
    photos, left_out = [], []
    for path, label, split in _files(folder):
        try:
            with own_pixel_limit(), Image.open(path) as image:
                width, height = image.size
                image.load()
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except IMAGE_ERRORS as error:
            left_out.append(f"{path}: cannot be read: {error}")
            continue
        photos.append(Photo(path, label, split or _split_of(digest, shares), width, height, digest))
    if not photos:
        raise DatasetError(
            f"{folder}: does not contain photos in class folders ({', '.join(PHOTO_SUFFIXES)})"
        )
    _refuse_leaks(photos)
    return photos, left_out


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
                if path.suffix.lower() in PHOTO_SUFFIXES and path.is_file():
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
