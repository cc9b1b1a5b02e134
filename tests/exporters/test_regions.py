"""Regions: outlines in label formats have the boxes and areas of their masks, in all their parts."""

import json

import hotcoco.mask
import numpy as np
import pycocotools.mask
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from scipy import ndimage

from blendgen.exporters.regions import _signed_area, joined, polygons
from tests.exporters.exported import run
from tests.exporters.fake import FakeImage, make_fake


def box_of(points):
    return [*points.min(axis=0), *points.max(axis=0)]


def box_of_mask(mask):
    rows, columns = np.nonzero(mask)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


@settings(deadline=None)  # the first example imports SciPy
@given(st.integers(0, 10**6), st.floats(0.05, 0.9))
def test_outlines_have_the_box_of_the_mask_and_one_for_each_part(seed, share):
    mask = np.random.default_rng(seed).random((12, 17)) < share
    if not mask.any():
        return
    outlines = polygons(mask)
    assert box_of(np.concatenate(outlines)) == box_of_mask(mask)
    assert len(outlines) == ndimage.label(mask)[1]
    areas = [abs(_signed_area(outline)) for outline in outlines]
    assert areas == sorted(areas, reverse=True) and min(areas) > 0


def ring_of(side, hole):
    """A square of `side` px with a square hole of `hole` px and another of one pixel."""
    mask = np.zeros((side + 8, side + 12), bool)
    mask[3 : 3 + side, 5 : 5 + side] = True
    middle = 5 + (side - hole) // 2
    mask[middle : middle + hole, middle : middle + hole] = mask[4, 7] = False
    return mask


def drawings(mask):
    """What readers of COCO draw from its outlines, and from a single one around all of them."""
    outlines = polygons(mask)
    for drawn in (outlines, [joined(outlines)]):
        shapes = [outline.ravel().tolist() for outline in drawn]
        for reader in (pycocotools.mask, hotcoco.mask):
            yield reader.decode(reader.merge(reader.frPyObjects(shapes, *mask.shape)))


# a warning of pycocotools 2.0.11 about its own arrays under NumPy 2
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@settings(deadline=None, max_examples=50)  # the first example imports SciPy
@given(st.integers(0, 10**6), st.floats(0.05, 0.95))
def test_readers_of_coco_draw_any_mask_with_its_holes(seed, share):
    mask = np.random.default_rng(seed).random((12, 17)) < share
    assert not mask.any() or all(np.array_equal(drawn, mask) for drawn in drawings(mask))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize(("side", "hole"), [(20, 8), (5, 1), (40, 38)])
def test_readers_of_coco_draw_large_holes_and_those_of_one_pixel(side, hole):
    mask = ring_of(side, hole)
    assert all(np.array_equal(drawn, mask) for drawn in drawings(mask))


def test_the_signed_area_of_an_outline_is_that_of_the_part_without_its_holes():
    (outline,) = polygons(ring_of(20, 8))
    # cut halfway between pixels: four corners outside lose 1/8 px each, eight corners of holes gain it
    assert abs(_signed_area(outline)) == pytest.approx(20**2 - 8**2 - 1 + (8 - 4) / 8)


def parts_of_a_mask():
    """Three parts of different size, of which the smallest is one pixel."""
    mask = np.zeros((60, 80), bool)
    mask[5:25, 5:30] = mask[35:50, 50:75] = mask[30:40, 10:20] = mask[55, 2] = True
    return mask


def test_a_joined_outline_is_all_parts_and_nothing_between_them():
    mask = parts_of_a_mask()
    outlines = polygons(mask)
    outline = joined(outlines)
    assert box_of(outline) == box_of_mask(mask)
    assert abs(_signed_area(outline)) == pytest.approx(sum(abs(_signed_area(one)) for one in outlines))
    assert {tuple(p) for p in outline} == {tuple(p) for one in outlines for p in one}
    page = Image.new("1", (800, 600))  # finely, so that the lines between the parts have next to no area
    ImageDraw.Draw(page).polygon([tuple(point) for point in outline * 10], fill=1)
    drawn, truth = np.array(page), np.kron(mask, np.ones((10, 10), bool))
    assert (drawn & truth).sum() / (drawn | truth).sum() > 0.96
    assert joined(outlines[:1]) is outlines[0]


def test_ids_of_annotations_are_unique_in_the_data_set(tmp_path):
    boxes = [(0, (3, 3, 9, 9)), (0, (20, 3, 9, 9))]
    source = make_fake(
        tmp_path / "set", ["box"], [FakeImage(split, 0, boxes) for split in ("train", "val") * 3]
    )
    run(source, "coco", tmp_path / "out")
    files = sorted((tmp_path / "out/annotations").iterdir())
    ids = [one["id"] for file in files for one in json.loads(file.read_text())["annotations"]]
    assert sorted(ids) == list(range(1, 13))
