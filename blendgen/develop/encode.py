"""Encode: finished arrays to the bytes of image files, through Pillow. No disk here."""

from __future__ import annotations

import io
import zlib

import numpy as np
from PIL import Image

from blendgen.color import linear_to_srgb
from blendgen.spec.output import Output

DEPTH_STEP_M = 0.0001
SUFFIXES = {"png": ".png", "jpeg": ".jpg"}


def encode_image(rgb_u8: np.ndarray, output: Output) -> bytes:
    """(h, w, 3) uint8 sRGB as PNG or JPEG bytes; the same input gives the same bytes."""
    if output.format == "png":
        # sensor noise holds no strings to find: without the search files are smaller, and sooner there
        return encode_png(rgb_u8, zlib.Z_RLE)
    return encode_jpeg(rgb_u8, output.jpeg_quality)


def encode_jpeg(rgb_u8: np.ndarray, quality: int, half_resolution_colors: bool = False) -> bytes:
    """(h, w, 3) uint8 sRGB as JPEG bytes."""
    buffer = io.BytesIO()
    subsampling = 2 if half_resolution_colors else 0
    Image.fromarray(rgb_u8).save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    return buffer.getvalue()


def encode_png(rgb_u8: np.ndarray, strategy: int = zlib.Z_DEFAULT_STRATEGY) -> bytes:
    """(h, w, 3) or (h, w) uint8 as PNG bytes; strategy: one of zlib's."""
    buffer = io.BytesIO()
    Image.fromarray(rgb_u8).save(buffer, "PNG", compress_level=1, compress_type=strategy)
    return buffer.getvalue()


def encode_mask(instance_id: np.ndarray) -> bytes:
    """(h, w) uint16 instance ids as a 16-bit grey PNG."""
    return _grey_16_bit(instance_id, compress_level=1, compress_type=zlib.Z_RLE)  # runs of equal ids


def encode_classes(class_id: np.ndarray) -> bytes:
    """(h, w) uint8 or uint16 ids as a grey PNG of as many bits."""
    return encode_png(class_id) if class_id.dtype == np.uint8 else encode_mask(class_id)


def encode_albedo(albedo_linear: np.ndarray) -> bytes:
    """(h, w, 3) linear shares as sRGB PNG bytes."""
    return encode_png(np.rint(linear_to_srgb(np.clip(albedo_linear, 0, 1)) * 255).astype(np.uint8))


def encode_depth(depth_m: np.ndarray) -> bytes:
    """(h, w) metres as a 16-bit grey PNG in steps of DEPTH_STEP_M; 0 where nothing was hit, or too far."""
    steps = np.rint(np.where(np.isfinite(depth_m), depth_m, 0.0).astype(np.float64) / DEPTH_STEP_M)
    return _grey_16_bit(np.where(steps <= 65535, steps, 0), compress_level=6)


def _grey_16_bit(values: np.ndarray, **compression) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(values.astype(np.uint16)).save(buffer, "PNG", **compression)
    return buffer.getvalue()


def through_jpeg(rgb_u8: np.ndarray, quality: int) -> np.ndarray:
    """(h, w, 3) uint8 as it looks after a camera's JPEG, colours at half the resolution."""
    with Image.open(io.BytesIO(encode_jpeg(rgb_u8, quality, half_resolution_colors=True))) as picture:
        return np.array(picture)
