"""The maps of marks repeat without a seam, and a larger amount shows more of them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from blendgen.engine.blender.shading import tile_patterns

TILES = {
    "dust": tile_patterns.dust_tile,
    "marks": tile_patterns.marks_tile,
    "fine": tile_patterns.fine_tile,
    "slow": tile_patterns.slow_tile,
    "flow": tile_patterns.flow_tile,
}
pytestmark = pytest.mark.slow


@cache
def tile(name):
    return TILES[name]()


@pytest.mark.parametrize("name", TILES)
def test_a_tile_continues_on_its_other_side(name):
    """The step over the seam is like a step within the tile; a mark that is cut off makes a large one."""
    texels = tile(name).astype(float)
    for axis in (0, 1):
        within = np.abs(np.diff(texels, axis=axis)).mean(axis=(0, 1))
        seam = np.abs(np.take(texels, 0, axis) - np.take(texels, -1, axis)).mean(axis=0)
        assert (seam < 2.0 * within + 1.5).all(), (axis, seam, within)


@pytest.mark.parametrize(("name", "strength", "amount"), [("dust", 1, 2), ("marks", 0, 1), ("marks", 2, 3)])
def test_more_marks_are_there_at_a_larger_amount(name, strength, amount):
    channels = tile(name)
    covered = [
        float((channels[..., strength] * (channels[..., amount] < share * 255)).mean())
        for share in (0.0, 0.25, 0.5, 1.0)
    ]
    assert covered[0] == 0.0
    assert np.all(np.diff(covered) > 0.05), covered


@pytest.mark.parametrize(("name", "channels"), [("fine", 2), ("slow", 2), ("flow", 4)])
def test_noise_is_mostly_between_0_3_and_0_7(name, channels):
    for channel in range(channels):
        value = tile(name)[..., channel] / 255
        assert abs(value.mean() - 0.5) < 0.03
        assert np.abs(value - 0.5).max() > 0.2
        assert 0.88 < (np.abs(value - 0.5) < 0.2).mean() < 0.99


@pytest.mark.parametrize(
    ("name", "limit"), [("fine", tile_patterns.FINE_SLOPE), ("slow", tile_patterns.SLOW_SLOPE)]
)
def test_slopes_are_those_of_the_first_channel(name, limit):
    texels = tile(name) / 255
    for channel, axis in ((2, 1), (3, 0)):
        rise = (np.roll(texels[..., 0], -1, axis) - texels[..., 0]) * len(texels)
        stated = (texels[..., channel] - 0.5) * 2 * limit
        step = len(texels) / 255  # of the first channel, whose eight bits round
        assert np.abs(rise - stated).max() < 1.1 * step + limit / 100
