"""Statistics: what is measured of each picture, with its unit and the field of the spec that moves it.

In: (h, w, 3) uint8 sRGB of the size at which pictures are compared. Out: Measures by the name of their
statistic. A new statistic needs a record here and its function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.ndimage import gaussian_filter

from blendgen.geometry.arrays import FloatArray, ImageHW3U8, ImageHWF32, MaskHW
from blendgen.geometry.color import luminance, srgb_to_linear
from blendgen.photos.aberration import aberration_px
from blendgen.photos.background import Background, background_mask, of_mask, oklab
from blendgen.photos.jpeg import luma_u8, pixel_quality
from blendgen.photos.measure import Measure, unknown
from blendgen.photos.noise import Patches, noise_at, noise_correlation, patches
from blendgen.photos.sharpness import color_blur, edge_blur, fine_detail
from blendgen.photos.tone import black_share, brightness_ev, cast_ev, contrast_ev, white_share
from blendgen.photos.vignetting import vignetting_ev

SMALLEST_PX = 16  # side of a picture that can be measured
_LEAST_BACKGROUND = 0.2  # share of the pixels, for what is said of the background
_TEXTURE_PX = (1.5, 6.0)


@dataclass(frozen=True)
class Mover:
    """field: of the spec; direction: 1 if a larger value raises the statistic, -1 if it lowers it"""

    field: str
    direction: int


@dataclass(frozen=True)
class Statistic:
    """What is measured of a picture.

    unit: of its values; smallest: the difference that matters, at least; relative: as a share of the value
    movers: the fields of the spec that move it, the most direct one first
    advice: what else to look at, where no single field moves it
    """

    name: str
    title: str
    unit: str
    smallest: float
    measure: Callable[[Picture], Measure]
    movers: tuple[Mover, ...] = ()
    advice: str = ""
    relative: float = 0.0

    def least_difference(self, value: float) -> float:
        """The smallest difference from a value that matters."""
        return max(self.smallest, self.relative * abs(value))


class Picture:
    """An image and what several statistics read of it, each computed once."""

    def __init__(self, image: ImageHW3U8):
        self.image = image

    @cached_property
    def linear(self) -> FloatArray:
        return srgb_to_linear(self.image / 255)

    @cached_property
    def luma(self) -> ImageHWF32:
        return luma_u8(self.image)

    @cached_property
    def patches(self) -> Patches:
        return patches(self.image)

    @cached_property
    def is_background(self) -> MaskHW:
        return background_mask(self.linear)

    @cached_property
    def background(self) -> Background | None:
        """None where no colour has much of the picture."""
        surface = of_mask(self.linear, self.is_background)
        return surface if surface.share >= _LEAST_BACKGROUND else None

    def measures(self) -> dict[str, Measure]:
        """All statistics, by name."""
        if min(self.image.shape[:2]) < SMALLEST_PX:
            small = unknown(f"smaller than {SMALLEST_PX} pixels")
            return {statistic.name: small for statistic in STATISTICS}
        return {statistic.name: statistic.measure(self) for statistic in STATISTICS}

    def background_lab(self, channel: int) -> Measure:
        """OKLab of its median, times 100."""
        surface = self.background
        if surface is None:
            return unknown(f"no colour has {_LEAST_BACKGROUND:.0%} of it")
        return Measure(100 * float(oklab(surface.rgb_linear)[channel]), 0.5)

    def texture(self) -> Measure:
        """Contrast of the background at the scale of 4 to 15 pixels, percent of its light."""
        if self.background is None:
            return unknown(f"no colour has {_LEAST_BACKGROUND:.0%} of it")
        light = luminance(self.linear)
        inside = self.is_background.astype(float)
        fine, coarse = (_blurred(light, inside, size) for size in _TEXTURE_PX)
        whole = gaussian_filter(inside, _TEXTURE_PX[1]) > 0.9
        if whole.sum() < 200:
            return unknown("too little of the background is in one piece")
        contrast = (fine / np.maximum(coarse, 1e-6) - 1)[whole & self.is_background]
        parts = [float(np.std(part)) for part in np.array_split(contrast, 4)]
        return Measure(100 * float(np.std(contrast)), 100 * float(np.std(parts)) / 2)


def _blurred(light: FloatArray, inside: FloatArray, size: float) -> FloatArray:
    """The mean of the light around, of what is inside."""
    return np.asarray(gaussian_filter(light * inside, size) / np.maximum(gaussian_filter(inside, size), 1e-3))


def _band(band: str) -> Callable[[Picture], Measure]:
    return lambda picture: noise_at(picture.patches, band)


_GAIN = Mover("exposure.gain_db", 1)
_OF_NOISE = 0.15  # share by which noise may differ unnoticed
_SURFACE = "surface.kind or surface.photos, and the lamps"

STATISTICS: tuple[Statistic, ...] = (
    Statistic("brightness", "brightness", "stops below white", 0.1, lambda p: brightness_ev(p.linear),
              (Mover("exposure.camera_ev", 1),)),
    Statistic("contrast", "contrast", "stops", 0.3, lambda p: contrast_ev(p.linear),
              (Mover("sensor.veiling_glare", -1),), "exposure.lamp_ev and exposure.environment_ev"),
    Statistic("white", "share of white pixels", "share", 0.02, lambda p: white_share(p.image),
              (Mover("exposure.camera_ev", 1),)),
    Statistic("black", "share of black pixels", "share", 0.02, lambda p: black_share(p.image),
              (Mover("exposure.camera_ev", -1), Mover("sensor.veiling_glare", -1))),
    Statistic("red_cast", "red compared with green", "stops", 0.05, lambda p: cast_ev(p.image, p.linear, 0),
              (Mover("exposure.white_balance_temperature_k", 1),), "surface.color"),
    Statistic("blue_cast", "blue compared with green", "stops", 0.05, lambda p: cast_ev(p.image, p.linear, 2),
              (Mover("exposure.white_balance_temperature_k", -1),), "surface.color"),
    Statistic("background_lightness", "lightness of the background", "OKLab L x 100", 2.0,
              lambda p: p.background_lab(0), (Mover("exposure.camera_ev", 1),), "surface.color"),
    Statistic("background_green_red", "background from green to red", "OKLab a x 100", 1.0,
              lambda p: p.background_lab(1), (), "surface.color"),
    Statistic("background_blue_yellow", "background from blue to yellow", "OKLab b x 100", 1.0,
              lambda p: p.background_lab(2), (Mover("exposure.white_balance_temperature_k", 1),),
              "surface.color"),
    Statistic("texture", "texture of the background", "percent", 0.7, lambda p: p.texture(), (), _SURFACE),
    Statistic("noise_dark", "noise of dark parts", "levels of 255", 0.4, _band("dark"),
              (_GAIN, Mover("sensor.read_noise_e", 1), Mover("sensor.full_well_e", -1)), relative=_OF_NOISE),
    Statistic("noise_mid", "noise of mid tones", "levels of 255", 0.4, _band("mid"),
              (_GAIN, Mover("sensor.full_well_e", -1)), relative=_OF_NOISE),
    Statistic("noise_bright", "noise of bright parts", "levels of 255", 0.4, _band("bright"),
              (_GAIN, Mover("sensor.full_well_e", -1)), relative=_OF_NOISE),
    Statistic("noise_correlation", "noise shared by neighbours", "correlation", 0.08,
              lambda p: noise_correlation(p.patches), (Mover("sensor.noise_reduction", 1),), "sensor.mosaic"),
    Statistic("edge_blur", "blur of the sharpest edges", "px", 0.12, lambda p: edge_blur(p.luma),
              (Mover("sensor.blur_px", 1), Mover("sensor.sharpening", -1))),
    Statistic("color_blur", "blur of the sharpest edges of colours", "px", 0.2, lambda p: color_blur(p.image),
              (Mover("sensor.noise_reduction", 1), Mover("sensor.blur_px", 1)), "sensor.mosaic"),
    Statistic("fine_detail", "fine detail compared with coarse", "dB", 1.5, lambda p: fine_detail(p.luma),
              (Mover("sensor.blur_px", -1), Mover("sensor.sharpening", 1), _GAIN)),
    Statistic("vignetting", "dark corners of the background", "stops", 0.1,
              lambda p: vignetting_ev(p.linear, p.is_background),
              (Mover("sensor.mechanical_vignetting_ev", 1), Mover("sensor.natural_vignetting", 1)),
              "the lamps: one above the middle looks the same"),
    Statistic("aberration", "red outside of blue at the corners", "px", 0.15,
              lambda p: aberration_px(p.image), (Mover("sensor.chromatic_aberration_px", 1),)),
    Statistic("jpeg_quality", "JPEG quality by its traces", "IJG quality", 4.0,
              lambda p: pixel_quality(p.luma), (Mover("sensor.jpeg_quality", 1),)),
)  # fmt: skip


BY_NAME = {statistic.name: statistic for statistic in STATISTICS}


def measured(image: ImageHW3U8) -> dict[str, Measure]:
    """All statistics of one image, by name."""
    return Picture(image).measures()
