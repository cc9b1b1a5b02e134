"""Photos: a user's pictures as arrays, upright and in sRGB, no larger than is looked at.

In: files of the formats that Pillow reads. Out: (h, w, 3) uint8. The camera's note of which side is
up (EXIF) and the colour profile are honoured; transparency is not. Nothing is written.
"""

from __future__ import annotations

import struct
import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from blendgen.files.image_size import size_fault
from blendgen.files.regular_file import open_regular

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp")
UNREADABLE = (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError)
_SMALL_PX = 64
_WIDE_GREY = ("I", "I;16", "I;16B", "I;16L", "I;16N")


def photo_fault(path: Path) -> str | None:
    """Why a photo cannot be used, None for a sound one; it is read to its end."""
    try:
        read_photo(path, _SMALL_PX)
    except UnidentifiedImageError:
        return "not a picture"
    except Image.DecompressionBombError:
        return "it has too many pixels"
    except UNREADABLE as error:
        return getattr(error, "strerror", None) or str(error) or type(error).__name__
    return None


def read_photo(path: Path, longest_px: int) -> np.ndarray:
    """(h, w, 3) uint8 sRGB, top row first, with its longer side at most longest_px.

    raises: one of UNREADABLE, as Pillow does
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of large pictures and odd EXIF blocks
        with open_regular(path) as file, Image.open(file) as image:
            fault = size_fault(image.size)
            if fault:
                raise ValueError(fault)
            # a JPEG is decoded at a fraction of its size, but never below what is wanted
            image.draft(None, (longest_px, longest_px))
            upright = _in_srgb(ImageOps.exif_transpose(image))
    size = _fitted(upright.size, longest_px)
    if size != upright.size:
        upright = upright.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(upright)


def _fitted(size: tuple[int, int], longest_px: int) -> tuple[int, int]:
    scale = min(1.0, longest_px / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _in_srgb(image: Image.Image) -> Image.Image:
    """The picture in sRGB, by its colour profile where it has one; phones often write Display P3."""
    if image.mode in _WIDE_GREY:
        return Image.fromarray((np.asarray(image) / 257).clip(0, 255).astype(np.uint8)).convert("RGB")
    profile = image.info.get("icc_profile")
    plain = image if image.mode in ("RGB", "L", "CMYK") else image.convert("RGB")
    if profile:
        try:
            given = ImageCms.ImageCmsProfile(BytesIO(profile))
            srgb = ImageCms.createProfile("sRGB")
            return ImageCms.profileToProfile(plain, given, srgb, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            pass  # a profile that does not fit the picture: its numbers are taken as sRGB
    return plain.convert("RGB")
