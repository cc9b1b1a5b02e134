"""Demosaic: one colour a pixel to three.

source: Malvar, He and Cutler, High-quality linear interpolation for demosaicing of Bayer-patterned
color images (2004)
"""

from __future__ import annotations

import numpy as np

_REACH_PX = 2  # of the filters; even, so that the mosaic's phase stays


def demosaic(raw: np.ndarray) -> np.ndarray:
    """(h, w) RGGB mosaic to (h, w, 3) float32 camera colours, not clipped."""
    wider = np.pad(np.asarray(raw, np.float32), _REACH_PX, mode="reflect")
    height, width = raw.shape
    stride = width + 2 * _REACH_PX
    flat = np.pad(wider.ravel(), _REACH_PX)

    def moved(rows: int, columns: int) -> np.ndarray:
        """(h stride,): rows and margins one after another; views of (h, w) cost five times as much."""
        by = rows * stride + columns
        return flat[_REACH_PX * (stride + 1) + by :][: height * stride]

    here = moved(0, 0)
    beside, above = moved(0, -1) + moved(0, 1), moved(-1, 0) + moved(1, 0)
    far_beside, far_above = moved(0, -2) + moved(0, 2), moved(-2, 0) + moved(2, 0)
    corners = moved(-1, -1) + moved(-1, 1)
    corners += moved(1, -1)
    corners += moved(1, 1)

    green = (4 * here + 2 * (beside + above) - (far_beside + far_above)) / 8
    of_row = (5 * here + 4 * beside - corners - far_beside + far_above / 2) / 8
    of_column = (5 * here + 4 * above - corners - far_above + far_beside / 2) / 8
    of_corners = (6 * here + 2 * corners - 1.5 * (far_beside + far_above)) / 8

    rgb = np.empty((height, width, 3), np.float32)
    red, green_by_red, green_by_blue, blue = _sites()
    for site, colors in (
        (red, (here, green, of_corners)),
        (green_by_red, (of_row, here, of_column)),
        (green_by_blue, (of_column, here, of_row)),
        (blue, (of_corners, green, here)),
    ):
        for channel, values in enumerate(colors):
            rgb[*site, channel] = values.reshape(height, stride)[:, _REACH_PX:-_REACH_PX][site]
    return rgb


def _sites() -> list[tuple[slice, slice]]:
    """Where an RGGB mosaic has red, green beside red, green beside blue and blue."""
    return [(slice(row, None, 2), slice(column, None, 2)) for row in (0, 1) for column in (0, 1)]
