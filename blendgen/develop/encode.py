"""Encode: finished arrays to the bytes of image files, through Pillow. No disk here."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from blendgen.spec.model import Output

SUFFIXES = {"png": ".png", "jpeg": ".jpg"}


def encode_image(rgb_u8: np.ndarray, output: Output) -> bytes:
    """(h, w, 3) uint8 sRGB as PNG or JPEG bytes; the same input gives the same bytes."""
    buffer = io.BytesIO()
    image = Image.fromarray(rgb_u8)
    if output.format == "jpeg":
        image.save(buffer, "JPEG", quality=output.jpeg_quality, subsampling=0)
    else:
        image.save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()


def encode_mask(instance_id: np.ndarray) -> bytes:
    """(h, w) uint16 instance ids as a 16-bit grey PNG."""
    buffer = io.BytesIO()
    Image.fromarray(instance_id.astype(np.uint16)).save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()
