"""Pictures are developed, and files encoded, as before, unless PIXELS_VERSION says otherwise."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.golden import pictures, sheet
from tests.golden.sheet import RENEW


def test_every_sensor_preset_develops_the_same_picture_as_before():
    before, now = pictures.golden(), pictures.developed()
    lines = sheet.name_differences(before, now) + pictures.differences(before, now)
    assert not lines, "\n".join([RENEW, *lines])


def test_files_are_encoded_to_the_same_bytes_as_before():
    before = json.loads(pictures.FILES.read_text("utf-8"))
    if before["libraries"] != pictures.libraries():
        pytest.skip(f"files were encoded with {before['libraries']}, here is {pictures.libraries()}")
    now = pictures.encoded()["files"]
    lines = [name for name in now if now[name] != before["files"].get(name)]
    assert not lines, "\n".join([RENEW, *lines])


def test_a_difference_says_how_much():
    before = {"ideal": np.zeros((36, 48, 3), np.uint8), "gone": np.zeros((36, 48, 3), np.uint8)}
    now = {"ideal": before["ideal"].copy()}
    now["ideal"][:9, :, 1] = 3
    assert pictures.differences(before, now) == ["ideal: 25% of the pixels, by 3 of 255 at most"]
    assert pictures.differences(before, before) == []
    assert sheet.name_differences(before, now) == ["gone: is gone"]


def test_a_sheet_has_the_pictures_that_were_written_and_those_of_other_versions(tmp_path, monkeypatch):
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


def test_psnr_is_that_of_8_bits():
    dark = np.zeros((4, 4, 3), np.uint8)
    assert sheet.psnr_db(dark, dark) == float("inf")
    assert sheet.psnr_db(dark, dark + 255) == 0.0
    assert sheet.psnr_db(dark, dark + 1) == pytest.approx(48.13, abs=0.01)
