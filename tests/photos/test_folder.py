"""A folder of photos is read as a person would: upright, each photo once, broken files reported."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import ExifTags, Image

from blendgen.errors import UsageError
from blendgen.photos.folder import photo_folder


def picture(seed: int, size=(40, 30)) -> Image.Image:
    rng = np.random.Generator(np.random.PCG64(seed))
    return Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), np.uint8))


def read(place, longest_px=1000):
    photos = photo_folder(place)
    return {path.name: image for path, image in photos.images(longest_px)}, photos.left_out


def test_photos_of_all_folders_are_read_sorted_and_once(tmp_path):
    (tmp_path / "b").mkdir()
    picture(1).save(tmp_path / "b" / "one.png")
    picture(2).save(tmp_path / "two.jpg")
    (tmp_path / "zz copy.png").write_bytes((tmp_path / "b" / "one.png").read_bytes())
    images, left_out = read(tmp_path)
    assert list(images) == ["one.png", "two.jpg"]
    assert len(left_out) == 1 and "zz copy.png: is the same photo as one.png" in left_out[0]


def test_a_photo_is_turned_as_its_camera_was_held_and_shrunk(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    picture(3).save(tmp_path / "turned.jpg", exif=exif)
    assert read(tmp_path)[0]["turned.jpg"].shape == (40, 30, 3)
    assert read(tmp_path, 20)[0]["turned.jpg"].shape == (20, 15, 3)


def test_files_that_are_not_photos_or_are_damaged_are_reported(tmp_path):
    picture(4).save(tmp_path / "good.png")
    (tmp_path / "damaged.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    (tmp_path / "boxes.csv").write_text("a,b")
    (tmp_path / ".DS_Store").write_text("x")
    Image.new("P", (9, 9)).save(tmp_path / "moving.webp", save_all=True, append_images=[picture(5, (9, 9))])
    images, left_out = read(tmp_path)
    assert list(images) == ["good.png"]
    assert any("boxes.csv" in one for one in left_out) and not any("DS_Store" in one for one in left_out)
    assert any("damaged.jpg: cannot be read" in one for one in left_out)
    assert any("moving.webp: cannot be read: is animated" in one for one in left_out)


def test_a_single_photo_is_a_folder_of_one(tmp_path):
    picture(6).save(tmp_path / "one.png")
    assert list(read(tmp_path / "one.png")[0]) == ["one.png"]


@pytest.mark.parametrize(("name", "message"), [("none", "does not exist"), (".", "contains no photos")])
def test_a_place_without_photos_is_an_error(tmp_path, name, message):
    with pytest.raises(UsageError, match=message):
        photo_folder(tmp_path / name)


def test_a_folder_of_damaged_photos_is_an_error_with_the_reason(tmp_path):
    (tmp_path / "damaged.png").write_bytes(b"no png")
    photos = photo_folder(tmp_path)
    count = len(list(photos.images(100)))
    with pytest.raises(UsageError, match=r"no photo can be read\n.*damaged\.png.*not an image"):
        photos.require(count)
