"""PNGs of photos and masks must hold the pixels that went in, whatever their size and content."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image

from blendgen.develop.encode import encode_mask, encode_photo_png, encode_png
from blendgen.streams import noise_stream

RAMP = np.add.outer(np.arange(48), np.arange(64)).astype(np.uint8)
NOISE = noise_stream(1, "test").integers(0, 256, (48, 64, 3), np.uint8)


@pytest.mark.parametrize(
    "rgb_u8",
    [
        NOISE,
        np.stack([RAMP, 255 - RAMP, RAMP // 2], axis=-1),
        np.zeros((48, 64, 3), np.uint8),
        np.full((1, 1, 3), 255, np.uint8),
        NOISE[:1],
        NOISE[:, :1],
        NOISE[::2, ::3],
        NOISE.transpose(1, 0, 2),
    ],
    ids=["noise", "ramp", "black", "pixel", "row", "column", "strided", "turned"],
)
def test_a_photo_comes_back_as_it_was(rgb_u8):
    data = encode_photo_png(rgb_u8)
    with Image.open(io.BytesIO(data)) as checked:
        checked.verify()  # the checksums
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(picture), rgb_u8)


MASK = np.repeat(np.repeat(np.array([[0, 1, 65535], [300, 0, 255]], np.uint16), 9, axis=0), 7, axis=1)


@pytest.mark.parametrize(
    "mask",
    [MASK, MASK.T, MASK[:1], MASK[:, :1], MASK[::2, ::3], np.full((1, 1), 65535, np.uint16),
     noise_stream(3, "test").integers(0, 65536, (31, 33), np.uint16)],
    ids=["areas", "turned", "row", "column", "strided", "pixel", "noise"],
)  # fmt: skip
def test_a_mask_comes_back_as_it_was(mask):
    with Image.open(io.BytesIO(encode_mask(mask))) as checked:
        checked.verify()
    with Image.open(io.BytesIO(encode_mask(mask))) as picture:
        assert picture.mode == "I;16"
        np.testing.assert_array_equal(np.asarray(picture), mask)


def test_a_mask_is_small():
    assert len(encode_mask(np.kron(MASK, np.ones((10, 10), np.uint16)))) < 1500


def test_a_broken_photo_is_noticed():
    data = bytearray(encode_photo_png(NOISE))
    data[len(data) // 2] ^= 1
    with Image.open(io.BytesIO(data)) as picture, pytest.raises((OSError, SyntaxError, zlib.error)):
        picture.verify()


def test_a_noisy_photo_is_no_larger_than_with_a_filter_chosen_for_each_row():
    smooth = np.add.outer(np.linspace(20, 160, 96), np.linspace(0, 60, 96))[..., None]
    noisy = smooth + 6 * noise_stream(2, "test").standard_normal((96, 96, 3))
    photo = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    assert len(encode_photo_png(photo)) < len(encode_png(photo))
