"""Pictures are developed, and files encoded, as before, unless PIXELS_VERSION says otherwise."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.golden import pictures, renders, sheet, shots
from tests.golden.sheet import RENEW
from tests.golden.test_renders import FAMILIES


def test_every_sensor_preset_develops_the_same_picture_as_before():
    before, now = pictures.golden(), pictures.developed()
    lines = sheet.name_differences(before, now) + pictures.differences(before, now)
    assert not lines, "\n".join([RENEW, *lines])


@pytest.fixture(scope="module")
def encoded():
    return pictures.encoded()


def test_files_decode_to_the_same_pixels_as_before(encoded):
    before = json.loads(pictures.FILES.read_text("utf-8"))
    lines = pictures.file_differences(before["files"], encoded["files"], "pixels")
    assert not lines, "\n".join([RENEW, *lines])


def test_the_library_that_packs_each_file_is_known(encoded):
    packed = [name for names in pictures.PACKED_BY.values() for name in names]
    assert sorted(packed) == sorted(encoded["files"]) and set(pictures.PACKED_BY) == set(pictures.libraries())


@pytest.mark.parametrize("library", pictures.libraries())
def test_files_are_encoded_to_the_same_bytes_as_before(encoded, library):
    before = json.loads(pictures.FILES.read_text("utf-8"))
    if before["libraries"][library] != encoded["libraries"][library]:
        pytest.skip(f"{library} was {before['libraries'][library]}, here is {encoded['libraries'][library]}")
    ours, now = (
        {name: file for name, file in files.items() if name in pictures.PACKED_BY[library]}
        for files in (before["files"], encoded["files"])
    )
    lines = pictures.file_differences(ours, now, "bytes")
    assert now and not lines, "\n".join([RENEW, *lines])


def test_a_file_that_differs_is_new_or_is_gone_is_reported():
    old, new = {"bytes": "a", "pixels": "b"}, {"bytes": "c", "pixels": "b"}
    assert pictures.file_differences({"mask": old, "depth": old}, {"mask": new, "nocs": new}, "bytes") == [
        "depth: is gone",
        "mask: other bytes",
        "nocs: is new",
    ]
    assert pictures.file_differences({"mask": old}, {"mask": new}, "pixels") == []


@pytest.mark.parametrize(
    ("file", "size"),
    [(pictures.SHEET, pictures.SIZE), *((renders.FOLDER / f"{f}.png", renders.SIZE) for f in FAMILIES)],
)
def test_a_picture_of_another_version_of_blender_is_also_one_of_this_version(file, size):
    every = sheet.read_sheet(file, *size)
    assert {name.partition(" (Blender ")[0] for name in every} == set(sheet.of_this_version(every))


def test_every_golden_file_is_compared_with_what_is_made_now():
    written = {pictures.SHEET, pictures.FILES, *(group.file for group in shots.GROUPS)}
    written |= {renders.FOLDER / f"{family}.png" for family in FAMILIES}
    folder = pictures.SHEET.parent
    assert {*folder.rglob("*.png"), *folder.rglob("*.json")} == written


def test_a_difference_says_how_much():
    before = {"ideal": np.zeros((36, 48, 3), np.uint8), "gone": np.zeros((36, 48, 3), np.uint8)}
    now = {"ideal": before["ideal"].copy()}
    now["ideal"][:9, :, 1] = 3
    assert pictures.differences(before, now) == ["ideal: 25% of the pixels, by 3 of 255 at most"]
    assert pictures.differences(before, before) == []
    assert sheet.name_differences(before, now) == ["gone: is gone"]


def test_a_sheet_has_the_pictures_that_were_written_and_the_same_of_other_versions(tmp_path, monkeypatch):
    tiles = {f"tile {i:02}": np.full((4, 6, 3), i, np.uint8) for i in range(11)}
    file = tmp_path / "sheet.png"
    for version, shift in (("4.5.3", 0), ("5.2.0", 100)):
        monkeypatch.setattr(sheet, "blender_version", lambda version=version: version)
        sheet.write_sheet(file, {name: tile + shift for name, tile in tiles.items()}, ["tile 03"])
    every = sheet.read_sheet(file, 4, 6)
    assert len(every) == 12 and every["tile 03 (Blender 4.5)"].max() == 3
    mine = sheet.of_this_version(every)
    assert list(mine) == list(tiles)
    assert all(np.array_equal(mine[name], tile + 100) for name, tile in tiles.items())
    sheet.write_sheet(file, {"tile 00": tiles["tile 00"]})
    assert list(sheet.read_sheet(file, 4, 6)) == ["tile 00"]


def test_psnr_is_that_of_8_bits():
    dark = np.zeros((4, 4, 3), np.uint8)
    assert sheet.psnr_db(dark, dark) == float("inf")
    assert sheet.psnr_db(dark, dark + 255) == 0.0
    assert sheet.psnr_db(dark, dark + 1) == pytest.approx(48.13, abs=0.01)
