"""Drawn shadow: the shadow of a model on a level ground, drawn into the picture of a model that floats.

In: a picture, the pixels of the model, the corners of its convex hull, and matrices of the camera. Out: the
picture with a shadow. A rendered ground would take most of the time of such a picture, and end somewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from scipy.spatial import ConvexHull, QhullError

from blendgen.geometry.arrays import Array3, MaskHW, PointsN3
from blendgen.geometry.projection import transform_points

_CAST_DARKNESS, _CONTACT_DARKNESS = 0.22, 0.30
_CAST_BLUR, _CONTACT_BLUR = 0.022, 0.009  # of the width of the picture
_NEAR_GROUND = 0.05  # of the height
_NEAREST = 1e-3  # of the distance: nothing closer is in the picture


def with_shadow(
    picture: Image.Image,
    model: MaskHW,
    hull_m: PointsN3,
    to_light: Array3,
    world_to_camera: Sequence[Sequence[float]],
    intrinsics: Sequence[Sequence[float]],
) -> Image.Image:
    """The picture with the shadow on the plane z = 0.

    hull_m: in the world; to_light: direction towards a distant light
    """
    height_m = max(float(hull_m[:, 2].max()), 1e-12)
    low = hull_m[hull_m[:, 2] <= _NEAR_GROUND * height_m]
    darkness = np.zeros(model.shape)
    for points, direction, dark, blur in (
        (hull_m, to_light, _CAST_DARKNESS, _CAST_BLUR),
        (low, np.array([0.0, 0.0, 1.0]), _CONTACT_DARKNESS, _CONTACT_BLUR),
    ):
        on_ground = points - np.outer(points[:, 2] / direction[2], direction)
        outline = _outline(_projected(on_ground, world_to_camera, intrinsics))
        darkness = np.maximum(darkness, dark * _filled(outline, picture.size, blur * picture.width))
    around = 1 - _blurred(Image.fromarray((255 * model).astype(np.uint8)), 0.5)
    pixels = np.asarray(picture.convert("RGB")) * (1 - darkness * around)[..., None]
    return Image.fromarray(np.rint(pixels).astype(np.uint8))


def _projected(points_m: PointsN3, world_to_camera, intrinsics) -> np.ndarray:
    """(n, 2) pixels of the points before the camera."""
    in_camera = transform_points(world_to_camera, points_m)
    in_camera = in_camera[in_camera[:, 2] > _NEAREST * np.abs(in_camera).max(initial=0.0)]
    pixels = in_camera @ np.asarray(intrinsics).T
    return pixels[:, :2] / pixels[:, 2:]


def _outline(points_px: np.ndarray) -> list[tuple[float, float]]:
    """The convex outline of points; [] if they have no area."""
    try:
        corners = points_px[ConvexHull(points_px).vertices]
    except (QhullError, ValueError):
        return []
    return [(float(x), float(y)) for x, y in corners]


def _filled(outline: list[tuple[float, float]], size: tuple[int, int], blur_px: float) -> np.ndarray:
    mask = Image.new("L", size, 0)
    if outline:
        ImageDraw.Draw(mask).polygon(outline, fill=255)
    return _blurred(mask, blur_px)


def _blurred(mask: Image.Image, radius_px: float) -> np.ndarray:
    """(h, w) 0 to 1"""
    return np.asarray(mask.filter(ImageFilter.GaussianBlur(radius_px))) / 255.0
