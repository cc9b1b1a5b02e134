"""EXIF: what the camera wrote into a photo about itself. Values come from strangers: odd ones are dropped."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import ExifTags

from blendgen.files.photos import IMAGE_ERRORS, opened_photo

_ODD = (*IMAGE_ERRORS, TypeError, ZeroDivisionError, KeyError, OverflowError)
_LONGEST_NAME = 60


@dataclass(frozen=True)
class Exif:
    """size: (width, height) as stored, before the orientation is applied; camera: its model, "" if not stated

    the others None if not stated
    """

    size: tuple[int, int]
    focal_length_mm: float | None = None
    focal_length_35mm: float | None = None
    exposure_time_s: float | None = None
    camera: str = ""


def read_exif(path: Path) -> Exif:
    """raises: one of IMAGE_ERRORS if this is not a photo; nothing for damaged EXIF data"""
    with opened_photo(path) as image:
        size = image.size
        try:
            exif = image.getexif()
            camera = str(exif.get(ExifTags.Base.Model, "")).strip("\0 ")[:_LONGEST_NAME]
            tags = exif.get_ifd(ExifTags.IFD.Exif)
        except _ODD:
            return Exif(size)
    return Exif(
        size,
        _number(tags, ExifTags.Base.FocalLength, 0.5, 2000),
        _number(tags, ExifTags.Base.FocalLengthIn35mmFilm, 5, 1200),
        _number(tags, ExifTags.Base.ExposureTime, 2e-6, 30),
        camera,
    )


def _number(tags: dict[int, Any], tag: int, low: float, high: float) -> float | None:
    """A number within bounds, else None."""
    try:
        value = float(tags[tag])
    except _ODD:
        return None
    return value if math.isfinite(value) and low <= value <= high else None
