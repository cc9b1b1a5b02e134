"""Lens: vignetting, blur, lateral chromatic aberration and veiling glare, in this order.

In: scene-linear radiance as a perfect lens would project it. Out: the light on the sensor. The blur is one
Gaussian for aberrations, diffraction and the low-pass filter together. Distortion has been applied by then:
see optics/distortion.py.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from blendgen.geometry.arrays import ImageHW3F32
from blendgen.scene.shot import Camera, Sensor


def through_lens(radiance_linear: ImageHW3F32, camera: Camera, sensor: Sensor) -> ImageHW3F32:
    """(h, w, 3) float32 light on the sensor of such radiance."""
    light = radiance_linear * vignetting(camera, sensor)[..., None]
    light = blur(light, sensor.blur_px)
    light = chromatic_aberration(light, camera, sensor.chromatic_aberration_px)
    return veiling_glare(light, sensor.veiling_glare)


def vignetting(camera: Camera, sensor: Sensor) -> np.ndarray:
    """(h, w) float32 share of the light that reaches each pixel; 1 on the optical axis.

    natural: cos^4 of the angle to the axis, to the power natural_vignetting
    mechanical: 2^(-mechanical_vignetting_ev r^4), with r = 1 in the farthest corner
    source: Goldman, Vignette and exposure calibration (2010), for the form of both
    """
    strengths = sensor.natural_vignetting, sensor.mechanical_vignetting_ev
    return _vignetting(camera.resolution, camera.intrinsics, *strengths)


@lru_cache(maxsize=2)  # the images of a shot share it
def _vignetting(resolution, intrinsics, natural_strength: float, mechanical_ev: float) -> np.ndarray:
    x, y = _from_axis_px(resolution, intrinsics)
    radius2 = y[:, None] ** 2 + x[None, :] ** 2
    natural = (1 + radius2 / intrinsics[0][0] ** 2) ** (-2 * natural_strength)
    mechanical = 2.0 ** (-mechanical_ev * (radius2 / radius2.max()) ** 2)
    return (natural * mechanical).astype(np.float32)


def blur(radiance_linear: ImageHW3F32, blur_px: float) -> np.ndarray:
    """(h, w, 3) float32 convolved with a Gaussian of standard deviation blur_px; the mean does not change."""
    if blur_px == 0:
        return radiance_linear
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(radiance_linear, (blur_px, blur_px, 0), mode="nearest")


def chromatic_aberration(light: ImageHW3F32, camera: Camera, corner_px: float) -> np.ndarray:
    """Magnify red about the optical axis so that corners move by corner_px; shrink blue by the same."""
    if corner_px == 0:
        return light
    x, y = _from_axis_px(camera.resolution, camera.intrinsics)
    share = corner_px / float(np.hypot(np.abs(x).max(), np.abs(y).max()))
    moved = light.copy()
    for channel, magnification in ((0, 1 + share), (2, 1 - share)):
        columns = _interpolated(x, magnification)
        moved[..., channel] = _along_rows(
            _along_rows(light[..., channel].T, *_interpolated(y, magnification)).T, *columns
        )
    return moved


def _interpolated(from_axis_px: np.ndarray, magnification: float) -> tuple[np.ndarray, np.ndarray]:
    """Source pixels of a magnified line: pixel i shows the light at axis + (i - axis) / magnification.

    returns: first of the two source pixels (n,), share of the second (n,) float32; the border is repeated
    """
    last = len(from_axis_px) - 1
    position = np.clip(from_axis_px / magnification - from_axis_px[0], 0, last)
    first = np.minimum(position.astype(np.intp), max(last - 1, 0))
    return first, (position - first).astype(np.float32)


def _along_rows(image: np.ndarray, first: np.ndarray, share: np.ndarray) -> np.ndarray:
    second = np.minimum(first + 1, image.shape[1] - 1)
    return image[:, first] * (1 - share) + image[:, second] * share


def veiling_glare(light: ImageHW3F32, share: float) -> np.ndarray:
    """A share of the light of each channel, spread evenly over the image; the mean does not change.

    source: ISO 9358, veiling glare index
    """
    if share == 0:
        return light
    height, width = light.shape[:2]
    columns = light.reshape(height, -1).mean(axis=0, dtype=np.float64)  # whole rows are faster
    veil = share * columns.reshape(width, -1).mean(axis=0)
    veiled = light.reshape(height, -1) * np.float32(1 - share)
    veiled += np.tile(veil.astype(np.float32), width)  # whole rows again
    return veiled.reshape(light.shape)


def _from_axis_px(resolution, intrinsics) -> tuple[np.ndarray, np.ndarray]:
    """Columns (w,) and rows (h,) of the pixel centres, measured from the principal point, in pixels."""
    width, height = resolution
    return np.arange(width) + 0.5 - intrinsics[0][2], np.arange(height) + 0.5 - intrinsics[1][2]
