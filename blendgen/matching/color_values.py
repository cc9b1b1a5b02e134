"""Colour values: how much the processor of a camera blurs colours, by the edges of colours in photos.

In: a PhotoSet, and the Rig of the spec with the values that are matched so far. Out: Guesses for the colour
filter array and the noise reduction, which blur colours more than light. Neither is visible at the size of
the images where photos were taken with many more pixels.
"""

from __future__ import annotations

import numpy as np

from blendgen.matching.evidence import Evidence
from blendgen.matching.photo_set import PhotoSet
from blendgen.matching.simulation import Rig, inverse
from blendgen.starter.guess import rounded

_REDUCTIONS = (0.0, 0.15, 0.3, 0.5, 0.7, 0.9)
_ALIKE = 1.3  # ratio up to which blurs are the same: things in photos are not those of the chart
_MANY_PIXELS = 1.5  # photos that are shrunk so much have no pixel without red, green and blue


class ColorMatch(Evidence):
    """rig: that of the spec, with the values that are matched so far"""

    def __init__(self, photos: PhotoSet, rig: Rig):
        super().__init__(photos)
        self.rig = rig
        self.is_known = False

    def run(self) -> ColorMatch:
        if self.rig.sensor.mosaic == "mono":
            return self
        self._shrunk_mosaic()
        blur = self.statistic("color_blur")
        if not blur.is_known:
            self.undetermined.append(f"blur of colours: {blur.reason}")
            return self
        text = f"edges of colours are {blur.median:.2f} px wide"
        own = self.rig.statistics(["color_blur"])["color_blur"]
        self.is_known = own is not None
        if own is not None and not 1 / _ALIKE < blur.median / own < _ALIKE:
            self._processing(blur.median, own, text)
        return self

    def _shrunk_mosaic(self) -> None:
        shrunk = float(np.median([photo.shrunk for photo in self.photos.photos]))
        if self.rig.sensor.mosaic == "rggb" and shrunk >= _MANY_PIXELS:
            reason = f"photos have {shrunk:.1f} times the pixels of the images in each direction, so each"
            self._without_mosaic(f"{reason} pixel of an image sees all colours")

    def _without_mosaic(self, reason: str) -> None:
        self.add("sensor.mosaic", "none", reason)
        self.rig = self.rig.with_values(mosaic="none")

    def _processing(self, wanted: float, own: float, text: str) -> None:
        """Sharper or softer colours than those of the spec."""
        curve = self.rig.curve("color_blur", "noise_reduction", _REDUCTIONS)
        if self.rig.sensor.mosaic == "rggb" and wanted < curve[0] / _ALIKE:
            self._without_mosaic(f"{text}, sharper than a mosaic of so few pixels draws them")
            curve = self.rig.curve("color_blur", "noise_reduction", _REDUCTIONS)
        matched = float(inverse(_REDUCTIONS, curve, np.array([wanted]))[0])
        if not np.isfinite(matched):
            self.undetermined.append("sensor.noise_reduction: the matched camera shows no edges of colours")
            return
        reduction = rounded(matched)
        if reduction != self.rig.sensor.noise_reduction:
            self.add("sensor.noise_reduction", reduction, f"{text}; those of the spec are {own:.2f} px wide")
            self.rig = self.rig.with_values(noise_reduction=reduction)
