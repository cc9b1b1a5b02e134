"""Image size: the pixels that the header of an image file declares, and the largest size that is decoded.

A file of a few bytes can declare billions of pixels, and its decoder would allocate memory for all of them.
"""

from __future__ import annotations

import re
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from blendgen.files.regular_file import open_regular

MAX_PX = 16_384  # per side
MAX_PIXELS = 2**28
_HEADER_BYTES = 1 << 16
_EXR_MAGIC, _HDR_MAGIC = b"\x76\x2f\x31\x01", b"#?"
_EXR_WINDOW = re.compile(rb"dataWindow\0box2i\0\x10\0\0\0(.{16})", re.S)
_HDR_SIZE = re.compile(rb"\n[+-]([XY]) (\d{1,12}) [+-][XY] (\d{1,12})\s")
_LIMIT_LOCK = threading.RLock()


def size_fault(size: tuple[int, int]) -> str | None:
    """Why an image of (width, height) pixels is not decoded; None if it may be."""
    if max(size) <= MAX_PX and size[0] * size[1] <= MAX_PIXELS:
        return None
    return f"{size[0]:,} x {size[1]:,} pixels are too many; at most {MAX_PX:,} per side can be used"


@contextmanager
def own_pixel_limit() -> Iterator[None]:
    """Let Pillow refuse images of more than MAX_PIXELS inside the block, whatever limit the program has set.

    Warnings about large images and odd EXIF blocks are dropped.
    """
    with _LIMIT_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        limit = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2  # Pillow refuses twice as many
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def header_fault(file: Path | bytes) -> str | None:
    """`size_fault` of an image file or its bytes; None also if the header gives no size.

    raises: OSError where the file cannot be opened
    """
    if isinstance(file, bytes):
        return _fault(BytesIO(file))
    with open_regular(file) as stream:
        return _fault(stream)


def _fault(stream: BinaryIO) -> str | None:
    start = stream.read(_HEADER_BYTES)
    stream.seek(0)
    if start.startswith(_EXR_MAGIC):
        sizes = [_exr_size(match[1]) for match in _EXR_WINDOW.finditer(start)]
    elif start.startswith(_HDR_MAGIC):
        sizes = [_hdr_size(match) for match in _HDR_SIZE.finditer(start)][:1]
    else:
        return _pillow_fault(stream)
    return next((fault for size in sizes if (fault := size_fault(size))), None)


def _exr_size(window: bytes) -> tuple[int, int]:
    left, top, right, bottom = struct.unpack("<4i", window)
    return right - left + 1, bottom - top + 1


def _hdr_size(match: re.Match[bytes]) -> tuple[int, int]:
    first, second = int(match[2]), int(match[3])
    return (second, first) if match[1] == b"Y" else (first, second)


def _pillow_fault(stream: BinaryIO) -> str | None:
    try:
        with own_pixel_limit(), Image.open(stream) as image:
            return size_fault(image.size)
    except Image.DecompressionBombError:
        return f"more than {MAX_PIXELS:,} pixels are too many"
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, struct.error):
        return None  # its decoder reports the error
