"""Labels that are drawn on images, and contact sheets with a row for each class."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from blendgen.reports.contact_sheet import contact_sheet, grouped_sheet
from blendgen.reports.overlays import Overlays, with_overlays

_GRAY = (90, 90, 90)
_STEP, _CAPTION, _GAP = 96 + 6, 18, 6


class _Objects:
    bbox = ((2, 3, 10, 8), (30, 20, 6, 6))
    instance_id = (1, 2)
    visible_fraction = (0.62, 1.0)
    keypoints = (((5.0, 5.0, 2), (0.0, 0.0, 0)), ((33.0, 23.0, 1),))


class _Row:
    objects = _Objects()


@pytest.fixture
def ids():
    mask = np.zeros((48, 64), np.uint16)
    mask[3:11, 2:12], mask[20:26, 30:36] = 1, 2
    return mask


def drawn(overlays, ids=None):
    """(48, 64) bool: the pixels that differ from the image without labels."""
    image = Image.new("RGB", (64, 48), _GRAY)
    marked = np.asarray(with_overlays(image, _Row(), overlays, ids))
    assert image.getpixel((3, 4)) == _GRAY
    return (marked != _GRAY).any(axis=2)


def test_masks_tint_exactly_the_visible_pixels(ids):
    assert np.array_equal(drawn(Overlays(masks=True), ids), ids > 0)


def test_boxes_surround_the_visible_pixels(ids):
    boxes = drawn(Overlays(boxes=True))
    assert boxes[3, 2:12].all() and boxes[10, 2:12].all() and boxes[25, 30:36].all()
    assert not boxes[4:10, 3:11].any() and not boxes[ids == 0].any()


def test_keypoints_are_filled_where_seen_hollow_where_hidden_and_absent_without_a_label():
    points = drawn(Overlays(keypoints=True))
    assert points[5, 5] and points[23, 31] and not points[23, 33] and not points[0, 0]


def test_the_visible_fraction_is_written_in_the_corner_of_each_box():
    text = drawn(Overlays(visible_fraction=True))
    assert text[4:12, 3:20].any() and text[21:29, 31:50].any() and not text[:, :2].any()


def test_nothing_is_drawn_unless_asked_for(ids):
    assert not drawn(Overlays(), ids).any()


def test_each_group_begins_a_row_below_its_heading():
    images = [(Image.new("RGB", (96, 96), _GRAY), str(index)) for index in range(5)]
    page = grouped_sheet({"cup": images[:3], "mug": images[3:]}, 2, 96)
    rows = 3 * (_STEP + _CAPTION)
    assert page.size == (2 * _STEP + _GAP, rows + 2 * _CAPTION + _GAP)
    assert np.array_equal(grouped_sheet({"": images}, 3, 96), contact_sheet(images, 3, 96))
    pixels = np.asarray(page)
    first, second = _GAP + _CAPTION, _GAP + 2 * _CAPTION + 2 * (_STEP + _CAPTION)
    for top in (first, second):
        assert (pixels[top : top + 96, _GAP : _GAP + 96] == _GRAY).all()
        assert (pixels[top - _CAPTION : top, :60] != pixels[0, 0]).any()
