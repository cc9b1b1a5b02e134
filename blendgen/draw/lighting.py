"""Lighting: which environment, and where the lamps stand; not how bright they are.

In: the lighting section and a shot's streams. Out: an Environment and Lamps. Strength and colour
belong to the Exposure, because light adds up and can be weighed after the path tracing.
"""

from __future__ import annotations

import numpy as np

from blendgen.draw.sampler import Sampler
from blendgen.geometry import angles_of, direction_of, inverse_rigid, look_at_rotation, rigid, rows_of
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


def draw_lamps(spec: Spec, points_world_m, sampler: Sampler) -> tuple[Lamp, ...]:
    """The lamps of one shot, all facing the middle of the products' points (n, 3)."""
    section = spec.lighting.lamps
    low, high = points_world_m.min(axis=0), points_world_m.max(axis=0)
    ball = (low + high) / 2, float(np.linalg.norm(high - low)) / 2
    count = int(sampler.value(section.count, "lighting.lamps.count"))
    return tuple(_lamp(section, *ball, sampler, number) for number in range(count))


def _lamp(section: LampsSection, target: np.ndarray, radius_m: float, sampler: Sampler, number: int) -> Lamp:
    """A lamp at its distance from the ball round the products, so that it never stands inside them."""
    prefix = f"lighting.lamps.{number}"
    distance = radius_m + sampler.value(section.distance_m, f"{prefix}.distance_m")
    size = sampler.value(section.size_m, f"{prefix}.size_m")
    kind = sampler.value(section.kind, f"{prefix}.kind")
    position = target + distance * direction_of(*_bearing(section, sampler, prefix))
    rotation = look_at_rotation(position, target)
    world_to_lamp = _CAMERA_TO_LAMP @ rigid(rotation, -rotation @ position)
    return Lamp(
        kind=kind,
        size_m=(size, size / _STRIP_ASPECT) if kind == "strip" else (size, size),
        lamp_to_world=rows_of(inverse_rigid(world_to_lamp)),
        reference_distance_m=distance,
    )


def _bearing(section: LampsSection, sampler: Sampler, prefix: str) -> tuple[float, float]:
    if section.direction is not None:
        return angles_of(sampler.value(section.direction, f"{prefix}.direction"))
    azimuth = sampler.value(section.azimuth_deg or AZIMUTH_DEG, f"{prefix}.azimuth_deg")
    return azimuth, sampler.value(section.elevation_deg or LAMP_ELEVATION_DEG, f"{prefix}.elevation_deg")
