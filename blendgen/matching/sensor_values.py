"""Sensor values: noise, sharpness, compression, dark corners, lateral colour of photos as fields of a spec.

In: a PhotoSet, and the Rig of the spec that is to be matched. Out: Guesses with their evidence, and what the
photos do not tell. Each step goes on with the rig of the steps before it, in this order: compression, noise,
sharpness, then what the lens does to the corners.
"""

from __future__ import annotations

import numpy as np

from blendgen.geometry.arrays import ArrayN
from blendgen.matching.photo_set import PhotoSet
from blendgen.matching.simulation import Rig, inverse
from blendgen.photos.jpeg import NO_TRACES
from blendgen.photos.noise import BANDS, LEAST_NOISE
from blendgen.photos.sets import SetStatistic
from blendgen.starter.guess import Guess, rounded

_GAINS_DB = (0.0, 6.0, 12.0, 18.0, 24.0, 30.0, 36.0, 42.0)
_MOST_GAIN_DB = 48.0
_LEAST_GAIN_RANGE_DB = 2.0
_REDUCTIONS = (0.0, 0.3, 0.6, 0.9)
_LIKE = 0.08  # correlations of noise that are as good as the same
_READ_FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
_DARKER = 1.35  # ratio of the noise of dark parts, above which read noise is changed
_BLURS_PX = (0.0, 0.3, 0.5, 0.7, 0.9, 1.2, 1.6, 2.2, 3.0, 4.5, 7.0)
_SHARPENINGS = (0.0, 0.3, 0.6, 1.0, 1.5, 2.2, 3.0)
_SHARPER = 0.03  # px of edges, by which photos must be sharper than the sharpest lens
_STOPS = (0.0, 0.25, 0.5, 0.8, 1.2, 1.8, 2.6)
_SHIFTS_PX = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
_NO_STOPS, _SURE_STOPS = 0.1, 0.35
_LEAST_SHIFT_PX = 0.1
_JPEG_RANGE = 3.0
_NOISE_NAMES = tuple(f"noise_{band}" for band in BANDS)


class SensorMatch:
    """Collects what photos say about a sensor."""

    def __init__(self, photos: PhotoSet, rig: Rig):
        self.photos, self.rig = photos, rig
        self.guesses: list[Guess] = []
        self.undetermined: list[str] = []
        self.count = len(photos.photos)

    def run(self) -> SensorMatch:
        self._jpeg()
        self._noise()
        self._sharpness()
        self._vignetting()
        self._aberration()
        return self

    def _add(self, field: str, value: object, reason: str) -> None:
        self.guesses.append(Guess(tuple(field.split(".")), value, reason, f"{self.count} photos"))

    def _statistic(self, name: str) -> SetStatistic:
        return self.photos.statistics[name]

    def _values(self, name: str) -> ArrayN:
        return np.array(self._statistic(name).values)

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
        self._add("sensor.jpeg_quality", value, f"{source} JPEG quality {middle:.0f}")
        self.rig = self.rig.with_values(jpeg_quality=middle)

    def _noise(self) -> None:
        known = [name for name in _NOISE_NAMES if self._statistic(name).is_known]
        if not known:
            self.undetermined.append(f"noise: {self._statistic('noise_mid').reason}")
            return
        levels = {name: self._statistic(name).median for name in known}
        text = ", ".join(
            f"{level:.1f} at {name.removeprefix('noise_')} levels" for name, level in levels.items()
        )
        if max(levels.values()) < LEAST_NOISE:
            self._little_noise(known)
            return
        reduction, gains = self._reduction_and_gains(known)
        if reduction != self.rig.sensor.noise_reduction:
            shared = self._statistic("noise_correlation").median
            self._add("sensor.noise_reduction", reduction, f"neighbours share their noise ({shared:.2f})")
        self.rig = self.rig.with_values(noise_reduction=reduction, gain_db=float(np.median(gains)))
        if np.median(gains) <= 0.5:
            self._larger_well(known)
        else:
            low, high = around(gains, _LEAST_GAIN_RANGE_DB, 0, _MOST_GAIN_DB)
            self._add("exposure.gain_db", ranged(low, high), f"noise of {text}, of 255")
        self._read_noise()

    def _little_noise(self, known: list[str]) -> None:
        curve = self._loudest(known, self.rig.sensor.noise_reduction)
        most = float(inverse(_GAINS_DB, curve, np.array([LEAST_NOISE]))[0])
        if not np.isfinite(most) or curve[0] > 1.5 * LEAST_NOISE:
            self._larger_well(known)
            return
        reason = f"hardly any noise: below {LEAST_NOISE:g} levels of 255"
        self._add("exposure.gain_db", ranged(0, max(most, 1.0)), reason)
        self.rig = self.rig.with_values(gain_db=most / 2)

    def _loudest(self, known: list[str], reduction: float) -> ArrayN:
        results = [self.rig.statistics(known, noise_reduction=reduction, gain_db=gain) for gain in _GAINS_DB]
        return np.array([max((v for v in one.values() if v is not None), default=np.nan) for one in results])

    def _reduction_and_gains(self, known: list[str]) -> tuple[float, ArrayN]:
        """The noise reduction at which neighbours share their noise as in the photos, and the gains with it.

        That of the spec stays if it is as good as any.
        """
        own = float(self.rig.sensor.noise_reduction)
        shared = self._statistic("noise_correlation")
        tried = {own: self._gains(known, own)}
        misfit = {own: self._misfit(own, tried[own])} if shared.is_known else {own: 0.0}
        if misfit[own] <= _LIKE:
            return own, tried[own]
        for reduction in _REDUCTIONS:
            tried[reduction] = self._gains(known, reduction)
            misfit[reduction] = self._misfit(reduction, tried[reduction])
        best = min(misfit, key=lambda one: (misfit[one], one != own))
        best = best if misfit[best] < misfit[own] - _LIKE / 2 else own
        return best, tried[best]

    def _misfit(self, reduction: float, gains: ArrayN) -> float:
        gain = float(np.median(gains))
        result = self.rig.statistics(["noise_correlation"], noise_reduction=reduction, gain_db=gain)
        simulated, wanted = result["noise_correlation"], self._statistic("noise_correlation").median
        return 1.0 if simulated is None else abs(simulated - wanted)

    def _gains(self, known: list[str], reduction: float) -> ArrayN:
        """The gain of each photo, by the mean of the logarithms of its noise over the levels it shows."""
        curves = [self.rig.statistics(known, noise_reduction=reduction, gain_db=gain) for gain in _GAINS_DB]
        gains = []
        for photo in self.photos.photos:
            noise = {name: photo.measures[name].value for name in known}
            names = [name for name, value in noise.items() if value is not None]
            if names:
                wanted = np.mean([_log(noise[name]) for name in names])
                curve = [np.mean([_log(one[name]) for name in names]) for one in curves]
                gains.append(float(inverse(_GAINS_DB, np.array(curve), np.array([wanted]))[0]))
        usable = [gain for gain in gains if np.isfinite(gain)]
        return np.array(usable or [0.0])

    def _larger_well(self, known: list[str]) -> None:
        """Photos with less noise than the sensor of the spec has at no gain: noise falls with the root."""
        results = self.rig.statistics(known, gain_db=0.0)
        simulated = {name: value for name, value in results.items() if value is not None}
        ratios = [value / max(self._statistic(name).median, LEAST_NOISE) for name, value in simulated.items()]
        factor = max(1.0, float(np.median(ratios)) ** 2) if ratios else 1.0
        self._add("exposure.gain_db", ranged(0, 1), "as little noise as this sensor can have")
        self.rig = self.rig.with_values(gain_db=0.0)
        if factor > 1.1:
            well = rounded(min(self.rig.sensor.full_well_e * factor, 1e6))
            self._add(
                "sensor.full_well_e", well, f"{np.sqrt(factor):.1f} times less noise than of the sensor"
            )
            self.rig = self.rig.with_values(full_well_e=well)

    def _read_noise(self) -> None:
        """By how much louder dark parts are than mid tones."""
        dark, mid = self._statistic("noise_dark"), self._statistic("noise_mid")
        if not (dark.is_known and mid.is_known) or min(dark.median, mid.median) < LEAST_NOISE:
            return
        wanted, own = dark.median / mid.median, max(self.rig.sensor.read_noise_e, 0.5)
        values = [factor * own for factor in _READ_FACTORS]
        results = [self.rig.statistics(["noise_dark", "noise_mid"], read_noise_e=value) for value in values]
        curve = np.array([_ratio(one["noise_dark"], one["noise_mid"]) for one in results])
        now = curve[_READ_FACTORS.index(1.0)]
        if not np.isfinite(now) or 1 / _DARKER < wanted / now < _DARKER:
            return
        value = rounded(float(inverse(values, curve, np.array([wanted]))[0]))
        self._add("sensor.read_noise_e", value, f"dark parts have {wanted:.1f} times the noise of mid tones")
        self.rig = self.rig.with_values(read_noise_e=value)

    def _sharpness(self) -> None:
        edges = self._statistic("edge_blur")
        if not edges.is_known:
            self.undetermined.append(f"sharpness: {edges.reason}")
            return
        curve = self.rig.curve("edge_blur", "blur_px", _BLURS_PX)
        text = f"the sharpest edges are {edges.median:.2f} px wide"
        if edges.median < np.nanmin(curve) - _SHARPER:
            self._sharpening(edges, text)
            return
        blurs = inverse(_BLURS_PX, curve, self._values("edge_blur"))
        low, high = around(blurs, 0.1, 0, 20)
        self._add("sensor.blur_px", ranged(low, high), f"{text} (an ideal edge: 0.87)")
        self.rig = self.rig.with_values(blur_px=float(np.median(blurs)))

    def _sharpening(self, edges: SetStatistic, text: str) -> None:
        blur = float(min(self.rig.sensor.blur_px, 0.4))
        self.rig = self.rig.with_values(blur_px=blur)
        curve = self.rig.curve("edge_blur", "sharpening", _SHARPENINGS)
        strengths = inverse(_SHARPENINGS, curve, self._values("edge_blur"))
        low, high = around(strengths, 0.2, 0, 5)
        self._add("sensor.blur_px", rounded(blur), f"{text}, sharper than any lens draws them")
        self._add(
            "sensor.sharpening", ranged(low, high), "so the camera, or what shrank the photos, sharpens"
        )
        self.rig = self.rig.with_values(sharpening=float(np.median(strengths)))

    def _vignetting(self) -> None:
        corners = self._statistic("vignetting")
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
        self._add("sensor.natural_vignetting", 0, "included in the next one")
        self._add("sensor.mechanical_vignetting_ev", value, reason)
        self.rig = flat.with_values(mechanical_vignetting_ev=0.0 if is_none else middle)

    def _aberration(self) -> None:
        shift = self._statistic("aberration")
        if not shift.is_known:
            self.undetermined.append(f"lateral colour: {shift.reason}")
            return
        curve = self.rig.curve("aberration", "chromatic_aberration_px", _SHIFTS_PX)
        values = inverse(_SHIFTS_PX, curve, self._values("aberration"))
        if not np.isfinite(values).all():
            self.undetermined.append("lateral colour: noise or compression of the matched sensor hides it")
            return
        middle = float(np.median(values))
        value = 0 if abs(middle) < _LEAST_SHIFT_PX else rounded(middle)
        reason = f"red lies {shift.median:.2f} px outside of blue, halved, at the corners"
        self._add("sensor.chromatic_aberration_px", value, reason)


def ranged(low: float, high: float) -> object:
    """A uniform distribution, or a constant where its ends are the same."""
    one, other = rounded(low), rounded(high)
    return one if one >= other else {"uniform": [one, other]}


def around(values: ArrayN, least: float, low: float, high: float) -> tuple[float, float]:
    """The middle nine tenths of values, at least so wide, within bounds; one value has no spread."""
    start, end = (float(q) for q in np.quantile(values, (0.05, 0.95)))
    missing = max(0.0, least - (end - start)) / 2
    return max(low, start - missing), min(high, end + missing)


def _log(value: float | None) -> float:
    """Of noise; below what can be measured all is the same."""
    return float("nan") if value is None else float(np.log(max(value, LEAST_NOISE / 2)))


def _ratio(one: float | None, other: float | None) -> float:
    return float("nan") if one is None or not other else one / other
