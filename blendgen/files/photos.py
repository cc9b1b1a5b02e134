"""Photos: images of a user as arrays: upright, in sRGB, no larger than needed.

In: files of the formats that Pillow reads. Out: (h, w, 3) uint8. The EXIF orientation and the colour
profile are applied; transparency is ignored.
"""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError

from blendgen.files.image_size import own_pixel_limit, size_fault
from blendgen.files.regular_file import open_regular

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp")
# what Pillow raises for a file that it cannot decode
IMAGE_ERRORS = (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError)
_PLAIN_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
_SMALL_PX = 64
_WIDE_GREY = ("I", "I;16", "I;16B", "I;16L", "I;16N")


def photo_fault(path: Path) -> str | None:
    """Why a photo cannot be used, or None; reads the whole file."""
    try:
        read_photo(path, _SMALL_PX)
    except UnidentifiedImageError:
        return "not an image"
    except Image.DecompressionBombError:
        return "it has too many pixels"
    except IMAGE_ERRORS as error:
        return getattr(error, "strerror", None) or str(error) or type(error).__name__
    return None


def read_photo(path: Path, longest_px: int) -> np.ndarray:
    """(h, w, 3) uint8 sRGB, top row first, with its longer side at most longest_px.

    raises: one of IMAGE_ERRORS
    """
    with open_regular(path) as file, own_pixel_limit(), Image.open(file) as image:
        fault = size_fault(image.size)
        if fault:
            raise ValueError(fault)
        # decode a JPEG at a fraction of its size, but not smaller than longest_px
        image.draft(None, (longest_px, longest_px))
        upright = _in_srgb(ImageOps.exif_transpose(image))
    size = _fitted(upright.size, longest_px)
    if size != upright.size:
        upright = upright.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(upright)


def is_plain(image: Image.Image) -> bool:
    """Whether all loaders read the file of an open image as read_photo does: upright, 8 bits, grey or RGB."""
    upright = image.getexif().get(ExifTags.Base.Orientation, 1) == 1
    return upright and image.mode in ("RGB", "L") and image.format in _PLAIN_FORMATS


def plain_png(path: Path) -> bytes:
    """The photo as a PNG that all loaders read in the same way; raises one of IMAGE_ERRORS."""
    with own_pixel_limit(), Image.open(path) as image:
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
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            srgb = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(plain, source, srgb, outputMode="RGB")
            return converted if converted is not None else plain.convert("RGB")
        except (ImageCms.PyCMSError, OSError):
            pass  # the profile does not fit the image: its values are taken as sRGB
    return plain.convert("RGB")
