"""Arrangement: the poses of products, distractors and container, without surface, camera and lamps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from blendgen.draw import polytope
from blendgen.draw.polytope import Polytope
from blendgen.geometry.arrays import Array2, Matrix4x4, PointsN3
from blendgen.geometry.projection import rigid, rotation_about_z, rows_of, transform_points
from blendgen.models.product import Catalog
from blendgen.scene.ground import Container
from blendgen.scene.shot import Distractor, PlacedProduct

_Placed = TypeVar("_Placed", PlacedProduct, Distractor)


@dataclass(frozen=True)
class Arrangement:
    """Products, subject first, the distractors among them, and the container that they are in, if any."""

    products: tuple[PlacedProduct, ...]
    distractors: tuple[Distractor, ...] = ()
    container: Container | None = None

    def points(self, catalog: Catalog) -> PointsN3:
        """(n, 3) hull vertices of the products, world frame, metres."""
        return _points(self.products, catalog)

    def extent(self, catalog: Catalog) -> PointsN3:
        """(n, 3) points that enclose everything on the surface, world frame, metres."""
        everything = [_points((*self.products, *self.distractors), catalog)]
        if self.container is not None:
            everything += [wall.corners_m for wall in walls(self.container)]
        return np.concatenate(everything)

    def moved(self, offset_xy_m: Array2 | tuple[float, float]) -> Arrangement:
        """The arrangement, shifted along the surface by (x, y)."""
        shift = rigid(np.eye(3), (*offset_xy_m, 0.0))
        container = self.container
        if container is not None:
            middle = np.array(container.middle_m) + offset_xy_m
            container = container.model_copy(update={"middle_m": (float(middle[0]), float(middle[1]))})
        return replace(
            self,
            products=_shifted(self.products, shift),
            distractors=_shifted(self.distractors, shift),
            container=container,
        )

    def subject(self, catalog: Catalog) -> Polytope:
        return _placed(self.products[0], catalog)

    def others(self, catalog: Catalog) -> list[Polytope]:
        """Everything that may hide the subject."""
        others: tuple[PlacedProduct | Distractor, ...] = (*self.products[1:], *self.distractors)
        things = [_placed(thing, catalog) for thing in others]
        return things + (walls(self.container) if self.container is not None else [])


def walls(container: Container) -> list[Polytope]:
    """The four walls and the bottom of a container, in the world frame."""
    width, length, height = container.size_m
    x, y, t = width / 2, length / 2, container.wall_m
    boxes = [
        ((-x - t, -y - t, 0), (-x, y + t, height)),
        ((x, -y - t, 0), (x + t, y + t, height)),
        ((-x, -y - t, 0), (x, -y, height)),
        ((-x, y, 0), (x, y + t, height)),
        ((-x, -y, 0), (x, y, t)),
    ]
    to_world = rigid(rotation_about_z(container.yaw_deg), (*container.middle_m, 0.0))
    return [polytope.box(low, high).placed(to_world) for low, high in boxes]


def _points(things: Iterable[PlacedProduct | Distractor], catalog: Catalog) -> PointsN3:
    return np.concatenate([transform_points(t.object_to_world, catalog.product_of(t).hull_m) for t in things])


def _placed(thing: PlacedProduct | Distractor, catalog: Catalog) -> Polytope:
    return polytope.of_product(catalog.product_of(thing)).placed(thing.object_to_world)


def _shifted(things: tuple[_Placed, ...], shift: Matrix4x4) -> tuple[_Placed, ...]:
    return tuple(
        t.model_copy(update={"object_to_world": rows_of(shift @ np.array(t.object_to_world))}) for t in things
    )
