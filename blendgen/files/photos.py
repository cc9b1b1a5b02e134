"""Photos: images of a user as arrays: upright, in sRGB, no larger than needed.

In: files of the formats that Pillow reads, and HEIC, which phones write, if pillow-heif is installed. Out:
(h, w, 3) uint8. The EXIF orientation and the colour profile are applied; transparency is ignored.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError

from blendgen.files.disk import raise_if_passing
from blendgen.files.image_size import own_pixel_limit, size_fault
from blendgen.files.regular_file import open_regular

# of files that every loader reads
PLAIN_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp")
PHOTO_SUFFIXES = (*PLAIN_SUFFIXES, ".avif", ".heic", ".heif", ".hif")
# what Pillow and pillow-heif raise for a file that they cannot decode
IMAGE_ERRORS = (OSError, EOFError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError)
_PLAIN_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "BMP", "TIFF")
# with a photo, and other images that belong to it: previews, gain maps
_FORMATS_WITH_ONE_PHOTO = ("MPO", "HEIF")
# source: ISO/IEC 23008-12, brands of HEIC files, and those of any image
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_LYING = (5, 6, 7, 8)  # orientations that exchange width and height
_SMALL_PX = 64
_WIDE_GREY = ("I", "I;16", "I;16B", "I;16L", "I;16N")
_SAME_COLOUR_LEVELS = 3  # sRGB profiles of different makers differ by this much


class ReaderMissing(ValueError):
    """The library that reads a kind of photo is not installed: the photo may be sound."""


def photo_fault(path: Path) -> str | None:
    """Why a photo cannot be used, or None; reads the whole file."""
    try:
        read_photo(path, _SMALL_PX)
    except IMAGE_ERRORS as error:
        return image_fault(error)
    return None


def image_fault(error: Exception) -> str:
    """What one of IMAGE_ERRORS says about a file."""
    if isinstance(error, UnidentifiedImageError):
        return "not an image"
    if isinstance(error, Image.DecompressionBombError):
        return "it has too many pixels"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


@contextmanager
def opened_photo(path: Path) -> Iterator[Image.Image]:
    """A photo that is not decoded yet; raises one of IMAGE_ERRORS, DiskUnavailable."""
    try:
        with open_regular(path) as file, own_pixel_limit(), _identified(file) as image:
            if image.mode == "F":  # nobody knows which number is white
                raise ValueError("has floating-point numbers as pixels; save it with 8 or 16 bits")
            yield image
    except OSError as error:
        raise_if_passing(path, error)
        raise


def _identified(file: BinaryIO) -> Image.Image:
    try:
        return Image.open(file)
    except UnidentifiedImageError:
        file.seek(0)
        head = file.read(12)
        if head[4:8] != b"ftyp" or head[8:] not in _HEIC_BRANDS:
            raise
    _read_heic()
    file.seek(0)
    try:
        return Image.open(file)
    except UnidentifiedImageError:
        raise ValueError("damaged, or HEIC of a kind that pillow-heif cannot read") from None


@cache
def _read_heic() -> None:
    """Let Pillow read HEIC; raises ReaderMissing where pillow-heif is missing."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        raise ReaderMissing("HEIC needs pillow-heif: pip install 'blendgen[heic]'") from None
    register_heif_opener()


def read_photo(path: Path, longest_px: int) -> np.ndarray:
    """(h, w, 3) uint8 sRGB, top row first, with its longer side at most longest_px.

    raises: one of IMAGE_ERRORS
    """
    with opened_photo(path) as image:
        fault = size_fault(image.size)
        if fault:
            raise ValueError(fault)
        if image.format in ("JPEG", "MPO"):  # decode a fraction of its pixels, but not fewer than longest_px
            image.draft(None, (longest_px, longest_px))
        upright = _in_srgb(ImageOps.exif_transpose(image))
    size = _fitted(upright.size, longest_px)
    if size != upright.size:
        upright = upright.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(upright)


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Width and height of an open image when it is upright, as its EXIF data say."""
    is_turned = image.getexif().get(ExifTags.Base.Orientation, 1) in _LYING
    return (image.height, image.width) if is_turned else image.size


def has_pages(image: Image.Image) -> bool:
    """Whether an open image is animated, or has several pages, of which none is the photo."""
    return getattr(image, "n_frames", 1) > 1 and image.format not in _FORMATS_WITH_ONE_PHOTO


def is_plain(image: Image.Image) -> bool:
    """Whether all loaders read the file of an open image as read_photo does: upright, 8 bits, grey or RGB.

    Loaders ignore colour profiles.
    """
    upright = image.getexif().get(ExifTags.Base.Orientation, 1) == 1
    if not upright or image.mode not in ("RGB", "L") or image.format not in _PLAIN_FORMATS:
        return False
    profile = image.info.get("icc_profile")
    return not profile or _keeps_colours(profile, image.mode)


def plain_png(path: Path) -> bytes:
    """The photo as a PNG that all loaders read in the same way; raises one of IMAGE_ERRORS."""
    with opened_photo(path) as image:
        longest_px = max(image.size)
    buffer = BytesIO()
    Image.fromarray(read_photo(path, longest_px)).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def _fitted(size: tuple[int, int], longest_px: int) -> tuple[int, int]:
    scale = min(1.0, longest_px / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _in_srgb(image: Image.Image) -> Image.Image:
    """The image in sRGB, converted from its colour profile if it has one: phones often write Display P3."""
    if image.mode in _WIDE_GREY:
        return Image.fromarray((np.asarray(image) / 257).clip(0, 255).astype(np.uint8)).convert("RGB")
    profile = image.info.get("icc_profile")
    plain = image if image.mode in ("RGB", "L", "CMYK") else image.convert("RGB")
    return _converted(plain, profile) if profile else plain.convert("RGB")


def _converted(image: Image.Image, profile: bytes) -> Image.Image:
    """The image in sRGB; the values of one that its profile does not fit are taken as sRGB."""
    try:
        source, srgb = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, source, srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        converted = None
    return image.convert("RGB") if converted is None else converted


@lru_cache(maxsize=16)
def _keeps_colours(profile: bytes, mode: str) -> bool:
    """Whether a profile is that of sRGB, so that values mean the same without it."""
    levels = np.arange(0, 256, 17, dtype=np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    image = Image.fromarray(colours if mode == "RGB" else levels[None])
    values, converted = (
        np.asarray(one, np.int16) for one in (image.convert("RGB"), _converted(image, profile))
    )
    return int(np.abs(converted - values).max()) <= _SAME_COLOUR_LEVELS
