"""Maps of marks are drawn once a machine, also by several processes at once, and without a cache."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("bpy")

from blendgen.engine.blender.shading import tile_images, tile_patterns

SIDE = 16
TEXELS = np.arange(SIDE * SIDE * 4, dtype=np.uint8).reshape(SIDE, SIDE, 4)
RACE = """
import sys, time
from pathlib import Path
from blendgen.engine.blender.shading import tile_images, tile_patterns
Path(sys.argv[1], sys.argv[2]).touch()
while len(list(Path(sys.argv[1]).iterdir())) < 3:
    time.sleep(0.01)
drawn = tile_images._texels(tile_images.FINE)
assert (drawn == tile_patterns.fine_tile()).all()
"""


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """A small map in place of a large one, and a list that grows each time it is drawn."""
    times = []
    monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(tile_patterns, "SIDE_PX", SIDE)
    monkeypatch.setitem(tile_images._DRAW, tile_images.DUST, lambda: times.append(1) or TEXELS)
    return times


def files(tmp_path):
    return [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_a_map_is_drawn_once(drawn, tmp_path):
    for _ in range(3):
        assert np.array_equal(tile_images._texels(tile_images.DUST), TEXELS)
    assert len(drawn) == 1
    assert [path.name for path in files(tmp_path)] == ["tile.dust.npy"]


@pytest.mark.parametrize("damage", [b"", b"PK\x05\x06" + bytes(18), "half", "other"])
def test_a_damaged_map_is_drawn_again_and_replaced(drawn, tmp_path, damage):
    tile_images._texels(tile_images.DUST)
    (file,) = files(tmp_path)
    whole = file.read_bytes()
    if damage == "other":
        np.save(file, TEXELS.astype(float))
    else:
        file.write_bytes(whole[: len(whole) // 2] if damage == "half" else damage)
    assert np.array_equal(tile_images._texels(tile_images.DUST), TEXELS)
    assert len(drawn) == 2
    assert file.read_bytes() == whole


def test_without_a_folder_to_write_to_a_map_is_drawn(drawn, tmp_path):
    (tmp_path / "cache").write_text("a file, so that nobody can create a folder here")
    for _ in range(2):
        assert np.array_equal(tile_images._texels(tile_images.DUST), TEXELS)
    assert len(drawn) == 2


@pytest.mark.slow
def test_processes_that_draw_a_map_at_once_leave_one_whole_file(tmp_path):
    ready = tmp_path / "ready"
    ready.mkdir()
    environment = os.environ | {"BLENDGEN_CACHE_DIR": str(tmp_path / "cache")}
    started = [
        subprocess.Popen([sys.executable, "-c", RACE, str(ready), str(number)], env=environment)
        for number in range(3)
    ]
    assert [process.wait(timeout=600) for process in started] == [0, 0, 0]
    (file,) = files(tmp_path)
    assert file.name == "tile.fine.npy"
    assert np.array_equal(np.load(file), tile_patterns.fine_tile())


def test_a_halved_map_has_the_mean_and_the_amount_of_the_strongest_mark():
    texels = np.zeros((2, 2, 4), np.uint8)
    texels[..., 0] = [[0, 100], [60, 240]]
    texels[..., 1] = [[0, 200], [0, 40]]
    texels[..., 2] = [[255, 90], [255, 70]]
    assert tile_patterns.halved(texels, ((1, 2),)).tolist() == [[[100, 60, 90, 0]]]
    texels[..., 1] = 0
    assert tile_patterns.halved(texels, ((1, 2),))[0, 0, 2] == 70


def test_a_halved_map_knows_the_amount_around_a_mark():
    """Two texels in all directions, also past the sides of the map; the mark itself stays as strong."""
    texels = np.full((16, 16, 4), (0, 0, 255, 0), np.uint8)
    texels[:2, :2, 1:3] = 200, 30
    half = tile_patterns.halved(texels, ((1, 2),))
    near = np.array([0, 1, 2, 6, 7])
    expected = np.full((8, 8), 255)
    expected[np.ix_(near, near)] = 30
    assert np.array_equal(half[..., 2], expected)
    assert half[0, 0, 1] == 200 and half[..., 1].sum() == 200


def test_a_map_has_the_detail_that_the_camera_resolves(drawn):
    texel_m = tile_images._LEVELS[tile_images.DUST].texel_m
    levels = [
        tile_images._level(tile_images.DUST, share * texel_m) for share in (1.0, 3.9, 4.0, 7.9, 8.0, 99)
    ]
    assert levels == [0, 0, 1, 1, 2, 2]
    assert tile_images._level(tile_images.SLOW, 1.0) == 0
    small = tile_images._texels(tile_images.DUST, 1)
    assert np.array_equal(small, tile_patterns.halved(TEXELS, ((1, 2),)))
    assert np.array_equal(tile_images._texels(tile_images.DUST, 1), small)
    assert len(drawn) == 1
