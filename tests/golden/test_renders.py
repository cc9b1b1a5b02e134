"""Everything that is built in looks as before, unless PIXELS_VERSION says otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.golden import renders
from tests.golden.sheet import RENEW, name_differences, write_sheet

# all pictures are rendered for the first test
SLOW = (pytest.mark.slow, pytest.mark.timeout(900))
FAMILIES = ("clutter", "occluders", "phones", "surfaces", "wear")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    pytest.importorskip("bpy")
    return renders.render_all(tmp_path_factory.mktemp("photos"))


@pytest.mark.parametrize("family", [pytest.param(family, marks=SLOW) for family in FAMILIES])
def test_a_family_is_rendered_as_before(rendered, family, tmp_path):
    before, now = renders.golden()[family], rendered[family]
    lines = name_differences(before, now) + renders.differences(before, now)
    if lines:
        write_sheet(tmp_path / f"{family}.png", now)
        renders.write_difference_sheet(tmp_path / "differences.png", before, now)
    assert not lines, "\n".join([RENEW, *lines, f"golden, now, difference: {tmp_path / 'differences.png'}"])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_family_is_rendered(rendered):
    assert sorted(rendered) == sorted(renders.golden()) == list(FAMILIES)


def test_the_difference_sheet_shows_the_pictures_that_differ(tmp_path):
    grey = np.full((renders.SIDE, renders.SIDE, 3), 100, np.uint8)
    before = {"same": grey, "noisy": grey, "other": grey}
    now = {"same": grey, "noisy": grey + np.uint8(1), "other": grey + np.uint8(10)}
    assert renders.differences(before, now) == ["other: PSNR 28.1 dB, expected more than 35 dB"]
    renders.write_difference_sheet(tmp_path / "differences.png", before, now)
    with Image.open(tmp_path / "differences.png") as image:
        page = np.asarray(image)
    assert page.shape == (renders.SIDE, 3 * renders.SIDE, 3)
    assert [int(page[0, x, 0]) for x in (0, renders.SIDE, 2 * renders.SIDE)] == [100, 110, 167]
