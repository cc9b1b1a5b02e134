"""Exposure: how bright and of what colour each light is, and how the camera answers.

In: the exposure section, the Shot (for where its lamps stand) and an image's streams. Out: an
Exposure. The incident-light meter works from the drawn numbers alone: a white level patch would
send radiance 1 at camera_ev 0, whatever lights were drawn; no pixel is looked at.
"""

from __future__ import annotations

import numpy as np

from blendgen.color import blackbody_linear, luminance
from blendgen.draw.sampler import Sampler
from blendgen.shot import EMISSION_GROUP, ENVIRONMENT_GROUP, Exposure, Shot, lamp_group
from blendgen.spec.model import Spec


def draw_exposure(spec: Spec, shot: Shot, sampler: Sampler) -> Exposure:
    """The exposure of one image; the sampler's index is the image's."""
    section = spec.exposure
    environment_ev = sampler.value(section.environment_ev, "exposure.environment_ev")
    numbers = range(len(shot.lamps))
    lamp_ev = tuple(sampler.value(section.lamp_ev, f"exposure.lamp_ev.{i}") for i in numbers)
    temperature = tuple(
        sampler.value(section.lamp_temperature_k, f"exposure.lamp_temperature_k.{i}") for i in numbers
    )
    camera_ev = sampler.value(section.camera_ev, "exposure.camera_ev")
    gains = {ENVIRONMENT_GROUP: (2.0**environment_ev,) * 3, EMISSION_GROUP: (1.0, 1.0, 1.0)}
    for i in numbers:
        color = blackbody_linear(temperature[i])
        gains[lamp_group(i)] = tuple(2.0 ** lamp_ev[i] * channel for channel in color)
    light = incident_light(shot, gains)
    metered = 1.0 / float(luminance(light)) if section.metering == "incident" else 1.0
    correction = sampler.value(section.white_balance, "exposure.white_balance")
    return Exposure(
        index=sampler.index,
        group_gain=gains,
        camera_gain=metered * 2.0**camera_ev,
        white_balance_gain=white_balance_gain(light, correction),
        gain_db=sampler.value(section.gain_db, "exposure.gain_db"),
        grain=sampler.value(section.grain, "exposure.grain"),
        environment_ev=environment_ev,
        lamp_ev=lamp_ev,
        lamp_temperature_k=temperature,
        camera_ev=camera_ev,
        noise_seed=sampler.seed_number("exposure.noise_seed"),
    )


def incident_light(shot: Shot, gains) -> np.ndarray:
    """(3,) linear light on a level patch at the products, 1 where a white patch sends radiance 1."""
    total = np.array(gains[ENVIRONMENT_GROUP], float)
    for i, lamp in enumerate(shot.lamps):
        towards_lamp = np.array(lamp.lamp_to_world)[:3, 2]
        total += np.array(gains[lamp_group(i)]) * max(towards_lamp[2], 0.0)
    return total


def white_balance_gain(light_linear, correction: float) -> tuple[float, float, float]:
    """Channel gains that take the light's colour out by a share; brightness stays.

    light_linear: (3,) colour of the light; correction: 0 (none) to 1 (the light turns neutral)
    """
    light = np.maximum(np.asarray(light_linear, float), 1e-6)
    gain = (luminance(light) / light) ** correction
    balanced = gain * float(luminance(light)) / float(luminance(light * gain))
    return tuple(float(value) for value in balanced)
