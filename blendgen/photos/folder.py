"""Folder: the photos below a folder, sorted by path, each content once, and what is left out.

In: a folder, or a single photo. Out: PhotoFolder. Names say which files may be photos; whether a file can be
read shows when it is read. Hidden folders and those that systems create are skipped.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from blendgen.dataset.ownership import HARMLESS
from blendgen.errors import UsageError
from blendgen.files.disk import raise_if_passing
from blendgen.files.names import printable, some_of
from blendgen.files.photos import (
    IMAGE_ERRORS,
    PHOTO_SUFFIXES,
    has_pages,
    image_fault,
    opened_photo,
    read_photo,
)
from blendgen.files.regular_file import open_regular
from blendgen.geometry.arrays import ImageHW3U8

# of macOS archives, and of Synology's servers, with small copies of all photos
_SYSTEM_FOLDERS = ("__MACOSX", "@eaDir")


@dataclass
class PhotoFolder:
    """files: that may be photos; left_out: a message for each file that is not used, longer after `images`"""

    place: Path
    files: tuple[Path, ...]
    left_out: list[str] = field(default_factory=list)

    def images(self, longest_px: int) -> Iterator[tuple[Path, ImageHW3U8]]:
        """Each photo that can be read, upright, in sRGB, with its longer side at most longest_px."""
        for path in self.files:
            try:
                with opened_photo(path) as image:
                    if has_pages(image):
                        raise ValueError("is animated or has several pages; save one of them")
                yield path, read_photo(path, longest_px)
            except IMAGE_ERRORS as error:
                self.leave_out(path, error)

    def leave_out(self, path: Path, error: Exception) -> None:
        """Report a photo whose reading raised one of IMAGE_ERRORS."""
        self.left_out.append(f"{printable(str(path))}: cannot be read: {image_fault(error)}")

    def require(self, count: int) -> None:
        """Raises UsageError unless so many photos were read."""
        if count > 0:
            return
        reasons = "".join(f"\n  {reason}" for reason in self.left_out[:3])
        raise UsageError(f"{printable(str(self.place))}: no photo can be read{reasons}")


def photo_folder(place: Path) -> PhotoFolder:
    """The photos of a folder and of those below it.

    raises: UsageError if it does not exist, or no file may be a photo; DiskUnavailable
    """
    place = Path(place)
    try:
        if not place.exists():
            raise UsageError(
                f"{printable(str(place))}: does not exist; expected a folder of photos, or a photo"
            )
        files = files_below(place) if place.is_dir() else [place]
        return _once(place, files)
    except OSError as error:
        raise_if_passing(place, error)
        raise UsageError(f"{printable(str(place))}: cannot be read: {error.strerror or error}") from None


def _once(place: Path, files: list[Path]) -> PhotoFolder:
    photos = [path for path in files if path.suffix.lower() in PHOTO_SUFFIXES]
    others = [path.name for path in files if path.suffix.lower() not in PHOTO_SUFFIXES]
    left_out = [f"{printable(str(place))}: not photos by their names: {some_of(others)}"] if others else []
    if not photos:
        raise UsageError(
            f"{printable(str(place))}: contains no photos ({', '.join(PHOTO_SUFFIXES)}); photos may be in "
            "folders below it"
        )
    by_digest: dict[str, Path] = {}
    for path in photos:
        first = by_digest.setdefault(_digest(path), path)
        if first is not path:
            left_out.append(f"{printable(str(path))}: is the same photo as {printable(first.name)}")
    return PhotoFolder(place, tuple(by_digest.values()), left_out)


def _digest(path: Path) -> str:
    """Of the content; of the name where it cannot be read, which shows again when it is decoded."""
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise_if_passing(path, error)
        return str(path)


def files_below(folder: Path) -> list[Path]:
    """The files in a folder and in those below it, sorted; links to folders below it may lead back."""
    own = [path for path in folder.iterdir() if path.is_file() and path.name not in HARMLESS]
    below = [files_below(inner) for inner in folders_in(folder) if not inner.is_symlink()]
    return sorted(itertools.chain(own, *below))


def folders_in(folder: Path) -> list[Path]:
    """Sub-folders without those that editors and systems create, most of which are hidden."""
    inside = (path for path in folder.iterdir() if path.is_dir())
    return sorted(path for path in inside if path.name[0] != "." and path.name not in _SYSTEM_FOLDERS)
