"""Photos are read upright, in sRGB, and no larger than requested."""

import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from blendgen.files.photos import photo_fault, read_photo

ORIENTATION = 274


def photo_with_red_corner(path, orientation: int, **options):
    """A photo of 40 x 20 pixels, its top left quarter red, stored rotated as its EXIF orientation says."""
    upright = np.full((20, 40, 3), 255, np.uint8)
    upright[:10, :20] = (255, 0, 0)
    stored = {1: upright, 3: upright[::-1, ::-1], 6: np.rot90(upright), 8: np.rot90(upright, -1)}[orientation]
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif, **options)
    return path


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_photos_are_upright_for_every_exif_orientation(tmp_path, orientation, suffix):
    rgb = read_photo(photo_with_red_corner(tmp_path / f"a{suffix}", orientation), 1000)
    assert rgb.shape == (20, 40, 3) and rgb.dtype == np.uint8
    red = rgb[..., 1] < 128
    assert red[2:8, 2:18].all() and not red[12:].any() and not red[:, 22:].any()


@pytest.mark.parametrize("longest", [20, 7, 1000])
def test_photos_are_no_larger_than_requested_and_keep_their_aspect_ratio(tmp_path, longest):
    rgb = read_photo(photo_with_red_corner(tmp_path / "a.jpg", 6), longest)
    assert max(rgb.shape) == min(longest, 40) and abs(rgb.shape[1] / rgb.shape[0] - 2) < 0.5


def swapped_profile() -> bytes:
    """sRGB with its red and blue primaries exchanged."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    (count,) = struct.unpack_from(">I", profile, 128)
    entries = [struct.unpack_from(">4sII", profile, 132 + 12 * i) for i in range(count)]
    place = {name: slice(offset, offset + size) for name, offset, size in entries}
    red, blue = profile[place[b"rXYZ"]], profile[place[b"bXYZ"]]
    profile[place[b"rXYZ"]], profile[place[b"bXYZ"]] = blue, red
    return bytes(profile)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_the_colour_profile_is_applied_if_it_fits(tmp_path, suffix):
    image, path = Image.new("RGB", (8, 8), (200, 120, 40)), tmp_path / f"a{suffix}"
    unfit = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB", 6500)).tobytes()
    for profile, expected in ((swapped_profile(), (40, 120, 200)), (unfit, (200, 120, 40))):
        image.save(path, icc_profile=profile, quality=98)
        assert np.abs(read_photo(path, 8).astype(int) - expected).max() <= 4


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "CMYK", "I;16"])
def test_every_image_mode_becomes_rgb(tmp_path, mode):
    if mode == "I;16":
        image = Image.fromarray(np.full((4, 6), 65535, np.uint16))
    else:
        image = Image.new("RGB", (6, 4), "white").convert(mode)
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    image.save(path)
    assert (read_photo(path, 10) == 255).all() and read_photo(path, 10).shape == (4, 6, 3)


def test_only_broken_photos_have_a_fault(tmp_path):
    intact = photo_with_red_corner(tmp_path / "a.jpg", 1)
    assert photo_fault(intact) is None
    (tmp_path / "cut.jpg").write_bytes(intact.read_bytes()[:-150])
    (tmp_path / "text.jpg").write_text("hello")
    (tmp_path / "empty.png").touch()
    assert all(photo_fault(tmp_path / name) for name in ("cut.jpg", "text.jpg", "empty.png", "gone.jpg"))
