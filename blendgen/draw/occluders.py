"""Occluders: things between the camera and the subject that leave a drawn share of it visible.

In: an arrangement and the camera. Out: Distractors above the scene. An occluder advances along its own +Y
(its leading edge): level above the scene where the camera looks down, upright in front of it where the
camera looks across. The distance is solved for on the rays that see the subject; the rendered masks decide.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from blendgen.draw import polytope
from blendgen.draw.arrangement import Arrangement
from blendgen.draw.polytope import Polytope
from blendgen.draw.sampler import Sampler
from blendgen.draw.visibility import Sight, sight_of
from blendgen.geometry.arrays import Array3, Matrix3x3, Matrix4x4, PointsN3
from blendgen.geometry.projection import direction_of, inverse_rigid, rigid, rows_of
from blendgen.models.product import Catalog, Product
from blendgen.scene.shot import Camera, Distractor
from blendgen.spec.model import Spec

_LEVEL_ABOVE_DEG = 30.0
_TRIES, _STEPS, _REFINEMENTS = 6, 24, 6
_HALF_BAND = 0.05
_NEAREST_SHARE = 0.6  # of the distance from the things to the camera
_BAND_MARGIN = 0.03


def draw_occluders(
    spec: Spec, catalog: Catalog, arrangement: Arrangement, camera: Camera, sampler: Sampler
) -> tuple[Distractor, ...]:
    """The occluders of one shot; each hides an equal part of what they hide together."""
    section = spec.occluders
    if section is None or not catalog.occluders:
        return ()
    count = int(sampler.value(section.count, "occluders.count"))
    sight = sight_of(arrangement.subject(catalog), arrangement.others(catalog), camera)
    if not count or not sight.unhidden.any():
        return ()
    wanted = sampler.value(section.visible_fraction, "occluders.visible_fraction")
    low, high = section.visible_fraction.support()
    margin = min(_BAND_MARGIN, (high - low) / 4)
    wanted = float(np.clip(wanted, low + margin, high - margin))
    things = arrangement.extent(catalog)
    occluders: list[Distractor] = []
    for number in range(count):
        goal = 1 - (1 - wanted) * (number + 1) / count
        height = sampler.value(section.height_m, f"occluders.{number}.height_m")
        stage = _Stage(things, arrangement.subject(catalog), camera, height)
        best = _best_occluder(catalog, stage, sight, goal, sampler, number)
        if best is None:
            break
        distractor, sight = best
        occluders.append(distractor)
    return tuple(occluders)


def visible_band(spec: Spec, occluders: tuple[Distractor, ...]) -> tuple[float, float]:
    """(lowest, highest) visible share of the subject that placement and occluders both accept.

    The band of the occluders is widened to at least twice _HALF_BAND, so that tries can hit it.
    """
    lowest, highest = spec.placement.visible_fraction
    if not occluders or spec.occluders is None:
        return lowest, highest
    low, high = spec.occluders.visible_fraction.support()
    short = max(_HALF_BAND - (high - low) / 2, 0.0)
    return max(low - short, lowest), min(high + short, highest)


def _best_occluder(
    catalog: Catalog, stage: _Stage, sight: Sight, goal: float, sampler: Sampler, number: int
) -> tuple[Distractor, Sight] | None:
    """The first of several tries that reaches the goal, or else the nearest one."""
    best = None
    for attempt in range(_TRIES):
        model, colorway, bearing = sampler.u(f"occluders.{number}.choice.{attempt}", 3)
        product = catalog.occluders[int(model * len(catalog.occluders))]
        name = product.colorways[int(colorway * len(product.colorways))].name
        pose, left = _advanced(product, stage, sight, goal, bearing)
        if pose is None:
            continue
        miss = abs(left.visible_fraction - goal)
        if best is None or miss < best[0]:
            placed = Distractor(product=product.name, colorway=name, object_to_world=rows_of(pose))
            best = (miss, placed, left)
        if miss < _BAND_MARGIN:
            break
    return None if best is None else best[1:]


class _Stage:
    """The plane in which occluders advance, between all things and the camera.

    away: (3,) unit normal of the plane, towards the camera; front_m: position of the plane along it
    """

    def __init__(self, things_m: PointsN3, subject: Polytope, camera: Camera, height_m: float):
        self.origin = inverse_rigid(camera.world_to_camera)[:3, 3]
        level = camera.elevation_deg >= _LEVEL_ABOVE_DEG
        self.away = np.array([0.0, 0.0, 1.0]) if level else direction_of(camera.azimuth_deg, 0.0)
        self.level = level
        front = float((things_m @ self.away).max())
        room = float(self.origin @ self.away) - front
        self.front_m = front + min(height_m, _NEAREST_SHARE * room)
        self.room_m = (1 - _NEAREST_SHARE) * room
        self.middle = subject.corners_m.mean(axis=0)
        self.size_m = float(np.linalg.norm(np.ptp(subject.corners_m, axis=0)))

    def heading(self, bearing: float) -> Array3:
        """(3,) unit direction in the plane for a number in [0, 1); in an upright plane never upwards."""
        side = np.cross(np.array([0.0, 0.0, 1.0]), self.away)
        if self.level:
            angle = 2 * math.pi * bearing
            return np.array([math.cos(angle), math.sin(angle), 0.0])
        angle = math.pi * bearing
        return math.cos(angle) * side - math.sin(angle) * np.array([0.0, 0.0, 1.0])

    def target(self) -> Array3:
        """(3,) point of the plane on the line from the camera to the middle of the subject."""
        towards = self.middle - self.origin
        return self.origin + towards * (self.front_m - self.origin @ self.away) / (towards @ self.away)


def _advanced(
    product: Product, stage: _Stage, sight: Sight, goal: float, bearing: float
) -> tuple[Matrix4x4 | None, Sight]:
    """(object_to_world, remaining sight) at the first advance that leaves no more than the goal visible.

    (None, sight) where the model is too thick to fit between the things and the camera.
    """
    body = polytope.of_product(product)
    if product.size_m[2] > stage.room_m:
        return None, sight
    heading = stage.heading(bearing)
    rotation = np.column_stack([np.cross(heading, stage.away), heading, stage.away])
    reach = stage.size_m
    steps = np.linspace(-reach, reach, _STEPS)
    left = [_left(body, _pose(product, stage, rotation, step), sight, stage) for step in steps]
    shares = np.array([one.visible_fraction for one in left])
    below = np.flatnonzero(shares <= goal)
    if not len(below):
        nearest = int(np.abs(shares - goal).argmin())
        return _pose(product, stage, rotation, steps[nearest]), left[nearest]
    high = float(steps[below[0]])
    low = float(steps[max(below[0] - 1, 0)])
    for _ in range(_REFINEMENTS):
        middle = (low + high) / 2
        share = _left(body, _pose(product, stage, rotation, middle), sight, stage).visible_fraction
        low, high = (low, middle) if share <= goal else (middle, high)
    pose = _pose(product, stage, rotation, high)
    return pose, _left(body, pose, sight, stage)


def _pose(product: Product, stage: _Stage, rotation: Matrix3x3, advance_m: float) -> Matrix4x4:
    """object_to_world with the leading edge advance_m beyond the middle of the subject, above the surface."""
    low, high = product.hull_m.min(axis=0), product.hull_m.max(axis=0)
    edge = np.array([(low[0] + high[0]) / 2, high[1], low[2]])
    place = stage.target() + advance_m * rotation[:, 1] - rotation @ edge
    lowest = float((product.hull_m @ rotation.T)[:, 2].min() + place[2])
    return rigid(rotation, place + (0.0, 0.0, max(0.0, -lowest)))


def _left(body: Polytope, object_to_world: ArrayLike, sight: Sight, stage: _Stage) -> Sight:
    return sight.behind(body.placed(object_to_world), stage.origin)
