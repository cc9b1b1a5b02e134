"""Tone curves: a colour chart comes out of `develop` as Blender itself saves it with the same view."""

from typing import get_args

import numpy as np
import pytest
from PIL import Image

from blendgen.develop.develop import finish
from blendgen.geometry.color import hex_to_linear, hex_to_srgb
from blendgen.spec.sensor import View
from tests.develop.cameras import camera, exposure, sensor_of

bpy = pytest.importorskip("bpy")

# the 24 patches of a ColorChecker, in sRGB (X-Rite, before November 2014)
PATCHES = [
    "735244", "c29682", "627a9d", "576c43", "8580b1", "67bdaa",
    "d67e2c", "505ba6", "c15a63", "5e3c6c", "9dbc40", "e0a32e",
    "383d96", "469449", "af363c", "e7c71f", "bb5695", "0885a1",
    "f3f3f2", "c8c8c8", "a0a0a0", "7a7a79", "555555", "343434",
]  # fmt: skip
SRGB_U8 = np.round([np.array(hex_to_srgb(f"#{patch}")) * 255 for patch in PATCHES]).astype(int)
CHART = np.zeros((48, 64, 3), np.float32)  # the rest is black
MIDDLES = [(8 * row + 4, 8 * column + 4) for row in range(4) for column in range(6)]
for (y, x), patch in zip(MIDDLES, PATCHES, strict=True):
    CHART[y - 4 : y + 4, x - 4 : x + 4] = hex_to_linear(f"#{patch}")


@pytest.fixture
def saved_by_blender(tmp_path):
    """(linear light (h, w, 3), view) -> (h, w, 3) int, as Blender saves it."""
    scene = bpy.data.scenes.new("chart")
    scene.display_settings.display_device = "sRGB"
    scene.render.dither_intensity = 0
    settings = scene.render.image_settings
    settings.file_format, settings.color_mode, settings.color_depth = "PNG", "RGB", "8"

    def save(light, view):
        height, width = light.shape[:2]
        image = bpy.data.images.new("chart", width, height, float_buffer=True)
        image.pixels.foreach_set(np.dstack([light[::-1], np.ones((height, width), np.float32)]).ravel())
        image.update()
        scene.view_settings.view_transform = view
        image.save_render(str(tmp_path / "chart.png"), scene=scene)
        bpy.data.images.remove(image)
        with Image.open(tmp_path / "chart.png") as saved:
            return np.array(saved.convert("RGB")).astype(int)

    yield save
    bpy.data.scenes.remove(scene)


@pytest.mark.parametrize("view", get_args(View))
def test_a_chart_is_developed_as_blender_saves_it(saved_by_blender, view):
    for gain in (0.1, 1.0):
        taken = exposure(sensor_of("ideal", view=view), camera_gain=gain)
        developed = finish(CHART, camera(), taken, noise=False).astype(int)
        saved = saved_by_blender(CHART * np.float32(gain), view)
        assert np.abs(developed - saved).max() <= 1


def test_the_standard_view_returns_the_colours_of_the_chart():
    developed = finish(CHART, camera(), exposure(), noise=False).astype(int)
    patches = np.array([developed[place] for place in MIDDLES])
    assert np.abs(patches - SRGB_U8).max() <= 1
