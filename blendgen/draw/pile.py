"""Pile: products and distractors that are dropped onto each other, on the surface or into a container.

In: the drawn products and the streams of a shot. Out: Arrangements at rest, one per try. Meshes do not touch:
physics.py, which sets the friction, keeps the convex bodies around them apart. Later tries drop the subject
last, so that it is on top.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from blendgen.draw import polytope
from blendgen.draw.arrangement import Arrangement, walls
from blendgen.draw.distractors import draw_things
from blendgen.draw.physics import Body, settle
from blendgen.draw.placement import THINNEST_M
from blendgen.draw.products import Drawn
from blendgen.draw.sampler import Sampler
from blendgen.errors import InfeasibleDraw, Reason
from blendgen.geometry.arrays import Array3, Matrix3x3, Matrix4x4, PointsN2
from blendgen.geometry.projection import rigid, rotation_about_z, transform_points
from blendgen.models.class_table import ClassTable
from blendgen.models.product import Catalog, Product
from blendgen.scene.ground import Container
from blendgen.scene.kinds.containers import CONTAINER_KINDS
from blendgen.spec.distributions import Choice
from blendgen.spec.model import Spec

_TRIES, _TRIES_AS_DRAWN = 8, 4
_ROOM = 1.15  # a container is at least this much wider than the largest thing in it
_STRAY = 1.5


@dataclass(frozen=True, eq=False)
class _Thing:
    product: Product
    rotation: Matrix3x3

    @property
    def size_m(self) -> Array3:
        """(3,) extent of the rotated product."""
        return np.ptp(self.product.hull_m @ self.rotation.T, axis=0)


def piles(
    spec: Spec, catalog: Catalog, drawn: list[Drawn], class_table: ClassTable, sampler: Sampler
) -> Iterator[Arrangement]:
    """Piles of the same things; raises InfeasibleDraw where no try comes to rest."""
    clutter = draw_things(spec, catalog, sampler)
    things = [_Thing(one.product, one.rotation) for one in drawn]
    things += [_Thing(one.product, one.rotation) for one in clutter]
    container = _container(spec, things, sampler)
    spread = sampler.value(spec.placement.spread, "placement.spread")
    turn = rigid(rotation_about_z(container.yaw_deg if container else 0.0), np.zeros(3))
    settled = 0
    for number in range(_TRIES):
        poses = _dropped(things, container, spread, sampler, number)
        if poses is None:
            continue
        settled += 1
        poses = [turn @ pose for pose in poses]
        products = [
            one.placed(i + 1, class_table, pose)
            for i, (one, pose) in enumerate(zip(drawn, poses, strict=False))
        ]
        distractors = [one.at(pose) for one, pose in zip(clutter, poses[len(drawn) :], strict=True)]
        yield Arrangement(tuple(products), tuple(distractors), container)
    if not settled:
        raise InfeasibleDraw(
            Reason.PILE_UNSETTLED,
            f"placement: {len(things)} objects did not settle into a pile in {_TRIES} tries; "
            "lower products_per_image, raise placement.spread, or use a larger container",
        )


def _dropped(
    things: list[_Thing], container: Container | None, spread: float, sampler: Sampler, number: int
) -> list[Matrix4x4] | None:
    """Poses at rest of one try; None where things did not come to rest, or rolled away."""
    order, places = _falls(things, container, spread, sampler, number)
    bodies = [Body(polytope.of_product(things[i].product), things[i].rotation, places[i]) for i in order]
    unrotated = container.model_copy(update={"yaw_deg": 0.0}) if container else None
    at_rest = settle(bodies, walls(unrotated) if unrotated else [], container.wall_m if container else 0.0)
    if at_rest is None:
        return None
    poses: list[Matrix4x4] = [np.eye(4)] * len(things)
    for i, pose in zip(order, at_rest, strict=True):
        poses[i] = pose
    if _astray(things, poses, places, container):
        return None
    return _lowered(things, poses, container)


def _falls(
    things: list[_Thing], container: Container | None, spread: float, sampler: Sampler, number: int
) -> tuple[list[int], PointsN2]:
    """The order in which things fall, and the positions (n, 2) above which they start."""
    turns, places = [], []
    for i, thing in enumerate(things):
        turn, u, v = sampler.u(f"placement.pile.{number}.{i}", 3)
        turns.append(2.0 if i == 0 and number >= _TRIES_AS_DRAWN else turn)
        if container is None:
            radius = spread * _side_by_side_m(things) * math.sqrt(u)
            places.append((radius * math.cos(2 * math.pi * v), radius * math.sin(2 * math.pi * v)))
        else:
            free = np.maximum(np.array(container.size_m[:2]) - thing.size_m[:2] * _ROOM, 0.0)
            places.append(tuple(free * (np.array([u, v]) - 0.5)))
    return sorted(range(len(things)), key=turns.__getitem__), np.array(places)


def _side_by_side_m(things: list[_Thing]) -> float:
    """Radius of the area that the things would cover next to each other."""
    return math.sqrt(sum(float(thing.size_m[0] * thing.size_m[1]) for thing in things) / math.pi)


def _container(spec: Spec, things: list[_Thing], sampler: Sampler) -> Container | None:
    section = spec.container
    if section is None:
        return None
    needed = _ROOM * max(float(thing.size_m[:2].max()) for thing in things)
    kind = CONTAINER_KINDS[sampler.value(section.kind, "container.kind")]
    colors = section.color or Choice(kind.colors_srgb, (1.0,) * len(kind.colors_srgb))
    return Container(
        kind=kind.name,
        size_m=(
            max(needed, sampler.value(section.width_m, "container.width_m")),
            max(needed, sampler.value(section.length_m, "container.length_m")),
            sampler.value(section.height_m, "container.height_m"),
        ),
        wall_m=kind.wall_m,
        middle_m=(0.0, 0.0),
        yaw_deg=sampler.value(section.yaw_deg, "container.yaw_deg"),
        color_srgb=sampler.value(colors, "container.color"),
    )


def _astray(
    things: list[_Thing], poses: list[Matrix4x4], places: PointsN2, container: Container | None
) -> bool:
    """Whether something rolled away, or is above or outside the walls."""
    for thing, pose in zip(things, poses, strict=True):
        middle = transform_points(pose, thing.product.hull_m).mean(axis=0)
        if container is None:
            reach = np.abs(places).max() + _STRAY * max(float(other.size_m.max()) for other in things)
            if np.linalg.norm(middle[:2]) > reach:
                return True
        elif np.any(np.abs(middle[:2]) > np.array(container.size_m[:2]) / 2):
            return True
    return False


def _lowered(things: list[_Thing], poses: list[Matrix4x4], container: Container | None) -> list[Matrix4x4]:
    """The poses, lowered until the lowest point is a hair above the floor: contacts are slightly soft."""
    floor = container.wall_m if container else 0.0
    low = min(
        transform_points(pose, thing.product.hull_m)[:, 2].min()
        for thing, pose in zip(things, poses, strict=True)
    )
    return [rigid(np.eye(3), (0.0, 0.0, floor + THINNEST_M - low)) @ pose for pose in poses]
