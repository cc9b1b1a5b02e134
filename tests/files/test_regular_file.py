"""Only regular files up to a size limit are opened, and only images up to a number of pixels decoded."""

from __future__ import annotations

import os
import struct
import zlib

import pytest
from PIL import Image

from blendgen.errors import SpecError
from blendgen.files.image_size import header_fault, size_fault
from blendgen.files.photos import photo_fault
from blendgen.files.regular_file import open_regular, read_bounded
from blendgen.models.recolor import read_table
from blendgen.models.sidecar.find import is_spec
from blendgen.models.sidecar.read import read_sidecar
from blendgen.spec.pictures import _panorama_fault


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b"")


def exr(right: int, bottom: int) -> bytes:
    window = struct.pack("<4i", 0, 0, right, bottom)
    return b"\x76\x2f\x31\x01\x02\0\0\0dataWindow\0box2i\0\x10\0\0\0" + window + b"\0"


@pytest.fixture(params=["pipe", "device", "folder"])
def irregular(request, tmp_path):
    path = tmp_path / "odd.yaml"
    if request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    return path


def test_an_irregular_file_is_not_opened_and_does_not_block(irregular, tmp_path):
    with pytest.raises(OSError, match="not a regular file"):
        open_regular(irregular)
    with pytest.raises(SpecError, match=r"cannot be read: (not a regular file|it is a link that leads out)"):
        read_table(irregular)
    with pytest.raises(SpecError, match=r"cannot be read: (not a regular file|a link that leads out)"):
        read_sidecar(irregular, "odd.yaml", tmp_path / "odd.glb")
    assert not is_spec(irregular)
    assert photo_fault(irregular) == "not a regular file"
    panorama = irregular.rename(irregular.with_suffix(".hdr"))
    assert _panorama_fault(panorama) == "not a regular file"


def test_a_text_that_is_too_large_is_not_read(tmp_path):
    with (tmp_path / "a.yaml").open("wb") as file:
        file.truncate(2**33)
    with pytest.raises(OSError, match="larger than 4 MB"):
        read_bounded(tmp_path / "a.yaml")
    with pytest.raises(SpecError, match="larger than 4 MB"):
        read_table(tmp_path / "a.yaml")


@pytest.mark.parametrize(
    "size, accepted", [((16_384, 16_384), True), ((16_385, 1), False), ((60_000, 60_000), False)]
)
def test_the_largest_image_size(size, accepted):
    assert (size_fault(size) is None) == accepted
    assert (header_fault(png(*size)) is None) == accepted
    assert (header_fault(exr(size[0] - 1, size[1] - 1)) is None) == accepted
    hdr = f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y {size[1]} +X {size[0]}\n".encode()
    assert (header_fault(hdr) is None) == accepted


@pytest.mark.parametrize("limit", [7, None])
def test_the_limit_of_the_program_is_neither_used_nor_changed(monkeypatch, tmp_path, limit):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    (tmp_path / "a.png").write_bytes(png(20_000, 20_000))
    Image.new("RGB", (8, 8)).save(tmp_path / "b.png")
    assert header_fault(png(16_384, 16_384)) is None and photo_fault(tmp_path / "b.png") is None
    assert photo_fault(tmp_path / "a.png") == "it has too many pixels"
    assert limit == Image.MAX_IMAGE_PIXELS


def test_a_huge_photo_is_a_fault_and_not_a_traceback(tmp_path):
    (tmp_path / "a.png").write_bytes(png(60_000, 60_000))
    (tmp_path / "b.png").write_bytes(png(20_000, 10))
    assert "too many pixels" in photo_fault(tmp_path / "a.png")
    assert "20,000 x 10 pixels are too many" in photo_fault(tmp_path / "b.png")
    (tmp_path / "c.exr").write_bytes(exr(99_999, 9))
    assert "100,000 x 10 pixels" in _panorama_fault(tmp_path / "c.exr")
