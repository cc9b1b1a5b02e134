"""Pictures of models that a classifier may not tell apart."""

from __future__ import annotations

import numpy as np
from PIL import Image

from blendgen.reports.alike import alike

CUBE = (0.1, 0.1, 0.1)


def picture(level=200, spot=0, noise=0):
    pixels = np.full((64, 64, 3), level, np.uint8)
    pixels[8:16, 8:16, 0] -= np.uint8(spot)
    pixels[::2] += np.uint8(noise)
    return Image.fromarray(pixels)


def test_noise_makes_no_difference_but_a_small_sign_does():
    pictures = [picture(), picture(noise=6), picture(spot=90), picture(spot=88)]
    assert alike(pictures, [CUBE] * 4) == {1: 0, 3: 2}


def test_models_of_other_sizes_are_not_alike():
    sizes = [CUBE, (0.1, 0.1, 0.103), (0.1, 0.1, 0.101)]
    assert alike([picture()] * 3, sizes) == {2: 0}


def test_each_is_like_the_first_of_them_and_none_like_a_missing_one():
    assert alike([None, picture(), picture(), None, picture()], [CUBE] * 5) == {2: 1, 4: 1}
    assert alike([], []) == {}
