"""Lighting: the environment, and the kinds and poses of the lamps.

In: the lighting section and the streams of a shot. Out: an Environment and Lamps. Their brightness and colour
belong to the Exposure: light is additive, so it can be weighted after path tracing.
"""

from __future__ import annotations

import numpy as np

from blendgen.draw.sampler import Sampler
from blendgen.draw.sunlight import bounding_sphere, placed_opening
from blendgen.geometry.arrays import PointsN3
from blendgen.geometry.projection import (
    angles_of,
    direction_of,
    inverse_rigid,
    look_at_rotation,
    rigid,
    rows_of,
)
from blendgen.models.product import Catalog
from blendgen.scene.kinds.lamps import LAMP_KINDS
from blendgen.scene.shot import Camera, Environment, Lamp
from blendgen.spec.distributions import Choice
from blendgen.spec.lighting import AZIMUTH_DEG, ENVIRONMENT_IMAGE, LAMP_ELEVATION_DEG, LampsSection
from blendgen.spec.model import Spec

# OpenCV camera -> a lamp that shines along its own -Z with +Y up
_CAMERA_TO_LAMP = np.diag([1.0, -1.0, -1.0, 1.0])


def draw_environment(spec: Spec, catalog: Catalog, sampler: Sampler) -> Environment:
    section = spec.lighting.environment
    image = section.image or ENVIRONMENT_IMAGE
    if section.directory is not None:
        image = Choice.even(sorted(catalog.environments))
    values = sampler.values(section, Environment, "lighting.environment", ("image",))
    return Environment(image=sampler.value(image, "lighting.environment.image"), **values)


def draw_lamps(spec: Spec, points_world_m: PointsN3, camera: Camera, sampler: Sampler) -> tuple[Lamp, ...]:
    """The lamps of one shot, facing the middle of the products' points (n, 3)."""
    section = spec.lighting.lamps
    count = int(sampler.value(section.count, "lighting.lamps.count"))
    lamps = (_lamp(section, points_world_m, camera, sampler, number) for number in range(count))
    return tuple(
        _through_opening(lamp, section, points_world_m, sampler, number)
        if LAMP_KINDS[lamp.kind].panes
        else lamp
        for number, lamp in enumerate(lamps)
    )


def _lamp(
    section: LampsSection, points_world_m: PointsN3, camera: Camera, sampler: Sampler, number: int
) -> Lamp:
    """A lamp at its distance from the bounding sphere of the products, so that it is never inside them."""
    prefix = f"lighting.lamps.{number}"
    target, radius_m = bounding_sphere(points_world_m)
    distance = radius_m + sampler.value(section.distance_m, f"{prefix}.distance_m")
    size = sampler.value(section.size_m, f"{prefix}.size_m")
    kind = LAMP_KINDS[sampler.value(section.kind, f"{prefix}.kind")]
    angle = sampler.value(section.sun_angle_deg, f"{prefix}.sun_angle_deg")
    position = target + distance * direction_of(*_bearing(section, sampler, prefix))
    rotation = look_at_rotation(position, target)
    world_to_lamp = _CAMERA_TO_LAMP @ rigid(rotation, -rotation @ position)
    if kind.at_camera:
        world_to_lamp, distance = _CAMERA_TO_LAMP @ np.array(camera.world_to_camera), camera.distance_m
    return Lamp(
        kind=kind.name,
        size_m=tuple(size * share for share in kind.sides),
        lamp_to_world=rows_of(inverse_rigid(world_to_lamp)),
        reference_distance_m=distance,
        angle_deg=angle if kind.sunlight else 0.0,
        visible=section.visible,
        strobe=bool(sampler.value(section.strobe, f"{prefix}.strobe")),
    )


def _through_opening(
    lamp: Lamp, section: LampsSection, points_world_m: PointsN3, sampler: Sampler, number: int
) -> Lamp:
    """The door or window at the place where the edge of its light is as drawn."""
    prefix = f"lighting.lamps.{number}"
    share = sampler.value(section.sunlit, f"{prefix}.sunlit")
    (side,) = sampler.u(f"{prefix}.sunlit.side", 1)
    return placed_opening(lamp, points_world_m, share, 1 if side < 0.5 else -1)


def _bearing(section: LampsSection, sampler: Sampler, prefix: str) -> tuple[float, float]:
    if section.direction is not None:
        return angles_of(sampler.value(section.direction, f"{prefix}.direction"))
    azimuth = sampler.value(section.azimuth_deg or AZIMUTH_DEG, f"{prefix}.azimuth_deg")
    return azimuth, sampler.value(section.elevation_deg or LAMP_ELEVATION_DEG, f"{prefix}.elevation_deg")
