"""develop(film, shot, exposures) -> 8-bit images: the only step from linear light to display values.

The order is that of light and camera. The exposure sets the lamps (relight); the film is denoised. While
the shutter is open the belt moves (motion blur); the lens blurs, distorts and shades; the sensor counts;
the processor computes colours; then tone curve, grain and JPEG. Only the film's own noise is removed:
denoising comes before the sensor adds its noise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from blendgen.develop.defocus import defocus
from blendgen.develop.denoise import Denoiser
from blendgen.develop.display import to_8_bit, to_display
from blendgen.develop.encode import through_jpeg
from blendgen.develop.grain import add_grain
from blendgen.develop.lens import through_lens
from blendgen.develop.motion import motion_blur
from blendgen.develop.processing import process
from blendgen.develop.relight import by_duration, merged, mix_groups
from blendgen.develop.sensor import exposure_reserve, raw_dn
from blendgen.geometry.arrays import ImageHW3F32, ImageHW3U8
from blendgen.optics.distortion import distorted_light, pinhole
from blendgen.scene.film import Film
from blendgen.scene.shot import Camera, Exposure, Shot


@dataclass(frozen=True, eq=False)
class Picture:
    """A developed image, (h, w, 3) uint8 sRGB.

    clean_u8: the same without sensor noise, grain and compression; None unless requested
    """

    rgb_u8: np.ndarray
    clean_u8: np.ndarray | None = None


@dataclass(frozen=True)
class Developer:
    """Develops films; denoiser None leaves the noise of path tracing in the picture."""

    denoiser: Denoiser | None
    exposures_per_shot: int

    def develop(
        self,
        film: Film,
        shot: Shot,
        exposures: tuple[Exposure, ...],
        steady: Collection[str] = (),
        clean: bool = False,
    ) -> Iterator[Picture]:
        """One picture per exposure.

        film: of the pinhole of the shot's camera, as engines render it
        steady: light groups that are the same in all exposures of the shot; they are denoised together
        clean: also make the picture without noise
        """
        lit = self.lit(film, exposures, steady)
        for exposure, parts in zip(exposures, lit, strict=True):
            radiance = through_shutter(parts, film, shot)
            noiseless = finish(radiance, shot.camera, exposure, noise=False) if clean else None
            yield Picture(finish(radiance, shot.camera, exposure), noiseless)

    def develop_clean(
        self, film: Film, shot: Shot, exposure: Exposure, steady: Collection[str] = ()
    ) -> ImageHW3U8:
        """(h, w, 3) uint8 sRGB: only the picture without noise of one exposure."""
        (parts,) = self.lit(film, (exposure,), steady)
        return finish(through_shutter(parts, film, shot), shot.camera, exposure, noise=False)

    def lit(
        self, film: Film, exposures: tuple[Exposure, ...], steady: Collection[str] = ()
    ) -> Iterator[dict[float, np.ndarray]]:
        """Denoised radiance of each exposure: seconds of light -> (h, w, 3) float32; the sum is all light.

        Denoising is nearly additive, as light is. With more exposures than light groups it is cheaper, and
        closer to the converged picture, to denoise each group once. The choice follows from the spec and
        the film, not from the number of exposures that are requested now.
        """
        if self.denoiser is None or film.albedo_linear is None:
            return (_parts(film.radiance_linear, e) for e in exposures)
        groups = {g: r for g, r in film.radiance_linear.items() if r.any()} or film.radiance_linear
        groups, exposures = merged(groups, exposures, steady)
        if self.exposures_per_shot <= len(groups):
            return (self._clean_parts(_parts(groups, e), film) for e in exposures)
        clean = {group: self._denoise(radiance, film) for group, radiance in groups.items()}
        return (_parts(clean, e) for e in exposures)

    def _clean_parts(self, parts: dict[float, np.ndarray], film: Film) -> dict[float, np.ndarray]:
        return {time_s: self._denoise(radiance, film) for time_s, radiance in parts.items()}

    def _denoise(self, radiance, film: Film) -> np.ndarray:
        """Black stays black: there the denoiser would invent a little light."""
        if self.denoiser is None or not radiance.any():
            return radiance
        return self.denoiser(radiance, film.albedo_linear, film.normal_world)


def _parts(groups: dict[str, np.ndarray], exposure: Exposure) -> dict[float, np.ndarray]:
    return {
        time_s: mix_groups({name: groups[name] for name in names}, exposure)
        for time_s, names in by_duration(groups, exposure).items()
    }


def through_shutter(parts: dict[float, np.ndarray], film: Film, shot: Shot) -> ImageHW3F32:
    """(h, w, 3) float32 light in the frame of the shot's camera, blurred by the belt and by defocus.

    parts: seconds of light -> (h, w, 3) float32 in the frame of the pinhole
    """
    camera = pinhole(shot.camera)
    moving = [
        motion_blur(light, film.depth_m, camera, shot.surface, time_s, film.still)
        for time_s, light in parts.items()
    ]
    return distorted_light(defocus(sum(moving[1:], moving[0]), film.depth_m, camera), shot.camera)


def finish(
    radiance_linear: ImageHW3F32, camera: Camera, exposure: Exposure, noise: bool = True
) -> ImageHW3U8:
    """(h, w, 3) uint8 sRGB of the light (h, w, 3) that enters the lens.

    noise: without it, the picture of a camera without noise, grain and compression
    """
    sensor = exposure.sensor
    exposed = radiance_linear * np.float32(exposure.camera_gain * exposure_reserve(exposure))
    light = through_lens(exposed, camera, sensor)
    linear = process(raw_dn(light, exposure, noise), exposure)
    shown = to_display(linear, sensor.view)
    if not noise:
        return to_8_bit(shown)
    picture = to_8_bit(add_grain(shown, exposure.grain, sensor.grain_size_px, exposure.noise_seed))
    return picture if sensor.jpeg_quality is None else through_jpeg(picture, round(sensor.jpeg_quality))
