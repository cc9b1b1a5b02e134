"""Demosaic: interpolate the two missing colours of each pixel of a Bayer mosaic.

source: Malvar, He and Cutler, High-quality linear interpolation for demosaicing of Bayer-patterned
color images (2004)
"""

from __future__ import annotations

import numpy as np

_REACH_PX = 2  # of the filters; even, so that the padding keeps the phase of the mosaic


def demosaic(raw: np.ndarray) -> np.ndarray:
    """(h, w, 3) float32 camera colours of an RGGB mosaic (h, w), not clipped."""
    wider = np.pad(np.asarray(raw, np.float32), _REACH_PX, mode="reflect")
    height, width = raw.shape
    stride = width + 2 * _REACH_PX
    flat = np.pad(wider.ravel(), _REACH_PX)

    def shifted(rows: int, columns: int) -> np.ndarray:
        """(h stride,): flat rows with their margins; views of shape (h, w) are five times as slow."""
        offset = rows * stride + columns
        return flat[_REACH_PX * (stride + 1) + offset :][: height * stride]

    here = shifted(0, 0)
    sides, above = shifted(0, -1) + shifted(0, 1), shifted(-1, 0) + shifted(1, 0)
    far_sides, far_above = shifted(0, -2) + shifted(0, 2), shifted(-2, 0) + shifted(2, 0)
    corners = shifted(-1, -1) + shifted(-1, 1)
    corners += shifted(1, -1)
    corners += shifted(1, 1)

    green = (4 * here + 2 * (sides + above) - (far_sides + far_above)) / 8
    of_row = (5 * here + 4 * sides - corners - far_sides + far_above / 2) / 8
    of_column = (5 * here + 4 * above - corners - far_above + far_sides / 2) / 8
    of_corners = (6 * here + 2 * corners - 1.5 * (far_sides + far_above)) / 8

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
    """Slices of the pixels of an RGGB mosaic: red, green in red rows, green in blue rows, blue."""
    return [(slice(row, None, 2), slice(column, None, 2)) for row in (0, 1) for column in (0, 1)]
