"""Encode: finished arrays to the bytes of image files. Nothing is written to disk here.

Pillow encodes everything but the PNGs of photos and masks, which every image has: its search for the best
filter of each row takes longer than all else, and gains little over one filter for all rows.
source: W3C, Portable Network Graphics (third edition), sections 5, 9.2 and 11.2
"""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image, JpegImagePlugin

from blendgen.geometry.arrays import IdsHW, ImageHW3F32, ImageHW3U8, ImageHWF32
from blendgen.geometry.color import linear_to_srgb
from blendgen.spec.output import Output

DEPTH_STEP_M = 0.0001
SUFFIXES = {"png": ".png", "jpeg": ".jpg"}
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _TRUE_COLOR = 0, 2  # colour types
_UP, _AVERAGE = 2, 3  # filters
_MIN_ZEROS = 0.3  # share of zeros above which runs pay; pure noise has fewer


def encode_image(rgb_u8: ImageHW3U8, output: Output) -> bytes:
    """(h, w, 3) uint8 sRGB as PNG or JPEG bytes; the same input gives the same bytes."""
    if output.format == "png":
        return encode_photo_png(rgb_u8)
    return encode_jpeg(rgb_u8, output.jpeg_quality)


def encode_jpeg(
    rgb_u8: np.ndarray, quality: int, half_resolution_colors: bool = False, comment: bytes = b""
) -> bytes:
    """(h, w, 3) uint8 sRGB as JPEG bytes."""
    buffer = io.BytesIO()
    options = {"quality": quality, "subsampling": 2 if half_resolution_colors else 0}
    Image.fromarray(rgb_u8).save(buffer, "JPEG", **options, **({"comment": comment} if comment else {}))
    return buffer.getvalue()


def encode_like(rgb_u8: ImageHW3U8, original: bytes) -> bytes:
    """(h, w, 3) uint8 sRGB as bytes of the format of another file of ours; JPEG with the same quality."""
    with Image.open(io.BytesIO(original)) as image:
        if not isinstance(image, JpegImagePlugin.JpegImageFile):
            return encode_photo_png(rgb_u8)
        tables, subsampling = image.quantization, JpegImagePlugin.get_sampling(image)
    buffer = io.BytesIO()
    Image.fromarray(rgb_u8).save(buffer, "JPEG", qtables=tables, subsampling=subsampling)
    return buffer.getvalue()


def encode_photo_png(rgb_u8: ImageHW3U8) -> bytes:
    """(h, w, 3) uint8 as PNG bytes, for images with sensor noise: they have no repeated strings, and runs
    only where they are saturated or black."""
    height, width, channels = rgb_u8.shape
    rows = rgb_u8.reshape(height, width * channels)
    above, left = np.zeros_like(rows), np.zeros_like(rows)
    above[1:], left[:, channels:] = rows[:-1], rows[:, :-channels]
    mean = (above & left) + ((above ^ left) >> 1)  # rounded down, within 8 bits
    residual = rows - mean
    zeros = 1 - np.count_nonzero(residual) / residual.size
    strategy = zlib.Z_RLE if zeros > _MIN_ZEROS else zlib.Z_HUFFMAN_ONLY
    return _png(residual, width, 8, _TRUE_COLOR, _AVERAGE, strategy)


def _png(residual: np.ndarray, width: int, bits: int, color_type: int, row_filter: int, strategy) -> bytes:
    """(h, bytes per row) filtered uint8 as PNG bytes; strategy: of zlib."""
    height = len(residual)
    filtered = np.column_stack([np.full(height, row_filter, np.uint8), residual])
    packer = zlib.compressobj(1, strategy=strategy)
    header = struct.pack(">IIBBBBB", width, height, bits, color_type, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", packer.compress(filtered.data) + packer.flush()), (b"IEND", b"")
    return _PNG_SIGNATURE + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def encode_png(rgb_u8: ImageHW3U8) -> bytes:
    """(h, w, 3) or (h, w) uint8 as PNG bytes."""
    buffer = io.BytesIO()
    Image.fromarray(rgb_u8).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def encode_mask(instance_id: IdsHW) -> bytes:
    """(h, w) uint16 instance ids as a 16-bit grey PNG; most rows equal the row above, and have long runs."""
    rows = instance_id.astype(">u2", order="C").view(np.uint8).reshape(len(instance_id), -1)
    residual = rows.copy()
    residual[1:] -= rows[:-1]
    return _png(residual, instance_id.shape[1], 16, _GREY, _UP, zlib.Z_RLE)


def encode_semantic(semantic: IdsHW) -> bytes:
    """(h, w) uint8 or uint16 ids as a grey PNG with the same number of bits."""
    return encode_png(semantic) if semantic.dtype == np.uint8 else encode_mask(semantic)


def encode_albedo(albedo_linear: ImageHW3F32) -> bytes:
    """(h, w, 3) linear albedo as PNG bytes in sRGB."""
    return encode_png(np.rint(linear_to_srgb(np.clip(albedo_linear, 0, 1)) * 255).astype(np.uint8))


def encode_depth(depth_m: ImageHWF32) -> bytes:
    """(h, w) metres as a 16-bit grey PNG in steps of DEPTH_STEP_M; 0 for no hit or out of range."""
    steps = np.rint(np.where(np.isfinite(depth_m), depth_m, 0.0).astype(np.float64) / DEPTH_STEP_M)
    buffer = io.BytesIO()
    steps = np.where(steps <= 65535, steps, 0).astype(np.uint16)
    Image.fromarray(steps).save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()


def through_jpeg(rgb_u8: ImageHW3U8, quality: int) -> ImageHW3U8:
    """(h, w, 3) uint8 after the JPEG compression of a camera, with colours at half the resolution."""
    with Image.open(io.BytesIO(encode_jpeg(rgb_u8, quality, half_resolution_colors=True))) as picture:
        return np.array(picture)
