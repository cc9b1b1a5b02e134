"""develop(film, exposure) -> 8-bit image: relight, denoise, expose, blur, sense, display, grain.

The order is the camera's: light falls (relight), the lens lets it in (gain, blur), the sensor
counts it (noise, saturation), white balance corrects it, the tone curve shows it. Denoising
belongs to the path tracing's noise and comes before the camera adds its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blendgen.develop.denoise import Denoiser
from blendgen.develop.display import to_8_bit, to_display
from blendgen.develop.lens import blur
from blendgen.develop.relight import mix_groups
from blendgen.develop.sensor import add_grain, sense
from blendgen.shot import Exposure, Film
from blendgen.spec.presets import SensorSettings


@dataclass(frozen=True)
class Developer:
    """Turns films into pictures with one sensor; denoiser None leaves the film as it is."""

    sensor: SensorSettings
    denoiser: Denoiser | None
    exposures_per_shot: int

    def develop(self, film: Film, exposures: tuple[Exposure, ...]) -> list[np.ndarray]:
        """(h, w, 3) uint8 sRGB for each exposure of a film."""
        return [self._finish(radiance, e) for radiance, e in self._lit(film, exposures)]

    def _lit(self, film: Film, exposures):
        """Clean radiance under each exposure's lights.

        Denoising adds up like light does, nearly: with more exposures than groups it is cheaper,
        and closer to the converged picture, to denoise the groups once. Which way is taken follows
        from the spec and the film, not from how many of the exposures are wanted now.
        """
        if self.denoiser is None or film.albedo_linear is None:
            return [(mix_groups(film.radiance_linear, e), e) for e in exposures]
        groups = {g: r for g, r in film.radiance_linear.items() if r.any()}
        if self.exposures_per_shot <= len(groups):
            return [(self._denoise(mix_groups(groups, e), film), e) for e in exposures]
        clean = {group: self._denoise(radiance, film) for group, radiance in groups.items()}
        return [(mix_groups(clean, e), e) for e in exposures]

    def _denoise(self, radiance, film: Film) -> np.ndarray:
        return self.denoiser(radiance, film.albedo_linear, film.normal_world)

    def _finish(self, radiance_linear, exposure: Exposure) -> np.ndarray:
        exposed = radiance_linear * np.float32(exposure.camera_gain)
        focused = blur(exposed, self.sensor.blur_px)
        sensed = sense(focused, self.sensor, exposure.gain_db, exposure.noise_seed)
        balanced = sensed * np.asarray(exposure.white_balance_gain, np.float32)
        shown = to_display(balanced, self.sensor.view)
        return to_8_bit(add_grain(shown, self.sensor, exposure.grain, exposure.noise_seed))
