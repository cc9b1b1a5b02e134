"""The background of a photo: what lies around things, not what has the most pixels of one colour."""

from __future__ import annotations

import numpy as np
import pytest

from blendgen.geometry.color import linear_to_srgb
from blendgen.photos.background import background

CARPET, PAPER, FRAME = (118, 104, 82), (214, 215, 214), (20, 20, 24)


def photo(seed: int = 0) -> np.ndarray:
    """(160, 160, 3) carpet, whose pile is far less even than a sheet of paper."""
    pile = np.random.default_rng(seed).normal(0, 26, (160, 160, 1))
    return np.clip(np.array(CARPET) + pile, 0, 255).astype(np.uint8)


def levels(image: np.ndarray) -> np.ndarray:
    return np.round(255 * linear_to_srgb(background(image).rgb_linear))


@pytest.mark.parametrize("margin", [18, 30])
def test_a_plain_sheet_on_carpet_is_not_the_background(margin):
    image = photo()
    image[margin:-margin, margin:-margin] = PAPER
    assert np.allclose(levels(image), CARPET, atol=16)


def test_a_sheet_that_reaches_one_edge_is_not_the_background():
    image = photo()
    image[30:, 40:120] = PAPER
    assert np.allclose(levels(image), CARPET, atol=16)


def test_a_thin_frame_is_not_the_background():
    image = photo()
    image[[*range(6), *range(-6, 0)]] = FRAME
    image[:, [*range(6), *range(-6, 0)]] = FRAME
    assert np.allclose(levels(image), CARPET, atol=16)
