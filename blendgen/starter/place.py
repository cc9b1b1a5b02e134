"""Place: what a photo of a place says about a scene there, as Guesses, and what it does not say.

In: a photo, and the sizes of the models. Out: a Place. The colour of a surface and that of its light cannot
be separated by one photo: where nothing white is in it, the light is taken as white.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blendgen.errors import SetupError, UsageError
from blendgen.files.photos import IMAGE_ERRORS, ReaderMissing, image_fault, read_photo
from blendgen.geometry.arrays import FloatArray, ImageHW3U8, ImageHWF32
from blendgen.geometry.color import blackbody_linear, linear_to_srgb, srgb_to_linear, white_balance_gain
from blendgen.photos.background import Background, background, clipped_share, light_temperature_k
from blendgen.photos.detail import blur_px, noise_levels
from blendgen.photos.exif import Exif, read_exif
from blendgen.spec.presets import preset_values
from blendgen.starter.guess import Guess, rounded, uniform
from blendgen.starter.ranges import FRAME_FILL, SENSOR_WIDTH_MM, Sizes, length

_SMALL_PX = 256
_SHORT_SIDE_PX = 224
_LEAST_SHARE = 0.25  # of the pixels, for the colour of a surface
_NEUTRAL_K = (5600.0, 7600.0)
_CLIPPED_SHARE = 0.02
_CLOSEST_M = 0.08  # that the lenses of phones focus
_VISIBLE_NOISE, _VISIBLE_BLUR_PX = 1.0, 0.6
_PHONE_LENS_MM = 10.0
_MOST_GAIN_DB = 36.0
_SENSOR = "machine_vision"  # a camera of usual noise, as spec/load.py has it
_NEVER_READ = "the direction of the light, how hard its shadows are, what the surface is made of"


@dataclass(frozen=True)
class Place:
    """What was read off a photo.

    resolution: (width, height) of images with its aspect ratio
    guesses: all values, by the name of their field
    not_read: what the photo does not say, one line each
    """

    resolution: Guess
    guesses: tuple[Guess, ...]
    not_read: tuple[str, ...]

    def guess(self, field: str) -> Guess | None:
        return next((one for one in self.guesses if one.field == field), None)

    def of_section(self, section: str) -> tuple[Guess, ...]:
        return tuple(one for one in self.guesses if one.path[0] == section)


def read_place(path: Path, sizes: Sizes) -> Place:
    """Read a photo.

    raises: UsageError if it cannot be used; SetupError for HEIC if its reader is missing; DiskUnavailable
    """
    try:
        exif = read_exif(path)
        photo = read_photo(path, max(exif.size))
        small = read_photo(path, _SMALL_PX)
    except ReaderMissing as error:
        raise SetupError(f"{path}: {error}") from None
    except IMAGE_ERRORS as error:
        raise UsageError(
            f"{path}: {image_fault(error)}; --from expects a photo: JPEG, PNG, WebP or HEIC"
        ) from None
    return _Reader(path.name, exif, photo, small, sizes).place()


class _Reader:
    """Collects what one photo says."""

    def __init__(self, name: str, exif: Exif, photo: ImageHW3U8, small: ImageHW3U8, sizes: Sizes):
        self.name, self.exif, self.photo, self.small, self.sizes = name, exif, photo, small, sizes
        self.height, self.width = photo.shape[:2]
        self.guesses: list[Guess] = []
        self.not_read: list[str] = []

    def place(self) -> Place:
        resolution = self._resolution()
        surface = background(self.small)
        light_k = self._light(surface)
        self._surface(surface, light_k)
        self._brightness()
        self._lens()
        self._shutter()
        self._sensor(resolution.value)
        self.not_read.append(_NEVER_READ)
        return Place(resolution, tuple(self.guesses), tuple(self.not_read))

    def _add(self, field: str, value: object, reason: str) -> None:
        self.guesses.append(self._guess(field, value, reason))

    def _guess(self, field: str, value: object, reason: str) -> Guess:
        return Guess(tuple(field.split(".")), value, f"guess from {self.name}: {reason}", self.name)

    def _resolution(self) -> Guess:
        size = resolution_like(self.width, self.height)
        return self._guess("resolution", size, f"the shape of its {self.width} x {self.height} pixels")

    def _light(self, surface: Background) -> float | None:
        """The temperature of a coloured light; None for white light, or if nothing says what it is."""
        light_k = light_temperature_k(self.small, surface)
        if light_k is None:
            self.not_read.append("the colour of the light: nothing in the photo is white; taken as white")
            return None
        if _NEUTRAL_K[0] <= light_k <= _NEUTRAL_K[1]:
            reason = (
                f"its whites look white ({light_k:.0f} K), so the camera corrects the colour of the light"
            )
            self._add("exposure.white_balance", uniform(0.85, 1), reason)
            return None
        tone = "yellowish" if light_k < _NEUTRAL_K[0] else "bluish"
        near = uniform(max(0.92 * light_k, 1700), 1.08 * light_k)
        self._add("exposure.environment_temperature_k", near, f"its whites are {tone}, as at {light_k:.0f} K")
        self._add("exposure.lamp_temperature_k", near, "likewise")
        self._add("exposure.white_balance_mode", "fixed", "so that this colour stays in the images")
        self._add("exposure.white_balance_temperature_k", 6500, "likewise")
        self._add("exposure.white_balance", 1, "likewise")
        return light_k

    def _surface(self, surface: Background, light_k: float | None) -> None:
        if surface.share < _LEAST_SHARE:
            self.not_read.append(f"the colour of the surface: no colour has {_LEAST_SHARE:.0%} of the photo")
            return
        colors = [
            _hex(one, light_k) for one in (surface.rgb_linear, surface.darker_linear, surface.lighter_linear)
        ]
        weights = dict(zip(colors, (2, 1, 1), strict=False))
        reason = f"{surface.share:.0%} of it has about this colour; its darker and its lighter parts"
        self._add("surface.color", {"choice": weights} if len(weights) > 1 else colors[0], reason)

    def _brightness(self) -> None:
        clipped = clipped_share(self.small)
        if clipped > _CLIPPED_SHARE:
            value = {"truncated_normal": [0.2, 0.3, -0.4, 0.7]}
            self._add(
                "exposure.camera_ev", value, f"{clipped:.0%} of it is pure white, so it is exposed long"
            )
        else:
            value = {"truncated_normal": [0, 0.25, -0.5, 0.5]}
            self._add("exposure.camera_ev", value, "at 0 a surface is as bright as in the photo")

    def _lens(self) -> None:
        focal_mm = self.exif.focal_length_35mm
        if focal_mm is None:
            self.not_read.append("the lens: the photo does not state a focal length (35 mm equivalent)")
            return
        away_m = self.sizes.usual_m * focal_mm / SENSOR_WIDTH_MM / float(np.mean(FRAME_FILL))
        if away_m < _CLOSEST_M:
            self.not_read.append(
                f"the lens: {focal_mm:g} mm would be {length(away_m)} from the models; the images are like "
                "parts cut out of such a photo"
            )
            return
        reason = f"its EXIF data say {focal_mm:g} mm on 35 mm film"
        self._add("camera.focal_length_mm", uniform(max(4, 0.95 * focal_mm), 1.05 * focal_mm), reason)
        if self.height > self.width:
            side_mm = rounded(SENSOR_WIDTH_MM * self.width / self.height, 3)
            self._add("camera.sensor_width_mm", max(side_mm, 1), "the photo is upright: its short side")

    def _shutter(self) -> None:
        if self.exif.exposure_time_s is not None:
            time_s = self.exif.exposure_time_s
            low, high = rounded(time_s / 1.5), rounded(time_s * 1.5)
            self._add("exposure.time_s", {"log_uniform": [low, high]}, f"its EXIF data say {time_s:.3g} s")

    def _sensor(self, resolution: list[int]) -> None:
        shrunk = max(1.0, self.width / resolution[0])
        luma = (self.photo @ np.array([0.299, 0.587, 0.114], np.float32)).astype(np.float32)
        lens_mm, preset = self.exif.focal_length_mm, _SENSOR
        blur = self._visible_blur_px(luma, shrunk)
        if lens_mm is not None and lens_mm < _PHONE_LENS_MM:
            preset = "phone"
            self._add("sensor", preset, f"its lens has {lens_mm:g} mm, as those of phones")
        else:
            self.not_read.append("the kind of camera: its EXIF data do not show that it was a phone")
        if blur is not None:
            self.guesses = [one for one in self.guesses if one.field != "sensor"]
            value = {"preset": preset, "blur_px": uniform(0.8 * blur, min(1.2 * blur, 20))}
            self._add("sensor", value, f"its edges are blurred by {blur:.1f} px at the size of the images")
        self._noise(luma, shrunk, preset_values("sensors", preset))

    def _visible_blur_px(self, luma: ImageHWF32, shrunk: float) -> float | None:
        """The blur at the size of the images, if the sensor's own does not cover it."""
        blur = blur_px(luma) if min(luma.shape) > 8 else None
        if blur is None:
            self.not_read.append("the sharpness: the photo has too few strong edges")
            return None
        return blur / shrunk if blur / shrunk > _VISIBLE_BLUR_PX else None

    def _noise(self, luma: ImageHWF32, shrunk: float, preset: dict[str, float]) -> None:
        measured = noise_levels(luma) if min(luma.shape) > 8 else None
        if measured is None:
            self.not_read.append("the noise: no part of the photo is flat and neither black nor white")
            return
        noise, level = measured[0] / shrunk, measured[1]
        if noise < _VISIBLE_NOISE:
            self._add(
                "exposure.gain_db", uniform(0, 6), f"hardly any noise ({noise:.1f} levels at this size)"
            )
            return
        gain = _gain_db(noise, level, preset)
        value = uniform(max(0, gain - 3), min(gain + 3, 48))
        self._add("exposure.gain_db", value, f"noise of {noise:.1f} of 255 levels, or fine texture")


def resolution_like(width: int, height: int) -> list[int]:
    """[width, height] of images with the shape of a photo, as large as most classifiers take them."""
    scale = max(min(width, height, _SHORT_SIDE_PX), 16) / min(width, height)
    return [min(max(16, round(side * scale / 8) * 8), 2048) for side in (width, height)]


def _gain_db(noise: float, level: float, preset: dict[str, float]) -> float:
    """The gain at which photon noise has this standard deviation, in levels at a mean level."""
    low, middle, high = (srgb_to_linear(np.clip((level + d) / 255, 0, 1)) for d in (-noise, 0, noise))
    signal_to_noise = float(2 * middle / max(float(high - low), 1e-6))
    electrons = preset["full_well_e"] * 2 ** -preset.get("headroom_ev", 0.0) * float(middle)
    gain = 20 * math.log10(max(electrons, 1e-6) / signal_to_noise**2)
    return min(max(gain, 3.0), _MOST_GAIN_DB)


def _hex(rgb_linear: FloatArray, light_k: float | None) -> str:
    """The colour as under white light."""
    if light_k is not None:
        rgb_linear = rgb_linear * white_balance_gain(blackbody_linear(light_k), 1.0)
    levels = np.clip(np.round(255 * linear_to_srgb(rgb_linear)), 0, 255).astype(int)
    return "#" + "".join(f"{level:02x}" for level in levels)
