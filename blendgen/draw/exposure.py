"""Exposure: brightness and colour of each light, the settings of the camera and of its sensor.

In: the exposure section, the Shot (for the poses of its lamps) and the streams of an image. Out: an Exposure.
The incident-light meter uses the drawn values alone, no pixels: at camera_ev 0 a level white patch sends
radiance 1 under any lights.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from blendgen.draw.sampler import Sampler
from blendgen.geometry.arrays import Array3
from blendgen.geometry.color import blackbody_linear, luminance, tinted, white_balance_gain
from blendgen.scene.kinds.surfaces import SURFACE_KINDS
from blendgen.scene.shot import (
    BACKDROP_GROUP,
    EMISSION_GROUP,
    ENVIRONMENT_GROUP,
    Exposure,
    Sensor,
    Shot,
    lamp_group,
)
from blendgen.spec.distributions import Constant, Distribution
from blendgen.spec.model import Spec
from blendgen.spec.sensor import SensorSettings

Gain = tuple[float, float, float]  # of red, green and blue

# in this time a steady lamp emits as much light as a flash of the same strength
_STEADY_S = 0.01
_PER_LAMP = ("lamp_ev", "lamp_temperature_k", "lamp_tint")


def draw_exposure(spec: Spec, shot: Shot, sampler: Sampler) -> Exposure:
    """The exposure of one image; the index of the sampler is that of the image."""
    section = spec.exposure
    values = sampler.values(section, Exposure, "exposure", _PER_LAMP)
    numbers = range(len(shot.lamps))
    lamp_ev = tuple(sampler.value(section.lamp_ev, f"exposure.lamp_ev.{i}") for i in numbers)
    temperature = tuple(
        sampler.value(section.lamp_temperature_k, f"exposure.lamp_temperature_k.{i}") for i in numbers
    )
    tint = tuple(sampler.value(section.lamp_tint, f"exposure.lamp_tint.{i}") for i in numbers)
    around = _gain(values["environment_ev"], values["environment_temperature_k"])
    gains = {ENVIRONMENT_GROUP: around, EMISSION_GROUP: (1.0, 1.0, 1.0)}
    if SURFACE_KINDS[shot.surface.kind].backlit:
        backlight = 2.0 ** sampler.value(section.backlight_ev, "exposure.backlight_ev")
        gains[EMISSION_GROUP] = (backlight, backlight, backlight)
    for i in numbers:
        gains[lamp_group(i)] = _gain(lamp_ev[i], temperature[i], tint[i])
    time_s = values["time_s"]
    flash_s = min(sampler.value(section.strobe_s, "exposure.strobe_s"), time_s)
    flashes = {lamp_group(i): flash_s for i in numbers if shot.lamps[i].strobe}
    gains = _relative_to_flashes(gains, flashes, time_s)
    light = incident_light(shot, gains)
    if shot.backdrop is not None:
        gains[BACKDROP_GROUP] = (float(light[0]), float(light[1]), float(light[2]))
    metered = 1.0 / float(luminance(light)) if section.metering == "incident" else 1.0
    set_for = sampler.value(section.white_balance_temperature_k, "exposure.white_balance_temperature_k")
    assumed: dict[str, ArrayLike] = {
        "incident": light,
        "fixed": blackbody_linear(set_for),
        "gray_world": (1, 1, 1),
    }
    return Exposure(
        index=sampler.index,
        group_gain=gains,
        light_linear=tuple(float(v) for v in light / luminance(light)),
        camera_gain=metered * 2.0 ** values["camera_ev"],
        white_balance_mode=section.white_balance_mode,
        white_balance_gain=white_balance_gain(assumed[section.white_balance_mode], values["white_balance"]),
        group_time_s=flashes,
        lamp_ev=lamp_ev,
        lamp_temperature_k=temperature,
        lamp_tint=tint,
        sensor=draw_sensor(spec.sensor, sampler, shot.camera.mount),
        noise_seed=sampler.seed_number("exposure.noise_seed"),
        **values,
    )


def steady_groups(spec: Spec, shot: Shot) -> frozenset[str]:
    """Light groups whose gain and colour are constants of the spec: the same in all exposures of a shot."""
    section, flashing = spec.exposure, any(lamp.strobe for lamp in shot.lamps)
    if flashing and not _fixed(section.time_s, section.strobe_s):
        return frozenset()  # a longer exposure collects more steady light
    steady = set()
    if _fixed(section.environment_ev, section.environment_temperature_k):
        steady.add(ENVIRONMENT_GROUP)
    if not SURFACE_KINDS[shot.surface.kind].backlit or _fixed(section.backlight_ev):
        steady.add(EMISSION_GROUP)
    if _fixed(section.lamp_ev, section.lamp_temperature_k, section.lamp_tint):
        steady.update(map(lamp_group, range(len(shot.lamps))))
    if len(steady) == 2 + len(shot.lamps):  # the backdrop is as bright as all lights together
        steady.add(BACKDROP_GROUP)
    return frozenset(steady)


def _fixed(*distributions: Distribution) -> bool:
    return all(isinstance(distribution, Constant) for distribution in distributions)


def _gain(ev: float, temperature_k: float, tint: float = 0.0) -> tuple[float, float, float]:
    return tuple(2.0**ev * channel for channel in tinted(blackbody_linear(temperature_k), tint))


def _relative_to_flashes(gains: dict[str, Gain], flashes: dict[str, float], time_s: float) -> dict[str, Gain]:
    """Gains for the light of the whole exposure: steady light grows with time_s, flashes do not."""
    if not flashes:
        return gains
    collected = time_s / _STEADY_S
    return {
        group: gain if group in flashes else (collected * gain[0], collected * gain[1], collected * gain[2])
        for group, gain in gains.items()
    }


def draw_sensor(settings: SensorSettings, sampler: Sampler, mount: int | None = None) -> Sensor:
    """The sensor of one image: a value of each distribution, and one of the units of this camera model.

    Every field of scene.shot.Sensor is sampled by its name, such as hot_pixels_ppm.

    mount: number of a mounted camera, which is always the same unit
    """
    values = {name: getattr(settings, name) for name in Sensor.model_fields if name != "pattern_seed"}
    drawn = {
        name: sampler.value(value, f"sensor.{name}") if isinstance(value, Distribution) else value
        for name, value in values.items()
    }
    (u,) = sampler.u("sensor.camera_unit", 1)
    number = int(u * settings.camera_units) if mount is None else mount
    camera = Sampler(sampler.seed, number, 0)
    return Sensor(**drawn, pattern_seed=camera.seed_number("sensor.pattern_seed"))


def incident_light(shot: Shot, gains: dict[str, Gain]) -> Array3:
    """(3,) linear light on a level patch at the products; 1 where a white patch sends radiance 1.

    A luminous surface counts with its radiance: the camera is set for it, too.
    """
    total = np.array(gains[ENVIRONMENT_GROUP], float)
    if SURFACE_KINDS[shot.surface.kind].backlit:
        total += np.array(gains[EMISSION_GROUP], float)
    for i, lamp in enumerate(shot.lamps):
        towards_lamp = np.array(lamp.lamp_to_world)[:3, 2]
        # root mean square of a patch of sunlight: it is bright, and must not saturate
        share = math.sqrt(lamp.lit_share)
        total += np.array(gains[lamp_group(i)]) * max(towards_lamp[2], 0.0) * share
    return total
