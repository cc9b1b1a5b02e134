"""Borders: how far the edge of an object has moved between two pictures, along the border of its mask.

In: two luminances, (h, w), and the mask of the object. Out: a displacement in pixels for each point of the
border that has an edge. The luminance is read along the normal of the border, and its gradient there in the
one picture is searched in the other. Neighbours along the border are averaged, as noise is not an edge.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from blendgen.geometry.arrays import AnyArray, MaskHW

FARTHEST_PX = 4.0  # that a displacement is searched
_STEP_PX = 0.5
_WINDOW_PX = 2.0  # of the gradient on each side of the border that is searched
_NOISE_PX, _NORMAL_PX, _ALONG = 0.7, 1.5, 3.0  # Gaussians: of the luminance, of the mask, along the border
_LEAST_GRADIENT = 4.0  # levels a pixel: below it a border has no edge that could move
_LOST = 0.5  # correlation below which the edge is not there any more
_AS_GOOD = 0.02  # correlations this near are alike: the smallest displacement of them is taken
_MOST_POINTS = 2000
_SHIFTS = np.arange(-FARTHEST_PX, FARTHEST_PX + _STEP_PX / 2, _STEP_PX)
_OFFSETS = np.arange(-_WINDOW_PX - FARTHEST_PX, _WINDOW_PX + FARTHEST_PX + _STEP_PX / 2, _STEP_PX)


def edge_shifts(before: AnyArray, after: AnyArray, mask: MaskHW) -> AnyArray:
    """(n,) pixels, from 0 to FARTHEST_PX, which also means that the edge is lost; one for each point of the
    border where `before` has an edge, none within 6 pixels of the frame."""
    first, second = (ndimage.gaussian_filter(one, _NOISE_PX) for one in (before, after))
    parts = [_shifts_of_line(first, second, points, normals) for points, normals in _lines(mask)]
    return np.concatenate(parts) if parts else np.zeros(0)


def _lines(mask: MaskHW) -> Iterator[tuple[AnyArray, AnyArray]]:
    """Points (n, 2) x, y along each line of the border, and unit normals there."""
    from contourpy import contour_generator

    smooth = ndimage.gaussian_filter(mask.astype(np.float64), _NORMAL_PX, mode="nearest")
    slopes = [ndimage.sobel(smooth, axis=axis, mode="nearest") for axis in (1, 0)]
    lines: list[AnyArray] = contour_generator(z=smooth).lines(0.5)  # type: ignore[assignment]
    stride = max(1, -(-sum(len(line) for line in lines) // _MOST_POINTS))
    for line in lines:
        points = line[::stride]
        normals = np.stack([_sampled(slope, points[:, 0], points[:, 1]) for slope in slopes], axis=1)
        lengths = np.linalg.norm(normals, axis=1)
        is_inside = _inside(points, mask.shape) & (lengths > 0)
        if np.count_nonzero(is_inside) > 1:
            yield points[is_inside], normals[is_inside] / lengths[is_inside, None]


def _inside(points: AnyArray, shape: tuple[int, ...]) -> AnyArray:
    """Whether all that is read of a point is in the picture."""
    far = _OFFSETS[-1]
    limits = np.array([shape[1], shape[0]]) - 1 - far
    return np.asarray(((points >= far) & (points <= limits)).all(axis=1))


def _shifts_of_line(before: AnyArray, after: AnyArray, points: AnyArray, normals: AnyArray) -> AnyArray:
    first, second = (_gradients(one, points, normals) for one in (before, after))
    reach = round(FARTHEST_PX / _STEP_PX)
    own = first[:, reach : first.shape[1] - reach]
    has_edge = np.abs(own).max(axis=1) >= _LEAST_GRADIENT
    scores = np.stack(
        [_correlation(own, second[:, start : start + own.shape[1]]) for start in range(len(_SHIFTS))], axis=1
    )[has_edge]
    if not len(scores):
        return np.zeros(0)
    best = scores.max(axis=1)
    distances = np.where(scores >= best[:, None] - _AS_GOOD, np.abs(_SHIFTS), np.inf).min(axis=1)
    return np.where(best < _LOST, FARTHEST_PX, distances)


def _gradients(picture: AnyArray, points: AnyArray, normals: AnyArray) -> AnyArray:
    """(n, k) levels a pixel along the normals, averaged along the border."""
    x, y = (points[:, axis, None] + normals[:, axis, None] * _OFFSETS for axis in (0, 1))
    profiles = ndimage.gaussian_filter1d(_sampled(picture, x, y), _ALONG, axis=0, mode="nearest")
    return np.asarray(np.gradient(profiles, _STEP_PX, axis=1))


def _sampled(picture: AnyArray, x: AnyArray, y: AnyArray) -> AnyArray:
    return np.asarray(ndimage.map_coordinates(picture, [y, x], order=1, mode="nearest"))


def _correlation(first: AnyArray, second: AnyArray) -> AnyArray:
    """(n,) from -1 to 1, of gradients (n, k)."""
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return np.asarray((first * second).sum(axis=1) / np.maximum(lengths, 1e-9))
