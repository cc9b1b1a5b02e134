"""The wide camera of overscan sees all of every product, with no more pixels than memory has room for."""

from __future__ import annotations

import numpy as np
import pytest

from blendgen.geometry.projection import project, transform_points
from blendgen.optics.overscan import box_corners, coarseness, frame_within, overscan_camera
from tests.conftest import make_product
from tests.engine.conformance import make_camera, make_shot, place

BOX = make_product("box", "box", (0.06, 0.04, 0.03))
BEYOND = place(1, BOX, x=0.12, y=0.02)
# the camera, so that overscan is as wide as it gets
BEHIND = BEYOND.model_copy(
    update={"object_to_world": ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0.5), (0, 0, 0, 1))}
)


def wide_of(resolution):
    camera = make_camera(0, 90, 0, distance_m=0.3, target=(0, 0, 0), resolution=resolution)
    return camera, overscan_camera(make_shot([BEYOND], camera))


@pytest.mark.parametrize("resolution", [(64, 48), (1600, 1200), (1601, 1203)])
def test_all_of_a_product_lies_in_the_wide_image(resolution):
    _, wide = wide_of(resolution)
    world = transform_points(BEYOND.object_to_world, box_corners(BEYOND.size_m))
    pixels = project(world, wide.intrinsics, wide.world_to_camera, (0, 0, 0, 0, 0))
    assert (pixels > 0).all() and (pixels < wide.resolution).all()


def test_small_images_keep_their_pixels():
    camera, wide = wide_of((64, 48))
    assert wide.intrinsics[0][0] == pytest.approx(camera.intrinsics[0][0])
    assert frame_within(camera, wide).sum() == 64 * 48


def test_a_wide_image_of_as_many_pixels_as_the_image_is_another_image():
    """Four times as wide, in pixels four times as coarse."""
    camera, _ = wide_of((1600, 1200))
    wide = overscan_camera(make_shot([BEHIND], camera))
    assert wide.resolution == camera.resolution and wide != camera
    assert frame_within(camera, wide).sum() == 400 * 300


def test_a_camera_that_sees_all_is_wide_enough():
    camera = make_camera(0, 90, 0, distance_m=0.6, target=(0, 0, 0), resolution=(1600, 1200))
    assert overscan_camera(make_shot([place(1, BOX)], camera)) == camera


def test_large_images_are_widened_with_coarser_pixels():
    camera, wide = wide_of((1600, 1200))
    ratio = camera.intrinsics[0][0] / wide.intrinsics[0][0]
    assert ratio == pytest.approx(coarseness(camera, wide)) and ratio > 1
    assert np.prod(wide.resolution) <= 2**21 + sum(wide.resolution)
    inside = frame_within(camera, wide)
    assert inside.sum() * ratio**2 == pytest.approx(1600 * 1200, rel=1e-6)
    assert inside.any(axis=1).sum() < wide.resolution[1] or inside.any(axis=0).sum() < wide.resolution[0]


@pytest.mark.parametrize("resolution", [(1024, 768), (1600, 1200), (1920, 1080), (1601, 1203)])
def test_coarse_pixels_across_the_border_count_by_their_share(resolution):
    """As much of them to the left as to the right, and all together no more than the image."""
    camera, _ = wide_of(resolution)
    wide = overscan_camera(make_shot([BEHIND], camera))
    step, inside = coarseness(camera, wide), frame_within(camera, wide)
    assert step > 1 and np.array_equal(inside, inside[::-1, ::-1])
    assert inside.sum() * step**2 == pytest.approx(np.prod(resolution), rel=1e-6)
