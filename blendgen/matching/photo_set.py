"""Photo set: photos at the size of the images of a spec, with their statistics and what is odd about them.

In: a folder of photos, and the resolution of the images. Out: PhotoSet. Photos are shrunk until their shorter
side is that of the images, as training does; photos that are smaller are never enlarged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from blendgen.files.names import printable
from blendgen.files.photos import IMAGE_ERRORS, read_photo
from blendgen.geometry.arrays import ImageHW3U8
from blendgen.photos.background import Background, light_temperature_k
from blendgen.photos.exif import read_exif
from blendgen.photos.folder import photo_folder
from blendgen.photos.jpeg import file_quality
from blendgen.photos.measure import Measure, unknown
from blendgen.photos.sets import SetStatistic, of_set
from blendgen.photos.statistics import Picture
from blendgen.system.progress import Progress

MOST_PHOTOS = 100
_FEW_PHOTOS = 5
_SAME_SIZE = 1.05  # of a photo and the images: it is as good as not resized
_MOST_LISTED = 4
_FULL_PX = 4096
_THUMBNAIL_PX = 160


@dataclass(frozen=True)
class Photo:
    """One photo.

    size: (width, height) of the file, upright; shrunk: by this factor, 1 or more
    measures: its statistics at the size of the images; background, light_k: as of photos/background.py
    thumbnail: (h, w, 3) uint8; file_quality: of the JPEG file
    camera: the model that its EXIF data name, or ""
    """

    path: Path
    size: tuple[int, int]
    shrunk: float
    measures: dict[str, Measure]
    background: Background | None
    light_k: float | None
    thumbnail: ImageHW3U8
    file_quality: Measure
    camera: str

    @property
    def is_resized(self) -> bool:
        return self.shrunk > _SAME_SIZE

    def full(self) -> ImageHW3U8:
        """At its own size, up to 4096 pixels."""
        return read_photo(self.path, _FULL_PX)


@dataclass(frozen=True)
class PhotoSet:
    """left_out: messages about files that are not used; there: how many photos there were to choose from"""

    place: Path
    resolution: tuple[int, int]
    photos: tuple[Photo, ...]
    left_out: tuple[str, ...]
    there: int

    @cached_property
    def statistics(self) -> dict[str, SetStatistic]:
        return of_set([photo.measures for photo in self.photos])

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(self._warnings())

    def _warnings(self) -> Iterator[str]:
        count, short = len(self.photos), min(self.resolution)
        if count < _FEW_PHOTOS:
            yield (
                f"{count} photo{'s' * (count > 1)}: what varies from photo to photo is not known; give "
                "5 to 20 photos of the place, taken as those that will be classified"
            )
        if self.there > MOST_PHOTOS:
            yield f"{self.there} photos: {MOST_PHOTOS} of them, evenly chosen, are read"
        small = sum(min(photo.size) < short / _SAME_SIZE for photo in self.photos)
        if small:
            yield (
                f"{small} of {count} photos are smaller than the images ({short} px); noise and sharpness "
                "are those of the photos as they are: set resolution to the size of the photos"
            )
        yield from self._mixed()

    def _mixed(self) -> Iterator[str]:
        cameras = Counter(photo.camera for photo in self.photos if photo.camera)
        sizes = Counter(tuple(sorted(photo.size)) for photo in self.photos)
        if len(cameras) > 1:
            listed = ", ".join(f"{printable(name)} ({n})" for name, n in cameras.most_common(_MOST_LISTED))
            yield f"photos of {len(cameras)} cameras: {listed}; one sensor is matched to all of them"
        elif len(sizes) > 1:
            listed = ", ".join(f"{w} x {h} ({n})" for (h, w), n in sizes.most_common(_MOST_LISTED))
            yield f"photos of {len(sizes)} sizes: {listed}; match each camera in a spec of its own"


def read_photo_set(place: Path, resolution: tuple[int, int], progress: Progress) -> PhotoSet:
    """Read and measure the photos of a folder; raises UsageError if there are none, DiskUnavailable."""
    folder = photo_folder(place)
    there = len(folder.files)
    chosen = [folder.files[i] for i in _evenly(there, MOST_PHOTOS)]
    folder.files = tuple(chosen)
    progress.begin(len(chosen), "photo")
    photos = []
    for path in chosen:
        try:
            photos.append(_photo(path, min(resolution)))
        except IMAGE_ERRORS as error:
            folder.leave_out(path, error)
        progress.advance(1)
    folder.require(len(photos))
    return PhotoSet(place, resolution, tuple(photos), tuple(folder.left_out), there)


def _evenly(count: int, most: int) -> list[int]:
    return sorted({int(place) for place in np.linspace(0, count - 1, min(count, most)).round()})


def _photo(path: Path, short_px: int) -> Photo:
    """Raises one of IMAGE_ERRORS."""
    exif = read_exif(path)
    shrunk = max(1.0, min(exif.size) / short_px)
    picture = Picture(read_photo(path, max(1, round(max(exif.size) / shrunk))))
    height, width = picture.image.shape[:2]
    quality = unknown("the photo is shrunk") if shrunk > _SAME_SIZE else file_quality(path)
    surface = picture.background
    return Photo(
        path, sorted_like(exif.size, (width, height)), shrunk, picture.measures(), surface,
        None if surface is None else light_temperature_k(picture.image, surface),
        thumbnail(picture.image), quality, exif.camera,
    )  # fmt: skip


def sorted_like(size: tuple[int, int], upright: tuple[int, int]) -> tuple[int, int]:
    """The (width, height) of a file, turned as its upright picture is."""
    return (max(size), min(size)) if upright[0] >= upright[1] else (min(size), max(size))


def thumbnail(image: ImageHW3U8) -> ImageHW3U8:
    small = Image.fromarray(image)
    small.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX), Image.Resampling.BOX)
    return np.asarray(small)
