"""develop(film, exposure) -> 8-bit image: light, lens, sensor, processing, tone curve, grain, JPEG.

The order is the camera's: light falls (relight) and is metered (camera gain), the lens lays it on
the sensor, the sensor counts it, the processor makes colours of it, the tone curve shows it.
Denoising belongs to the path tracing's noise and comes before the camera adds its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from blendgen.develop.denoise import Denoiser
from blendgen.develop.display import to_8_bit, to_display
from blendgen.develop.encode import through_jpeg
from blendgen.develop.grain import add_grain
from blendgen.develop.lens import through_lens
from blendgen.develop.processing import process
from blendgen.develop.relight import by_duration, merged, mix_groups
from blendgen.develop.sensor import exposure_reserve, raw_dn
from blendgen.scene.film import Film
from blendgen.scene.shot import Camera, Exposure


@dataclass(frozen=True)
class Developer:
    """Turns films into pictures; denoiser None leaves the film as it is."""

    denoiser: Denoiser | None
    exposures_per_shot: int

    def lit(
        self, film: Film, exposures: tuple[Exposure, ...], steady: Collection[str] = ()
    ) -> Iterator[dict[float, np.ndarray]]:
        """Clean radiance under each exposure's lights: seconds of light -> (h, w, 3) float32, to be added.

        steady: groups that no exposure of the shot changes; they are denoised together

        Denoising adds up like light does, nearly: with more exposures than groups it is cheaper,
        and closer to the converged picture, to denoise the groups once. Which way is taken follows
        from the spec and the film, not from how many of the exposures are wanted now.
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
        """In the dark the denoiser would see a little light."""
        return self.denoiser(radiance, film.albedo_linear, film.normal_world) if radiance.any() else radiance


def _parts(groups: dict[str, np.ndarray], exposure: Exposure) -> dict[float, np.ndarray]:
    return {
        time_s: mix_groups({name: groups[name] for name in names}, exposure)
        for time_s, names in by_duration(groups, exposure).items()
    }


def finish(radiance_linear, camera: Camera, exposure: Exposure, noise: bool = True) -> np.ndarray:
    """(h, w, 3) uint8 sRGB of radiance that falls into the camera.

    noise: without it, the same picture as a camera without noise, grain and compression takes it
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
