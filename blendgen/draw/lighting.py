"""Lighting: which environment, and where the lamps stand; not how bright they are.

In: the lighting section and a shot's streams. Out: an Environment and Lamps. Strength and colour
belong to the Exposure, because light adds up and can be weighed after the path tracing.
"""

from __future__ import annotations

import math

import numpy as np

from blendgen.draw.camera import angles_of
from blendgen.draw.sampler import Sampler
from blendgen.geometry import inverse_rigid, look_at_rotation, rigid
from blendgen.shot import Environment, Lamp
from blendgen.spec.model import AZIMUTH_DEG, LAMP_ELEVATION_DEG, LampsSection, Spec

_STRIP_ASPECT = 8.0
# OpenCV camera -> a lamp that shines along its own -Z with +Y up
_CAMERA_TO_LAMP = np.diag([1.0, -1.0, -1.0, 1.0])


def draw_environment(spec: Spec, sampler: Sampler) -> Environment:
    section = spec.lighting.environment
    return Environment(
        image=sampler.value(section.image, "lighting.environment.image"),
        rotation_deg=sampler.value(section.rotation_deg, "lighting.environment.rotation_deg"),
    )


def draw_lamps(spec: Spec, target_m, sampler: Sampler) -> tuple[Lamp, ...]:
    """The lamps of one shot, all facing target_m (3,)."""
    section = spec.lighting.lamps
    count = int(sampler.value(section.count, "lighting.lamps.count"))
    return tuple(_lamp(section, np.asarray(target_m), sampler, number) for number in range(count))


def _lamp(section: LampsSection, target: np.ndarray, sampler: Sampler, number: int) -> Lamp:
    prefix = f"lighting.lamps.{number}"
    distance = sampler.value(section.distance_m, f"{prefix}.distance_m")
    size = sampler.value(section.size_m, f"{prefix}.size_m")
    kind = sampler.value(section.kind, f"{prefix}.kind")
    azimuth, elevation = (math.radians(angle) for angle in _bearing(section, sampler, prefix))
    direction = np.array(
        [
            math.cos(elevation) * math.cos(azimuth),
            math.cos(elevation) * math.sin(azimuth),
            math.sin(elevation),
        ]
    )
    position = target + distance * direction
    rotation = look_at_rotation(position, target)
    world_to_lamp = _CAMERA_TO_LAMP @ rigid(rotation, -rotation @ position)
    return Lamp(
        kind=kind,
        size_m=(size, size / _STRIP_ASPECT) if kind == "strip" else (size, size),
        lamp_to_world=tuple(tuple(float(v) for v in row) for row in inverse_rigid(world_to_lamp)),
        reference_distance_m=distance,
    )


def _bearing(section: LampsSection, sampler: Sampler, prefix: str) -> tuple[float, float]:
    if section.direction is not None:
        return angles_of(sampler.value(section.direction, f"{prefix}.direction"))
    azimuth = sampler.value(section.azimuth_deg or AZIMUTH_DEG, f"{prefix}.azimuth_deg")
    return azimuth, sampler.value(section.elevation_deg or LAMP_ELEVATION_DEG, f"{prefix}.elevation_deg")
