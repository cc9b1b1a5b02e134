"""Simulation: what the statistics of a chart are through a sensor of blendgen, without Blender.

In: a Sensor and changes of it. Out: Measures by name. The charts have plain greys or colours and strong edges
everywhere.
A parameter is matched by the value whose simulated statistic is that of the photos (indirect inference), so
demosaicing, noise reduction, sharpening, tone curve and compression are all in it.
source: Gourieroux, Monfort and Renault 1993, Indirect inference
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from blendgen.develop.develop import finish
from blendgen.develop.display import to_display
from blendgen.geometry.arrays import ArrayN, FloatArray, ImageHW3F32
from blendgen.geometry.color import hex_to_linear, linear_to_srgb
from blendgen.geometry.projection import intrinsics_matrix
from blendgen.photos.statistics import BY_NAME, Picture
from blendgen.scene.shot import Camera, Exposure, Sensor

WIDTH, HEIGHT = 256, 192
_FOCAL_LENGTH_MM, _SENSOR_WIDTH_MM = 36.0, 36.0
_GREYS = (0.03, 0.08, 0.2, 0.45, 0.75)
_GROUND = 0.18
_DISKS = 42
_GREY_RADII_PX, _COLOR_RADII_PX = (12, 17, 22), (3, 5, 8)  # edges of colours are mostly those of small things
_COLORS = ("#c02020", "#f0f0f0", "#2040b0", "#101010", "#d0a020")
_COLOR_DISKS = 160
_PLAIN = ("vignetting",)  # statistics that a plain chart shows best
_COLORED = ("color_blur",)  # and those that need one of colours
# of the plane's golden ratio: places that fill a picture evenly
_STEP_X, _STEP_Y = 0.7548776662466927, 0.5698402909980532
_TONE = np.concatenate([[0.0], np.geomspace(1e-4, 16, 300)])


@dataclass(frozen=True)
class Rig:
    """sensor: of the spec, with middle values; gain_db: of the exposure"""

    sensor: Sensor
    gain_db: float = 0.0
    _known: dict[Any, dict[str, float | None]] = field(default_factory=dict, compare=False)

    def with_values(self, **changes: Any) -> Rig:
        gain = changes.pop("gain_db", self.gain_db)
        return Rig(self.sensor.model_copy(update=changes), gain)

    def statistics(self, names: Sequence[str], **changes: Any) -> dict[str, float | None]:
        """Statistics of the chart; None where they cannot be measured."""
        rig = self.with_values(**changes)
        picture = Picture(finish(_chart_for(names), _camera(), rig._exposure()))
        return {name: BY_NAME[name].measure(picture).value for name in names}

    def curve(self, name: str, key: str, values: Sequence[float]) -> ArrayN:
        """A statistic at values of a parameter; NaN where it cannot be measured."""
        results = [self.statistics([name], **{key: value})[name] for value in values]
        return np.array([np.nan if result is None else result for result in results])

    def _exposure(self) -> Exposure:
        return Exposure(
            index=0, group_gain={}, camera_gain=1.0, white_balance_gain=(1.0, 1.0, 1.0), gain_db=self.gain_db,
            grain=0.0, environment_ev=0.0, lamp_ev=(), lamp_temperature_k=(), camera_ev=0.0,
            sensor=self.sensor, noise_seed=1,
        )  # fmt: skip


def inverse(values: Sequence[float], curve: ArrayN, wanted: ArrayN) -> ArrayN:
    """The values at which a rising or falling curve has the wanted results; its ends beyond them."""
    known = np.isfinite(curve)
    x, y = np.asarray(values, float)[known], curve[known]
    if len(x) < 2:
        return np.full(len(wanted), np.nan)
    if y[-1] < y[0]:
        y, wanted = -y, -wanted
    rising = np.maximum.accumulate(y)
    keep = np.append(True, np.diff(rising) > 1e-9)
    return np.interp(wanted, rising[keep], x[keep])


def _chart_for(names: Sequence[str]) -> ImageHW3F32:
    """Linear light that shows statistics best."""
    if all(name in _PLAIN for name in names):
        return _chart(0)
    return _color_chart() if all(name in _COLORED for name in names) else _chart(_DISKS)


@cache
def _chart(disks: int) -> ImageHW3F32:
    return _disks([(grey, grey, grey) for grey in _GREYS], _GREY_RADII_PX, disks)


@cache
def _color_chart() -> ImageHW3F32:
    return _disks([hex_to_linear(color) for color in _COLORS], _COLOR_RADII_PX, _COLOR_DISKS)


def _disks(colors: Sequence[ArrayLike], radii_px: Sequence[int], count: int) -> ImageHW3F32:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    light = np.full((HEIGHT, WIDTH, 3), _GROUND, np.float32)
    for number in range(count):
        cx, cy = WIDTH * (0.5 + number * _STEP_X) % WIDTH, HEIGHT * (0.5 + number * _STEP_Y) % HEIGHT
        radius = radii_px[number % len(radii_px)]
        light[(x - cx) ** 2 + (y - cy) ** 2 < radius**2] = colors[number % len(colors)]
    return light


def _camera() -> Camera:
    rows = intrinsics_matrix(_FOCAL_LENGTH_MM, _SENSOR_WIDTH_MM, (WIDTH, HEIGHT)).tolist()
    identity = tuple(tuple(float(i == j) for j in range(4)) for i in range(4))
    return Camera(
        resolution=(WIDTH, HEIGHT), intrinsics=tuple(map(tuple, rows)), world_to_camera=identity,
        focal_length_mm=_FOCAL_LENGTH_MM, sensor_width_mm=_SENSOR_WIDTH_MM, azimuth_deg=0.0,
        elevation_deg=90.0, roll_deg=0.0, frame_fill=0.5, distance_m=1.0,
    )  # fmt: skip


def scene_linear(rgb_linear: FloatArray, view: str) -> FloatArray:
    """Light that a tone curve shows as these colours, which are linear values of the picture; by channel."""
    tone = to_display(np.repeat(_TONE[:, None, None], 3, axis=2), view)[:, 0, 1]
    shown = np.asarray(linear_to_srgb(rgb_linear))
    return np.interp(shown, np.maximum.accumulate(tone) + np.arange(len(tone)) * 1e-12, _TONE)
