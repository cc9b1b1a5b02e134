"""Photo sets: photos of the user as Pictures, with the classes of a data set, or without any.

In: FOLDER/<class>/, FOLDER/<split>/<class>/, or for photos without classes any folder. Out: Pictures, each
content once, and a message for each file that is left out. A folder that is not a class of the data set is an
error, as its photos would silently be missing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from blendgen.errors import DatasetError, UsageError, did_you_mean
from blendgen.exporters.photo_folders import photo_files
from blendgen.files.disk import raise_if_passing
from blendgen.files.names import printable, some_of
from blendgen.files.photos import PHOTO_SUFFIXES, read_photo
from blendgen.files.regular_file import open_regular
from blendgen.learn.pictures import Picture
from blendgen.photos.folder import photo_folder

_READ_PX = 512  # more than any network takes


def labelled_photos(
    folder: Path, classes: Sequence[str], wanted: Sequence[str], left_out: list[str]
) -> list[Picture]:
    """The photos of the first of the wanted splits that the folder has; all photos if it has no splits.

    raises: UsageError if the folder does not exist; DatasetError for a folder that is not a class, for a
        photo in two classes, and where there are no photos in class folders
    """
    if not folder.is_dir():
        raise UsageError(
            f"{printable(str(folder))}: expected a folder with a folder of photos for each class"
        )
    files = [*photo_files(folder, classes, left_out)]
    _refuse_unknown(folder, {label for _, label, _ in files}, classes)
    splits = {split for _, _, split in files}
    chosen = next((split for split in wanted if split in splits), None)
    if splits - {None} and chosen is None:
        raise DatasetError(
            f"{folder}: has the splits {some_of(sorted(map(str, splits)))}; none of them is "
            f"{' or '.join(wanted)}"
        )
    others = sorted(str(split) for split in splits - {chosen, None})
    if others:
        left_out.append(f"{folder}: only the split {chosen} is used, not {', '.join(others)}")
    return _once(
        folder,
        [(path, label) for path, label, split in files if split == chosen],
        classes,
        left_out,
    )


def unlabelled_photos(folder: Path, left_out: list[str]) -> list[Picture]:
    """All photos of a folder and of those below it; raises UsageError if there are none."""
    photos = photo_folder(folder)
    left_out += photos.left_out
    return [_picture(path, -1, folder) for path in photos.files]


def _once(
    folder: Path, files: Iterable[tuple[Path, str]], classes: Sequence[str], left_out: list[str]
) -> list[Picture]:
    first: dict[str, Picture] = {}
    for path, label in files:
        if path.suffix.lower() not in PHOTO_SUFFIXES:
            left_out.append(f"{printable(str(path))}: is not one of {', '.join(PHOTO_SUFFIXES)}")
            continue
        picture = _picture(path, classes.index(label), folder)
        other = first.setdefault(picture.key, picture)
        if other.label_id != picture.label_id:
            raise DatasetError(
                f"{printable(str(path))}: is the same photo as {printable(other.name)}, but of another "
                "class; remove one of them"
            )
        if other is not picture:
            left_out.append(f"{printable(str(path))}: is the same photo as {printable(other.name)}")
    if not first:
        reasons = "".join(f"\n  {reason}" for reason in left_out[:3])
        raise DatasetError(
            f"{folder}: does not contain photos in class folders; photos without classes are for "
            f"--unlabelled{reasons}"
        )
    return [*first.values()]


def _picture(path: Path, label_id: int, folder: Path) -> Picture:
    name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
    key = file_key(path)
    return Picture(key, label_id, name, key, partial(read_photo, path, _READ_PX))


def file_key(path: Path) -> str:
    """sha256 of the content; of the name where it cannot be read, which shows again when it is decoded."""
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise_if_passing(path, error)
        return hashlib.sha256(str(path).encode("utf-8", "surrogateescape")).hexdigest()


def _refuse_unknown(folder: Path, labels: set[str], classes: Sequence[str]) -> None:
    unknown = sorted(labels - {*classes})
    if unknown:
        names = "\n".join(f"  {printable(label)}{did_you_mean(label, classes)}" for label in unknown[:12])
        raise DatasetError(
            f"{printable(str(folder))}: these folders are not classes of the data set; rename them, or move "
            f"them out of the folder:\n{names}"
        )
