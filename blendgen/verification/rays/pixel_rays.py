"""Pixel rays: the points of the image plane at z = 1 that the pixels of a row show.

In: the camera of a Row. Out: (h, w, 2) float64. A distorting lens has two sets: `lens_rays`, the true rays of
the pixel centres, and `label_rays`, where labels are taken: at the nearest pixel centre of the pinhole image
that is rendered for the lens, at most half a pixel away. Without distortion both are the same.
"""

from __future__ import annotations

import numpy as np

from blendgen.geometry.projection import NO_DISTORTION, pixel_rays, undistort
from blendgen.scene.row import Row


def lens_rays(row: Row) -> np.ndarray:
    """The true rays of the pixel centres; raises GeometryError for a lens that folds the image."""
    camera = row.camera
    rays = pixel_rays(camera.intrinsics, (row.width, row.height))[..., :2]
    return rays if is_pinhole(row) else undistort(rays, camera.distortion)


def label_rays(row: Row) -> np.ndarray:
    """The rays along which the labels of each pixel are taken."""
    rays = lens_rays(row)
    if is_pinhole(row):
        return rays
    # the pinhole image has an even number of pixels of the same size: the axis is at a corner of four
    pixel = pixel_size(row)
    return (np.floor(rays / pixel) + 0.5) * pixel


def is_pinhole(row: Row) -> bool:
    return tuple(row.camera.distortion) == NO_DISTORTION


def pixel_size(row: Row) -> float:
    """Side of a pixel on the axis, in the image plane at z = 1."""
    return 1 / row.camera.intrinsics[0][0]
