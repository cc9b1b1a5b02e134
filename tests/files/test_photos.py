"""Photos are read upright, in sRGB, and no larger than requested."""

import struct
import sys

import numpy as np
import pytest
from PIL import Image, ImageCms

from blendgen.files import photos
from blendgen.files.photos import has_pages, is_plain, opened_photo, photo_fault, plain_png, read_photo

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


def plain(path):
    with opened_photo(path) as image:
        return is_plain(image)


def test_a_photo_with_floating_point_pixels_is_not_read_as_black(tmp_path):
    Image.fromarray(np.full((8, 8), 0.5, np.float32)).save(tmp_path / "a.tif")
    assert photo_fault(tmp_path / "a.tif") == (
        "has floating-point numbers as pixels; save it with 8 or 16 bits"
    )


@pytest.mark.parametrize(("mode", "white"), [("RGB", (200, 120, 40)), ("L", 120)])
def test_only_photos_with_another_profile_than_srgb_are_converted(tmp_path, mode, white):
    image, path = Image.new(mode, (8, 8), white), tmp_path / "a.jpg"
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (None, srgb, b"not a profile"):
        image.save(path, icc_profile=profile)
        assert plain(path)
    image.save(path, icc_profile=swapped_profile(), quality=98)
    assert plain(path) is (mode == "L")  # the profile is one of RGB, which does not fit grey
    path.write_bytes(plain_png(path))
    with Image.open(path) as written:
        assert written.mode == "RGB" and "icc_profile" not in written.info
        expected = (40, 120, 200) if mode == "RGB" else (120, 120, 120)
        assert np.abs(np.asarray(written, int) - expected).max() <= 4


def test_a_photo_with_previews_in_its_file_is_plain_and_read_alone(tmp_path):
    """Cameras write MPO under the name .jpg; readers of JPEG show its first image."""
    path, image = tmp_path / "a.jpg", Image.new("RGB", (8, 8), (200, 120, 40))
    image.save(path, "MPO", save_all=True, append_images=[Image.new("RGB", (4, 4))], quality=98)
    assert plain(path)
    with opened_photo(path) as opened:
        assert opened.n_frames == 2 and not has_pages(opened)
    assert np.abs(read_photo(path, 100).astype(int) - (200, 120, 40)).max() <= 4
    image.save(tmp_path / "a.gif", save_all=True, append_images=[Image.new("RGB", (8, 8))])
    with opened_photo(tmp_path / "a.gif") as opened:
        assert has_pages(opened)


def test_avif_is_read_upright(tmp_path):
    path = photo_with_red_corner(tmp_path / "a.avif", 6, quality=98)
    red = read_photo(path, 100)[..., 1] < 128
    assert red.shape == (20, 40) and red[2:8, 2:18].all() and not red[12:].any()
    assert photo_fault(path) is None and not plain(path)


@pytest.mark.parametrize("suffix", [".heic", ".jpg"])
def test_heic_is_read_upright_and_in_srgb(tmp_path, suffix):
    """Also under the name of a JPEG, as some programs export it."""
    heif = pytest.importorskip("pillow_heif", reason="pip install 'blendgen[heic]'")
    stored = np.full((40, 20, 3), (200, 120, 40), np.uint8)
    stored[20:, 10:] = 0  # bottom right; after a turn by 90 degrees to the right bottom left
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    file = heif.from_pillow(Image.fromarray(stored))
    path = tmp_path / f"a{suffix}"
    file.save(path, exif=exif.tobytes(), icc_profile=swapped_profile(), quality=95)
    rgb = read_photo(path, 100).astype(int)
    assert rgb.shape == (20, 40, 3) and rgb[12:18, 2:18].max() < 40
    assert np.abs(rgb[2:8, 22:38] - (40, 120, 200)).max() < 12
    assert photo_fault(path) is None and not plain(path)
    path.write_bytes(path.read_bytes()[:-200])
    assert photo_fault(path) == "damaged, or HEIC of a kind that pillow-heif cannot read"


def test_where_heic_cannot_be_read_the_fault_says_what_to_install(tmp_path, monkeypatch):
    photos._read_heic.cache_clear()
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    assert photo_fault(tmp_path / "a.heic") == "HEIC needs pillow-heif: pip install 'blendgen[heic]'"
    (tmp_path / "b.heic").write_bytes(b"\0\0\0\x18ftypqt  \0\0\0\0qt  ")
    assert photo_fault(tmp_path / "b.heic") == "not an image"
