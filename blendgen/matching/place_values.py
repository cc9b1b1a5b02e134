"""Place values: colour of the light, brightness and background of photos as fields of a spec.

In: a PhotoSet, and the tone curve of the sensor. Out: Guesses with their evidence, and what the photos do not
tell. The colour of a surface and that of its light cannot be separated where nothing in the photos is white;
nor can its brightness and the exposure: the surface gets what is usual of both, the exposure what varies.
"""

from __future__ import annotations

import numpy as np

from blendgen.geometry.arrays import FloatArray
from blendgen.geometry.color import blackbody_linear, linear_to_srgb, luminance, white_balance_gain
from blendgen.matching.evidence import Evidence, around, ranged
from blendgen.matching.photo_set import PhotoSet
from blendgen.matching.simulation import scene_linear
from blendgen.photos.background import Background, oklab
from blendgen.photos.measure import spread
from blendgen.photos.sets import FEWEST
from blendgen.starter.guess import rounded

_WITH_WHITES = 0.3  # share of the photos that must have something white
_LEAST_KELVIN = 300.0
_ALIKE = 0.06  # OKLab distance of backgrounds that are the same thing; lightness counts half, as light varies
_LIGHTNESS_WEIGHT = 0.5
_MOST_COLORS = 8
_LIGHTEST = 0.85  # of a surface, linear, in each channel: what is brighter in a photo is lit more
_ONE_PLACE = 0.6  # share of the photos with the same background, in which exposures can be compared
_LEAST_EV = 0.1
_MOST_EV = 2.0
_NEVER = (
    "lighting: number, kind, size and direction of the lamps, how hard shadows are; surface.kind: what the "
    "surface is made of; camera: where it is and what lens it has"
)


class PlaceMatch(Evidence):
    """view: the tone curve of the sensor"""

    def __init__(self, photos: PhotoSet, view: str):
        super().__init__(photos)
        self.view = view

    def run(self) -> PlaceMatch:
        kelvin = self._light()
        groups = self._groups(kelvin)
        self._brightness(groups)
        self._surface(groups)
        self.undetermined.append(_NEVER)
        return self

    def _light(self) -> float | None:
        """The usual temperature of the light that is left in the photos."""
        kelvin = [photo.light_k for photo in self.photos.photos if photo.light_k is not None]
        if len(kelvin) < max(1, _WITH_WHITES * self.count):
            self.undetermined.append(
                f"the colour of the light: {len(kelvin)} of {self.count} photos have something white; "
                "taken as white"
            )
            return None
        low, high = around(np.array(kelvin), _LEAST_KELVIN, 2000, 12000)
        middle = float(np.median(kelvin))
        start, end = np.quantile(kelvin, (0.05, 0.95))
        text = f"white things look as at {middle:.0f} K in {len(kelvin)} photos, {start:.0f} to {end:.0f} K"
        self.add("exposure.white_balance_mode", "fixed", "so that what the camera leaves of the light stays")
        self.add(
            "exposure.white_balance_temperature_k", 6500, "white: the light below is what the camera leaves"
        )
        self.add("exposure.white_balance", 1, "of the light that it is set for")
        self.add("exposure.environment_temperature_k", ranged(low, high), text)
        same = {"same_as": "exposure.environment_temperature_k"}
        self.add("exposure.lamp_temperature_k", same, "the photos show the sum of all light")
        return middle

    def _groups(self, kelvin: float | None) -> list[list[FloatArray]]:
        """Colours of backgrounds in white light, linear, those of the same thing together; largest first."""
        groups: list[list[FloatArray]] = []
        for photo in self.photos.photos:
            if photo.background is None:
                continue
            color = self._in_white_light(photo.background, photo.light_k or kelvin)
            near = [group for group in groups if _distance(group[0], color) < _ALIKE]
            if near:
                near[0].append(color)
            else:
                groups.append([color])
        return sorted(groups, key=len, reverse=True)

    def _in_white_light(self, background: Background, kelvin: float | None) -> FloatArray:
        color = background.rgb_linear
        if kelvin is not None:
            color = color * np.array(white_balance_gain(blackbody_linear(kelvin), 1.0))
        return scene_linear(np.clip(color, 0, 1), self.view)

    def _brightness(self, groups: list[list[FloatArray]]) -> None:
        largest = groups[0] if groups else []
        if len(largest) < max(FEWEST, _ONE_PLACE * self.count):
            self.undetermined.append(
                "exposure.camera_ev: exposures can be compared only in photos of the same background, and "
                f"{len(largest)} of {self.count} have the same one"
            )
            return
        stops = np.log2([max(float(luminance(color)), 1e-4) for color in largest])
        away = stops - np.median(stops)
        low, high = around(away, 2 * _LEAST_EV, -_MOST_EV, _MOST_EV)
        deviation = max(spread(away), _LEAST_EV)
        value = {"truncated_normal": [0, rounded(deviation), rounded(low), rounded(high)]}
        self.add(
            "exposure.camera_ev", value, f"brightness of the background varies by {deviation:.2f} stops (SD)"
        )

    def _surface(self, groups: list[list[FloatArray]]) -> None:
        if not groups:
            reason = self.photos.statistics["background_lightness"].reason
            self.undetermined.append(f"surface.color: {reason}")
            return
        weights: dict[str, int] = {}
        for group in groups[:_MOST_COLORS]:
            color = np.median(group, axis=0)
            name = hex_of(color * min(1.0, _LIGHTEST / max(color.max(), 1e-4)))
            weights[name] = weights.get(name, 0) + len(group)
        with_background = sum(map(len, groups))
        text = f"background of {with_background} of {self.count} photos"
        text += f", of {len(groups)} colours" if len(groups) > 1 else ""
        value = {"choice": weights} if len(weights) > 1 else next(iter(weights))
        self.add("surface.color", value, text)


def _distance(one: FloatArray, other: FloatArray) -> float:
    """In OKLab."""
    difference = (oklab(one) - oklab(other)) * [_LIGHTNESS_WEIGHT, 1, 1]
    return float(np.linalg.norm(difference))


def hex_of(rgb_linear: FloatArray) -> str:
    levels = np.clip(np.round(255 * linear_to_srgb(rgb_linear)), 0, 255).astype(int)
    return "#" + "".join(f"{level:02x}" for level in levels)
