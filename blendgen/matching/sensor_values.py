"""Sensor values: compression, colour, noise, sharpness, dark corners, lateral colour as fields of a spec.

In: a PhotoSet, and the Rig of the spec that is to be matched. Out: Guesses with their evidence, and what the
photos do not tell. Each step goes on with the rig of the steps before it, in this order: compression, edges
of colours, noise, sharpness, then what the lens does to the corners.
"""

from __future__ import annotations

import numpy as np

from blendgen.matching.color_values import ColorMatch
from blendgen.matching.evidence import Evidence, around, ranged
from blendgen.matching.noise_values import NoiseMatch
from blendgen.matching.photo_set import PhotoSet
from blendgen.matching.simulation import Rig, inverse
from blendgen.photos.jpeg import NO_TRACES
from blendgen.photos.sets import SetStatistic
from blendgen.starter.guess import rounded

_BLURS_PX = (0.0, 0.3, 0.5, 0.7, 0.9, 1.2, 1.6, 2.2, 3.0, 4.5, 7.0)
_SHARPENINGS = (0.0, 0.3, 0.6, 1.0, 1.5, 2.2, 3.0)
_SHARPER = 0.03  # px of edges, by which photos must be sharper than the sharpest lens
_STOPS = (0.0, 0.25, 0.5, 0.8, 1.2, 1.8, 2.6)
_SHIFTS_PX = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
_NO_STOPS, _SURE_STOPS = 0.1, 0.35
_LEAST_SHIFT_PX = 0.1
_JPEG_RANGE = 3.0


class SensorMatch(Evidence):
    """rig: that of the spec, with the values that are matched so far"""

    def __init__(self, photos: PhotoSet, rig: Rig):
        super().__init__(photos)
        self.rig = rig

    def run(self) -> SensorMatch:
        self._jpeg()
        colors = ColorMatch(self.photos, self.rig).run()
        noise = NoiseMatch(self.photos, colors.rig, colors.is_known).run()
        self.rig = noise.rig
        self.take(colors)
        self.take(noise)
        self._sharpness()
        self._vignetting()
        self._aberration()
        return self

    def _jpeg(self) -> None:
        resized = sum(photo.is_resized for photo in self.photos.photos)
        if 2 * resized > self.count:
            self.undetermined.append(
                f"sensor.jpeg_quality: {resized} of {self.count} photos are shrunk to the size of the "
                "images, after which no trace of their compression is left"
            )
            return
        traces = [photo.measures["jpeg_quality"] for photo in self.photos.photos]
        values = [one.value for one in traces if one.value is not None and one.value < NO_TRACES]
        source = "their pixels have traces of"
        if len(values) < self.count / 2:
            files = [photo.file_quality for photo in self.photos.photos]
            values, source = [one.value for one in files if one.value is not None], "their files are of"
        if len(values) < self.count / 2:
            self.undetermined.append("sensor.jpeg_quality: the photos have no traces of JPEG")
            return
        middle = float(np.median(values))
        low, high = (float(np.clip(np.quantile(values, q), 5, 100)) for q in (0.05, 0.95))
        value = ranged(low, high) if high - low > _JPEG_RANGE else rounded(middle, 3)
        self.add("sensor.jpeg_quality", value, f"{source} JPEG quality {middle:.0f}")
        self.rig = self.rig.with_values(jpeg_quality=middle)

    def _sharpness(self) -> None:
        edges = self.statistic("edge_blur")
        if not edges.is_known:
            self.undetermined.append(f"sharpness: {edges.reason}")
            return
        curve = self.rig.curve("edge_blur", "blur_px", _BLURS_PX)
        text = f"the sharpest edges are {edges.median:.2f} px wide"
        if edges.median < np.nanmin(curve) - _SHARPER:
            self._sharpening(edges, text)
            return
        blurs = inverse(_BLURS_PX, curve, self.values("edge_blur"))
        low, high = around(blurs, 0.1, 0, 20)
        self.add("sensor.blur_px", ranged(low, high), f"{text} (an ideal edge: 0.87)")
        self.rig = self.rig.with_values(blur_px=float(np.median(blurs)))

    def _sharpening(self, edges: SetStatistic, text: str) -> None:
        blur = float(min(self.rig.sensor.blur_px, 0.4))
        self.rig = self.rig.with_values(blur_px=blur)
        curve = self.rig.curve("edge_blur", "sharpening", _SHARPENINGS)
        strengths = inverse(_SHARPENINGS, curve, self.values("edge_blur"))
        low, high = around(strengths, 0.2, 0, 5)
        self.add("sensor.blur_px", rounded(blur), f"{text}, sharper than any lens draws them")
        self.add("sensor.sharpening", ranged(low, high), "so the camera, or what shrank the photos, sharpens")
        self.rig = self.rig.with_values(sharpening=float(np.median(strengths)))

    def _vignetting(self) -> None:
        corners = self.statistic("vignetting")
        if not corners.is_known:
            self.undetermined.append(f"dark corners: {corners.reason}")
            return
        low, high = corners.interval
        if high - low > 2 * _SURE_STOPS:
            self.undetermined.append(
                f"dark corners: between {low:.1f} and {high:.1f} stops, as the light differs between photos"
            )
            return
        flat = self.rig.with_values(natural_vignetting=0.0)
        curve = flat.curve("vignetting", "mechanical_vignetting_ev", _STOPS)
        least, most = inverse(_STOPS, curve, np.array([low, high]))
        middle = float(inverse(_STOPS, curve, np.array([corners.median]))[0])
        is_none = corners.median < _NO_STOPS
        value = 0 if is_none else ranged(max(float(least), 0.8 * middle), min(float(most), 1.25 * middle))
        reason = f"corners of the background are {max(corners.median, 0):.2f} stops darker than its middle"
        self.add("sensor.natural_vignetting", 0, "included in the next one")
        self.add("sensor.mechanical_vignetting_ev", value, reason)
        self.rig = flat.with_values(mechanical_vignetting_ev=0.0 if is_none else middle)

    def _aberration(self) -> None:
        shift = self.statistic("aberration")
        if not shift.is_known:
            self.undetermined.append(f"lateral colour: {shift.reason}")
            return
        curve = self.rig.curve("aberration", "chromatic_aberration_px", _SHIFTS_PX)
        values = inverse(_SHIFTS_PX, curve, self.values("aberration"))
        if not np.isfinite(values).all():
            self.undetermined.append("lateral colour: noise or compression of the matched sensor hides it")
            return
        middle = float(np.median(values))
        value = 0 if abs(middle) < _LEAST_SHIFT_PX else rounded(middle)
        reason = f"red lies {shift.median:.2f} px outside of blue, halved, at the corners"
        self.add("sensor.chromatic_aberration_px", value, reason)
