"""Lens distortion: an engine renders a wider pinhole image, which is then resampled for the lens.

In: a Camera with distortion coefficients. Out: the pinhole Camera that sees at least as much, and its film
as the distorting lens projects it: light interpolated between pixels, ids and masks from the nearest pixel,
so that labels stay exact.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from blendgen.errors import GeometryError, InfeasibleDraw, Reason
from blendgen.geometry.arrays import AnyArray, IntegersHW
from blendgen.geometry.projection import NO_DISTORTION, border_points, distort, pixel_rays, undistort
from blendgen.optics.overscan import coarseness, share_within, widened
from blendgen.scene.film import Film
from blendgen.scene.shot import Camera

_MARGIN_PX = 2
_WIDEST = 4.0
_BORDER = np.array([(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)])
_MAX_BEND = 1e-4  # second difference of the inverse depth between pixels, as a share of it


def is_pinhole(camera: Camera) -> bool:
    return camera.distortion == NO_DISTORTION


def pinhole(camera: Camera) -> Camera:
    """The camera that an engine renders: without distortion, and with every ray of `camera` in view.

    raises: InfeasibleDraw for a lens that folds the image over, or that needs an image many times as large
    """
    if is_pinhole(camera):
        return camera
    try:
        resolution = _around(_rays(camera), camera.intrinsics[0][0])
    except GeometryError as error:
        raise InfeasibleDraw(Reason.LENS_FOLDS, str(error)) from None
    _refuse_too_wide(resolution, camera.resolution)
    return widened(camera, resolution).model_copy(update={"distortion": NO_DISTORTION})


@lru_cache(maxsize=4)
def require_pinhole(intrinsics, resolution: tuple[int, int], distortion) -> None:
    """Raises what `pinhole` would raise for such a camera; looks at the border of the image only."""
    if distortion == NO_DISTORTION:
        return
    half_px = np.array(resolution) / 2
    try:
        undistort(half_px / intrinsics[0][0] * _BORDER, distortion)
        border = undistort(border_points(intrinsics, resolution), distortion)
    except GeometryError as error:
        raise InfeasibleDraw(Reason.LENS_FOLDS, str(error)) from None
    _refuse_too_wide(_around(border, intrinsics[0][0]), resolution)


def _refuse_too_wide(rendered: tuple[int, int], resolution: tuple[int, int]) -> None:
    if max(np.array(rendered) / resolution) > _WIDEST:
        raise InfeasibleDraw(
            Reason.LENS_TOO_WIDE,
            f"camera.distortion: this lens sees more than {_WIDEST:g} times as wide as a pinhole; use "
            "smaller k1, k2 and k3",
        )


def pinhole_area_ratio(intrinsics, resolution, distortion) -> float:
    """Number of pixels that an engine renders for a lens, divided by the number of pixels of its image."""
    if distortion == NO_DISTORTION:
        return 1.0
    half_px = np.array(resolution) / 2
    try:
        reach = undistort(half_px / intrinsics[0, 0] * _BORDER, distortion)
    except GeometryError:
        return _WIDEST**2
    sides = np.array(_around(reach, intrinsics[0, 0])) / resolution
    return float(np.minimum(sides, _WIDEST).prod())


def _around(rays, focal_px: float) -> tuple[int, int]:
    """Resolution of the pinhole that sees the points (..., 2) of the image plane at z = 1."""
    reach_px = np.abs(rays).reshape(-1, 2).max(axis=0) * focal_px
    width, height = (int(side) for side in 2 * np.ceil(reach_px + _MARGIN_PX))
    return width, height


def distorted_light(radiance_linear: np.ndarray, camera: Camera) -> np.ndarray:
    """(h, w, 3) float32 image of `camera` from that of its pinhole, bilinear between pixel centres."""
    if is_pinhole(camera):
        return radiance_linear
    return np.stack([_between(radiance_linear[..., c], camera) for c in range(3)], axis=-1)


def distorted_labels(film: Film, camera: Camera) -> Film:
    """The film with all inputs of labels in the frame of `camera`; its light stays in that of the pinhole.

    Shares of pixels are interpolated between pixel centres, and depth where the surface is even; everything
    else comes from the nearest pixel.
    """
    if is_pinhole(camera):
        return film
    places = _places(camera, film.instance_id.shape)
    nearest = tuple(np.floor(place + 0.5).astype(int) for place in places)
    return replace(
        film,
        instance_id=film.instance_id[nearest],
        part_slot=_pick(film.part_slot, nearest),
        central_normal_world=_pick(film.central_normal_world, nearest),
        central_albedo_linear=_pick(film.central_albedo_linear, nearest),
        depth_m=_depth(film, places, nearest),
        amodal_masks={instance: mask[nearest] for instance, mask in film.amodal_masks.items()},
        soft_masks=film.soft_masks and {i: _between(share, camera) for i, share in film.soft_masks.items()},
        overscan=film.overscan and replace(film.overscan, inside=_share_inside(film.overscan.camera, camera)),
    )


def _pick(array: AnyArray | None, places: tuple[IntegersHW, ...]) -> AnyArray | None:
    return None if array is None else array[places]


def _depth(film: Film, places, nearest) -> np.ndarray:
    """(h, w) float32 depth on the ray of each pixel. On an even surface the inverse depth is linear in the
    image; at edges, creases and steps it is that of the nearest pixel, so that no point floats between two
    surfaces.
    """
    inverse = 1.0 / film.depth_m.astype(np.float64)
    even = _even(inverse, film.instance_id)
    top, left = (np.floor(place).astype(int) for place in places)
    down, right = places[0] - top, places[1] - left
    corners = [(top + i, left + j, (down if i else 1 - down) * (right if j else 1 - right))
               for i in (0, 1) for j in (0, 1)]  # fmt: skip
    between = sum(weight * inverse[row, column] for row, column, weight in corners)
    same = [film.instance_id[row, column] == film.instance_id[nearest] for row, column, _ in corners]
    sound = np.all([even[row, column] for row, column, _ in corners] + same, axis=0)
    with np.errstate(divide="ignore"):
        return np.where(sound, 1.0 / between, film.depth_m[nearest]).astype(np.float32)


def _even(inverse: np.ndarray, instance_id: np.ndarray) -> np.ndarray:
    """(h, w) bool: True where the surface does not bend or end between a pixel and its four neighbours."""
    padded, ids = np.pad(inverse, 1, mode="reflect"), np.pad(instance_id, 1, mode="edge")
    even = inverse > 0
    for axis in (0, 1):
        before, after = np.roll(padded, 1, axis)[1:-1, 1:-1], np.roll(padded, -1, axis)[1:-1, 1:-1]
        even &= np.abs(before - 2 * inverse + after) < _MAX_BEND * inverse
        for step in (1, -1):
            even &= np.roll(ids, step, axis)[1:-1, 1:-1] == instance_id
    return even


def _between(image: np.ndarray, camera: Camera) -> np.ndarray:
    """(h, w) float32 image of `camera`, bilinear in an image of its pinhole."""
    from scipy.ndimage import map_coordinates

    places = _places(camera, image.shape)
    return map_coordinates(image, places, order=1, mode="nearest").astype(np.float32)


def _share_inside(wide: Camera, camera: Camera) -> np.ndarray:
    """(H, W) float32: about the share of each pixel of the pinhole `wide` that `camera` shows."""
    points = pixel_rays(wide.intrinsics, wide.resolution)[..., :2]
    # far outside its image, a lens may fold points back into it
    possible = (np.abs(points) <= np.abs(_rays(camera)).reshape(-1, 2).max(axis=0)).all(axis=-1)
    half_px = np.array(camera.resolution) / 2
    pixels = distort(points, camera.distortion) * camera.intrinsics[0][0]
    shares = share_within(pixels, half_px, coarseness(camera, wide))
    return np.where(possible, shares.prod(axis=-1), np.float32(0))


def _places(camera: Camera, shape) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns, (h, w) each, of the pixel centres of `camera` in the image of its pinhole."""
    offsets = _rays(camera) * camera.intrinsics[0][0]
    height, width = shape
    return offsets[..., 1] + height / 2 - 0.5, offsets[..., 0] + width / 2 - 0.5


def _rays(camera: Camera) -> np.ndarray:
    """(h, w, 2) points of the image plane at z = 1 whose light reaches each pixel centre."""
    return _rays_of(camera.intrinsics, camera.resolution, camera.distortion)


@lru_cache(maxsize=4)
def _rays_of(intrinsics, resolution, distortion) -> np.ndarray:
    """The rays do not depend on the pose: a lens that does not vary has the same in every shot."""
    return undistort(pixel_rays(intrinsics, resolution)[..., :2], distortion)
