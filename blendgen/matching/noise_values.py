"""Noise values: gain, noise reduction and read noise of a sensor, by the noise of photos.

In: a PhotoSet, and the Rig of the spec with the values that are matched so far. Out: Guesses with their
evidence. Fine texture looks like noise, and is never taken for less of it: the quieter levels of a photo and
the quieter half of the photos count.
"""

from __future__ import annotations

import numpy as np

from blendgen.geometry.arrays import ArrayN
from blendgen.matching.evidence import Evidence, around, ranged
from blendgen.matching.photo_set import Photo, PhotoSet
from blendgen.matching.simulation import Rig, inverse
from blendgen.photos.noise import BANDS, LEAST_NOISE
from blendgen.photos.sets import FEWEST
from blendgen.starter.guess import rounded

_GAINS_DB = (0.0, 6.0, 12.0, 18.0, 24.0, 30.0, 36.0, 42.0)
_MOST_GAIN_DB = 48.0
_LEAST_GAIN_RANGE_DB = 2.0
_REDUCTIONS = (0.0, 0.3, 0.6, 0.9)
_LIKE = 0.08  # correlations of noise that are as good as the same
_READ_FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
_DARKER = 1.35  # ratio of the noise of dark parts, above which read noise is changed
_NAMES = tuple(f"noise_{band}" for band in BANDS)
_DARK, _MID = "noise_dark", "noise_mid"


class NoiseMatch(Evidence):
    """rig: that of the spec, with the values that are matched so far

    is_reduction_known: edges of colours have shown the noise reduction
    """

    def __init__(self, photos: PhotoSet, rig: Rig, is_reduction_known: bool):
        super().__init__(photos)
        self.rig, self.is_reduction_known = rig, is_reduction_known

    def run(self) -> NoiseMatch:
        known = [name for name in _NAMES if self.statistic(name).is_known]
        if not known:
            self.undetermined.append(f"noise: {self.statistic(_MID).reason}")
            return self
        if max(self.statistic(name).median for name in known) < LEAST_NOISE:
            self._little_noise(known)
            return self
        reduction, gains = self._reduction_and_gains(known)
        if reduction != self.rig.sensor.noise_reduction:
            shared = self.statistic("noise_correlation").median
            self.add("sensor.noise_reduction", reduction, f"neighbours share their noise ({shared:.2f})")
        quiet = gains[gains <= np.median(gains)]
        self.rig = self.rig.with_values(noise_reduction=reduction, gain_db=float(np.median(quiet)))
        if np.median(quiet) <= 0.5:
            self._larger_well(known)
        else:
            low, high = around(quiet, _LEAST_GAIN_RANGE_DB, 0, _MOST_GAIN_DB)
            self.add("exposure.gain_db", ranged(low, high), self._evidence(known))
        self._read_noise()
        return self

    def _evidence(self, known: list[str]) -> str:
        levels = {name.removeprefix("noise_"): self.statistic(name).median for name in known}
        text = ", ".join(f"{level:.1f} at {band} levels" for band, level in levels.items())
        return f"noise of {text}, of 255; of the quieter half of the photos, as texture looks like noise"

    def _little_noise(self, known: list[str]) -> None:
        curve = self._loudest(known, self.rig.sensor.noise_reduction)
        most = float(inverse(_GAINS_DB, curve, np.array([LEAST_NOISE]))[0])
        if not np.isfinite(most) or curve[0] > 1.5 * LEAST_NOISE:
            self._larger_well(known)
            return
        reason = f"hardly any noise: below {LEAST_NOISE:g} levels of 255"
        self.add("exposure.gain_db", ranged(0, max(most, 1.0)), reason)
        self.rig = self.rig.with_values(gain_db=most / 2)

    def _loudest(self, known: list[str], reduction: float) -> ArrayN:
        results = [self.rig.statistics(known, noise_reduction=reduction, gain_db=gain) for gain in _GAINS_DB]
        return np.array([max((v for v in one.values() if v is not None), default=np.nan) for one in results])

    def _reduction_and_gains(self, known: list[str]) -> tuple[float, ArrayN]:
        """The noise reduction at which neighbours share their noise as in the photos, and the gains with it.

        That of the spec stays if it is as good as any.
        """
        own = float(self.rig.sensor.noise_reduction)
        is_searched = self.statistic("noise_correlation").is_known and not self.is_reduction_known
        tried = {own: self._gains(known, own)}
        misfit = {own: self._misfit(own, tried[own]) if is_searched else 0.0}
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
        simulated, wanted = result["noise_correlation"], self.statistic("noise_correlation").median
        return 1.0 if simulated is None else abs(simulated - wanted)

    def _gains(self, known: list[str], reduction: float) -> ArrayN:
        """The least gain that explains the noise of a level, for each photo."""
        results = [self.rig.statistics(known, noise_reduction=reduction, gain_db=gain) for gain in _GAINS_DB]
        curves = {name: np.array([_log(one[name]) for one in results]) for name in known}
        least = (self._least_gain(photo, curves) for photo in self.photos.photos)
        return np.array([gain for gain in least if gain is not None] or [0.0])

    def _least_gain(self, photo: Photo, curves: dict[str, ArrayN]) -> float | None:
        """Dark parts, whose noise is that of reading, only where there is nothing else."""
        noise = {name: photo.measures[name].value for name in curves}
        names = [name for name, value in noise.items() if value is not None]
        names = [name for name in names if name != _DARK] or names
        gains = [float(inverse(_GAINS_DB, curves[name], np.array([_log(noise[name])]))[0]) for name in names]
        return min((gain for gain in gains if np.isfinite(gain)), default=None)

    def _larger_well(self, known: list[str]) -> None:
        """Photos with less noise than the sensor of the spec has at no gain: noise falls with the root."""
        results = self.rig.statistics(known, gain_db=0.0)
        simulated = {name: value for name, value in results.items() if value is not None}
        ratios = [value / max(self.statistic(name).median, LEAST_NOISE) for name, value in simulated.items()]
        factor = max(1.0, float(np.median(ratios)) ** 2) if ratios else 1.0
        self.add("exposure.gain_db", ranged(0, 1), "as little noise as this sensor can have")
        self.rig = self.rig.with_values(gain_db=0.0)
        if factor > 1.1:
            well = rounded(min(self.rig.sensor.full_well_e * factor, 1e6))
            self.add("sensor.full_well_e", well, f"{np.sqrt(factor):.1f} times less noise than of the sensor")
            self.rig = self.rig.with_values(full_well_e=well)

    def _read_noise(self) -> None:
        """By how much louder dark parts are than mid tones of the same photos."""
        noise = [[photo.measures[name].value for name in (_DARK, _MID)] for photo in self.photos.photos]
        both = [(dark, mid) for dark, mid in noise if dark is not None and mid is not None]
        pairs = [pair for pair in both if min(pair) >= LEAST_NOISE]
        if len(pairs) < min(FEWEST, self.count):
            return
        wanted = float(np.median([dark / mid for dark, mid in pairs]))
        own = max(self.rig.sensor.read_noise_e, 0.5)
        values = [factor * own for factor in _READ_FACTORS]
        results = [self.rig.statistics([_DARK, _MID], read_noise_e=value) for value in values]
        curve = np.array([_ratio(one[_DARK], one[_MID]) for one in results])
        now = curve[_READ_FACTORS.index(1.0)]
        if not np.isfinite(now) or 1 / _DARKER < wanted / now < _DARKER:
            return
        value = rounded(float(inverse(values, curve, np.array([wanted]))[0]))
        self.add("sensor.read_noise_e", value, f"dark parts have {wanted:.1f} times the noise of mid tones")
        self.rig = self.rig.with_values(read_noise_e=value)


def _log(value: float | None) -> float:
    """Of noise; below what can be measured all is the same."""
    return float("nan") if value is None else float(np.log(max(value, LEAST_NOISE / 2)))


def _ratio(one: float | None, other: float | None) -> float:
    return float("nan") if one is None or not other else one / other
