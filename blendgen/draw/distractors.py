"""Distractors: objects on the surface around the products, which touch nothing else.

In: the placed products and the streams of a shot. Out: Distractors. One that does not fit on the surface in
the drawn direction is left out. Their streams are their own: the products are the same without them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from blendgen.draw.placement import centred_pose, clearance, corners
from blendgen.draw.products import stable_pose_rotation
from blendgen.draw.sampler import Sampler
from blendgen.geometry.arrays import Array2, Matrix3x3, Matrix4x4, PointsN2
from blendgen.geometry.projection import rotation_about_z, rows_of, transform_points
from blendgen.models.product import Catalog, Product
from blendgen.scene.ground import Surface
from blendgen.scene.kinds.surfaces import SURFACE_KINDS, SURFACE_RIM_M
from blendgen.scene.shot import Distractor, PlacedProduct
from blendgen.spec.distractors import Distractors
from blendgen.spec.model import Spec


@dataclass(frozen=True, eq=False)
class Thing:
    """A distractor before it is placed; rotation: (3, 3) product frame -> world."""

    product: Product
    colorway: str
    rotation: Matrix3x3

    def at(self, object_to_world: Matrix4x4) -> Distractor:
        return Distractor(
            product=self.product.name, colorway=self.colorway, object_to_world=rows_of(object_to_world)
        )


def draw_things(spec: Spec, catalog: Catalog, sampler: Sampler) -> list[Thing]:
    """The distractors of one shot and their rotations, without their positions."""
    if spec.distractors is None or not catalog.distractors:
        return []
    count = int(sampler.value(spec.distractors.count, "distractors.count"))
    return [_thing(catalog, sampler, f"distractors.{number}") for number in range(count)]


def _thing(catalog: Catalog, sampler: Sampler, prefix: str) -> Thing:
    model, colorway, pose, _ = sampler.u(f"{prefix}.choice", 4)
    product = catalog.distractors[int(model * len(catalog.distractors))]
    (yaw,) = sampler.u(f"{prefix}.yaw_deg", 1)
    rotation = rotation_about_z(360 * yaw) @ stable_pose_rotation(product, pose)
    return Thing(product, product.colorways[int(colorway * len(product.colorways))].name, rotation)


def draw_distractors(
    spec: Spec, catalog: Catalog, products: tuple[PlacedProduct, ...], surface: Surface, sampler: Sampler
) -> tuple[Distractor, ...]:
    """The distractors of one shot, each next to the things that are placed before it."""
    if spec.distractors is None:
        return ()
    outlines = [_outline(catalog.product_of(placed), placed.object_to_world) for placed in products]
    middle = np.mean(np.concatenate(outlines), axis=0)
    placed_distractors: list[Distractor] = []
    for number, thing in enumerate(draw_things(spec, catalog, sampler)):
        distractor = thing.at(
            _next_to(spec.distractors, thing, outlines, middle, sampler, f"distractors.{number}")
        )
        outline = _outline(thing.product, distractor.object_to_world)
        if _on(surface, outline):
            placed_distractors.append(distractor)
            outlines.append(outline)
    return tuple(placed_distractors)


def _next_to(
    section: Distractors,
    thing: Thing,
    outlines: list[PointsN2],
    middle: Array2,
    sampler: Sampler,
    prefix: str,
) -> Matrix4x4:
    """object_to_world (4, 4) on the surface, in a drawn direction, where it just misses all outlines."""
    bearing = sampler.u(f"{prefix}.choice", 4)[3]
    transform = centred_pose(thing.product, thing.rotation)
    transform[:2, 3] += middle
    gap = sampler.value(section.gap_m, f"{prefix}.gap_m")
    direction = np.array([math.cos(2 * math.pi * bearing), math.sin(2 * math.pi * bearing)])
    outline = _outline(thing.product, transform)
    transform[:2, 3] += direction * (max(clearance(other, outline, direction) for other in outlines) + gap)
    return transform


def _outline(product: Product, object_to_world: ArrayLike) -> PointsN2:
    return corners(transform_points(object_to_world, product.hull_m)[:, :2])


def _on(surface: Surface, outline: PointsN2) -> bool:
    if not SURFACE_KINDS[surface.kind].has_edges:
        return True
    yaw = math.radians(surface.yaw_deg)
    across = outline @ np.array([math.cos(yaw), math.sin(yaw)])
    return bool(np.abs(across).max() <= surface.width_m / 2 - SURFACE_RIM_M)
