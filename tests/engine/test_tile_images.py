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
