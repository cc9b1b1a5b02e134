"""Lens distortion: an engine renders a wider pinhole image, and all of it is resampled alike.

In: a Camera with distortion coefficients. Out: the pinhole Camera that sees at least as much, and
what was rendered with it as the distorting lens lays it on the sensor: light between pixels,
ids, depth and masks from the nearest pixel, so that labels stay exact.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from blendgen.errors import GeometryError
from blendgen.geometry import NO_DISTORTION, intrinsics_matrix, pixel_rays, rows_of, undistort
from blendgen.shot import Camera, Film

_MARGIN_PX = 2
_WIDEST = 4.0


def is_pinhole(camera: Camera) -> bool:
    return camera.distortion == NO_DISTORTION


def pinhole(camera: Camera) -> Camera:
    """The camera that an engine renders: without distortion, and with every ray of `camera` in view.

    raises: GeometryError where that would take an image many times as large
    """
    if is_pinhole(camera):
        return camera
    reach_px = np.abs(_rays(camera)).reshape(-1, 2).max(axis=0) * camera.intrinsics[0][0]
    resolution = tuple(int(side) for side in 2 * np.ceil(reach_px + _MARGIN_PX))
    if max(np.array(resolution) / camera.resolution) > _WIDEST:
        raise GeometryError(
            f"camera.distortion: this lens sees {_WIDEST:g} times as wide as a pinhole; "
            "use smaller k1, k2, k3"
        )
    sensor_width_mm = camera.sensor_width_mm * resolution[0] / camera.resolution[0]
    return camera.model_copy(
        update={
            "resolution": resolution,
            "sensor_width_mm": sensor_width_mm,
            "intrinsics": rows_of(intrinsics_matrix(camera.focal_length_mm, sensor_width_mm, resolution)),
            "distortion": NO_DISTORTION,
        }
    )


def distorted_light(radiance_linear: np.ndarray, camera: Camera) -> np.ndarray:
    """(h, w, 3) float32 of `camera` from the image of its pinhole, bilinear between pixel centres."""
    if is_pinhole(camera):
        return radiance_linear
    from scipy.ndimage import map_coordinates

    rows, columns = _places(camera, radiance_linear.shape[:2])
    channels = [
        map_coordinates(radiance_linear[..., c], (rows, columns), order=1, mode="nearest") for c in range(3)
    ]
    return np.stack(channels, axis=-1).astype(np.float32)


def distorted_labels(film: Film, camera: Camera) -> Film:
    """The film with ids, depth and masks as `camera` sees them; its light stays the pinhole's."""
    if is_pinhole(camera):
        return film
    nearest = tuple(np.rint(place).astype(int) for place in _places(camera, film.instance_id.shape))
    return replace(
        film,
        depth_m=film.depth_m[nearest],
        instance_id=film.instance_id[nearest],
        amodal_mask={instance: mask[nearest] for instance, mask in film.amodal_mask.items()},
    )


def _places(camera: Camera, shape) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns in the pinhole's image, (h, w) each, of the pixel centres of `camera`."""
    offsets = _rays(camera) * camera.intrinsics[0][0]
    height, width = shape
    return offsets[..., 1] + height / 2 - 0.5, offsets[..., 0] + width / 2 - 0.5


@lru_cache(maxsize=4)
def _rays(camera: Camera) -> np.ndarray:
    """(h, w, 2) points of the image plane at z = 1 from which light comes to each pixel centre."""
    return undistort(pixel_rays(camera.intrinsics, camera.resolution)[..., :2], camera.distortion)
