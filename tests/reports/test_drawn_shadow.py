"""The shadow below a model that was rendered without a ground."""

from __future__ import annotations

import numpy as np
from PIL import Image

from blendgen.geometry.projection import inverse_rigid, look_at_rotation, rigid
from blendgen.reports.drawn_shadow import with_shadow

SIDE, GREY = 96, 200
CUBE_M = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (0, 2)], float)
EYE_M = np.array([0.0, -1.0, 12.0])  # nearly from above: the x of the world is that of the picture


def shaded(to_light, hull_m=CUBE_M, model=None):
    rotation = look_at_rotation(EYE_M, (0, 0, 0))
    to_camera = rigid(rotation, -rotation @ EYE_M)
    assert np.allclose(inverse_rigid(to_camera)[:3, 3], EYE_M)
    intrinsics = [[SIDE, 0, SIDE / 2], [0, SIDE, SIDE / 2], [0, 0, 1]]
    model = np.zeros((SIDE, SIDE), bool) if model is None else model
    picture = Image.new("RGB", (SIDE, SIDE), (GREY,) * 3)
    light = np.array(to_light, float)
    return np.asarray(with_shadow(picture, model, hull_m, light, to_camera, intrinsics))[..., 0]


def test_a_shadow_falls_away_from_the_light():
    pixels = shaded((0.7, 0, 0.7))
    left, right = pixels[:, : SIDE // 3], pixels[:, -SIDE // 3 :]
    assert left.min() < 0.85 * GREY and right.min() > 0.97 * GREY


def test_it_is_darkest_where_the_model_stands_and_ends():
    pixels = shaded((0.7, 0, 0.7))
    assert pixels[SIDE // 2, SIDE // 2] == pixels.min() and pixels[0, 0] == GREY


def test_pixels_of_the_model_stay():
    model = np.zeros((SIDE, SIDE), bool)
    model[30:60, 30:60] = True
    assert (shaded((0.7, 0, 0.7), model=model)[33:57, 33:57] == GREY).all()


def test_a_model_without_extent_has_none():
    assert (shaded((0, 0, 1), hull_m=np.zeros((4, 3))) == GREY).all()
