"""EXR: encode label images of real numbers as OpenEXR files, and decode them."""

from __future__ import annotations

import io
import os
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from blendgen.geometry.arrays import ImageHW3F32


def encode_exr(channels: dict[str, np.ndarray]) -> bytes:
    """Channels (h, w), float16 or float32, as a file with ZIP compression."""
    import OpenEXR

    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    buffer = io.BytesIO()
    layers = {name: np.ascontiguousarray(values) for name, values in channels.items()}
    OpenEXR.File(header, layers).write(buffer)
    return buffer.getvalue()


def encode_vectors(vectors: ImageHW3F32) -> bytes:
    """(h, w, 3) as a file with the channels R, G and B, 32 bit."""
    return encode_exr({name: vectors[..., i].astype(np.float32) for i, name in enumerate("RGB")})


def decode_exr(data: bytes, max_pixels: int | None = None) -> dict[str, np.ndarray]:
    """Channels (h, w) of the bytes of a file.

    max_pixels: a file that claims more is not decoded
    raises: ValueError for a file that is damaged, or is not OpenEXR
    """
    import OpenEXR

    try:
        if max_pixels is not None and _claimed_pixels(data) > max_pixels:
            raise ValueError(f"claims more than {max_pixels} pixels")
        with _nothing_on_stdout(), OpenEXR.File(io.BytesIO(data), separate_channels=True) as file:
            return {name: channel.pixels for name, channel in file.channels().items()}
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"not an OpenEXR file: {error}") from None


def _claimed_pixels(data: bytes) -> int:
    """Pixels of the data window in the header; source: OpenEXR File Layout, "dataWindow box2i"."""
    start = data.find(b"dataWindow\0box2i\0\x10\0\0\0")
    if not data.startswith(b"v/1\x01") or start < 0 or len(data) < start + 37:
        raise ValueError("not an OpenEXR file")
    left, top, right, bottom = struct.unpack_from("<4i", data, start + 21)
    return max(0, right - left + 1) * max(0, bottom - top + 1)


@contextmanager
def _nothing_on_stdout() -> Iterator[None]:
    """The library warns of broken files on file descriptor 1, where another program may read JSON."""
    sys.stdout.flush()
    stdout = os.dup(1)
    try:
        os.dup2(2, 1)
        yield
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)
