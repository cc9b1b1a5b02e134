"""Placement: the products of a shot, their rotations, and their positions next to each other.

In: a spec, the catalogue and the streams of a shot. Out: an Arrangement on the plane z = 0; for piles
(pile.py) the products without positions. Products keep apart by their convex outlines from above, which is a
safe bound; the distance at which two outlines just miss each other is solved for, not searched.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from blendgen.draw.arrangement import Arrangement
from blendgen.draw.assignment import random_variant, subject_variant
from blendgen.draw.condition import draw_condition
from blendgen.draw.sampler import Sampler
from blendgen.geometry.arrays import Array2, Matrix3x3, Matrix4x4, PointsN2, PointsN3
from blendgen.geometry.projection import rigid, rotation_about_z, rows_of, transform_points
from blendgen.models.class_table import ClassTable, Variant
from blendgen.models.product import Catalog, Product
from blendgen.scene.condition import Condition
from blendgen.scene.shot import PlacedProduct
from blendgen.spec.model import Spec

THINNEST_M = 0.0002


@dataclass(frozen=True)
class Drawn:
    """A product before it is placed: its variant, rotation, condition and case.

    product: in its case, if it has one; rotation: (3, 3) product frame -> world
    """

    variant: Variant
    product: Product
    rotation: Matrix3x3
    condition: Condition
    case: str | None

    def placed(self, instance_id: int, class_table: ClassTable, object_to_world: Matrix4x4) -> PlacedProduct:
        return PlacedProduct(
            instance_id=instance_id,
            product=self.variant.product,
            colorway=self.variant.colorway,
            label=self.variant.label,
            label_id=class_table.classes.index(self.variant.label),
            object_to_world=rows_of(object_to_world),
            size_m=self.product.size_m,
            condition=self.condition,
            case=self.case,
        )


def draw_products(spec: Spec, catalog: Catalog, class_table: ClassTable, sampler: Sampler) -> list[Drawn]:
    """The products of one shot, subject first."""
    count = int(sampler.value(spec.products_per_image, "products_per_image"))
    variants = [subject_variant(class_table, spec.seed, sampler.subject_index())]
    variants += [_companion(class_table, sampler, number) for number in range(1, count)]
    drawn = []
    for number, variant in enumerate(variants):
        case = sampler.value(spec.products[variant.section].case_distribution, f"products.{number}.case")
        product = catalog.product(variant.product, case)
        rotation = _rotation(spec, product, sampler, number)
        condition = draw_condition(spec, product, rotation, sampler, number)
        drawn.append(Drawn(variant, product, rotation, condition, case))
    return drawn


def side_by_side(spec: Spec, drawn: list[Drawn], class_table: ClassTable, sampler: Sampler) -> Arrangement:
    """The products next to each other, around the origin of the world."""
    placed: list[PlacedProduct] = []
    outlines: list[PointsN2] = []
    for number, one in enumerate(drawn):
        transform = centred_pose(one.product, one.rotation)
        outline = corners(transform_points(transform, one.product.hull_m)[:, :2])
        shift = _free_place(spec, outline, outlines, sampler, number)
        transform[:2, 3] += shift
        outlines.append(outline + shift)
        placed.append(one.placed(number + 1, class_table, transform))
    points = np.concatenate(outlines)
    return Arrangement(tuple(placed)).moved(-(points.min(axis=0) + points.max(axis=0)) / 2)


def _companion(class_table: ClassTable, sampler: Sampler, number: int) -> Variant:
    (label,) = sampler.u(f"products.{number}.label", 1)
    (variant,) = sampler.u(f"products.{number}.variant", 1)
    return random_variant(class_table, label, variant)


def _rotation(spec: Spec, product: Product, sampler: Sampler, number: int) -> Matrix3x3:
    against = sampler.value(spec.placement.yaw_deg, f"placement.{number}.yaw_deg")
    yaw = rotation_about_z(sampler.value(spec.surface.yaw_deg, "surface.yaw_deg") + against)
    if spec.placement.pose == "upright":
        return yaw
    if spec.placement.pose == "free":
        return yaw @ uniform_rotation(*sampler.u(f"placement.{number}.orientation", 3))
    (u,) = sampler.u(f"placement.{number}.pose", 1)
    return yaw @ stable_pose_rotation(product, u)


def stable_pose_rotation(product: Product, u: float) -> Matrix3x3:
    """(3, 3) rotation of the stable pose at u in [0, 1), by the probabilities of the poses."""
    total = 0.0
    for pose in product.stable_poses:
        total += pose.probability
        if u < total:
            return np.array(pose.rotation)
    return np.array(product.stable_poses[0].rotation)


def uniform_rotation(u: float, v: float, w: float) -> Matrix3x3:
    """(3, 3) rotation, uniform over all orientations, of three uniform numbers.

    source: Shoemake, Uniform random rotations, Graphics Gems III (1992)
    """
    a, b = math.sqrt(1 - u), math.sqrt(u)
    x, y = a * math.sin(2 * math.pi * v), a * math.cos(2 * math.pi * v)
    z, s = b * math.sin(2 * math.pi * w), b * math.cos(2 * math.pi * w)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * s), 2 * (x * z + y * s)],
            [2 * (x * y + z * s), 1 - 2 * (x * x + z * z), 2 * (y * z - x * s)],
            [2 * (x * z - y * s), 2 * (y * z + x * s), 1 - 2 * (x * x + y * y)],
        ]
    )


def centred_pose(product: Product, rotation: Matrix3x3) -> Matrix4x4:
    """object_to_world of the rotated product, centred on the origin, with its lowest point at z = 0.

    A sheet without thickness is THINNEST_M above the surface: in the same plane, neither would be in front.
    """
    turned = product.hull_m @ rotation.T
    low, high = turned.min(axis=0), turned.max(axis=0)
    lift = max(0.0, THINNEST_M - (high[2] - low[2]))
    return rigid(rotation, [-(low[0] + high[0]) / 2, -(low[1] + high[1]) / 2, lift - low[2]])


def _free_place(
    spec: Spec, outline: PointsN2, others: list[PointsN2], sampler: Sampler, number: int
) -> Array2:
    if not others:
        return np.zeros(2)
    (u,) = sampler.u(f"placement.{number}.bearing", 1)
    gap = sampler.value(spec.placement.gap_m, f"placement.{number}.gap_m")
    bearing = 2 * math.pi * u
    direction = np.array([math.cos(bearing), math.sin(bearing)])
    return direction * (max(clearance(other, outline, direction) for other in others) + gap)


def clearance(resting: PointsN2, coming: PointsN2, direction: Array2) -> float:
    """The distance by which `coming` must move along `direction` until two convex outlines do not overlap.

    The shifts at which they overlap are their Minkowski difference, a convex polygon with the normals of
    their sides; they part where the ray of shifts leaves it.

    resting, coming: (n, 2) corners, counter-clockwise
    returns: 0 where they never overlap
    """
    normals = np.concatenate([_outward(resting), -_outward(coming)])
    offsets = (normals @ resting.T).max(axis=1) - (normals @ coming.T).min(axis=1)
    along = normals @ direction
    leaving, entering = along > 1e-12, along < -1e-12
    leave = np.min(offsets[leaving] / along[leaving])
    enter = np.max(offsets[entering] / along[entering])
    misses = np.any(~leaving & ~entering & (offsets < 0))
    return 0.0 if misses or enter > leave else max(0.0, float(leave))


def _outward(corners: PointsN2) -> PointsN2:
    """(n, 2) unit normals of the sides of a counter-clockwise polygon."""
    side = np.roll(corners, -1, axis=0) - corners
    return np.column_stack([side[:, 1], -side[:, 0]]) / np.linalg.norm(side, axis=1, keepdims=True)


def corners(points: PointsN3) -> PointsN2:
    """Corners of the outline of points, counter-clockwise.

    The outline is a hair wider than the points, so that one without area (an upright card) has some.
    """
    from scipy.spatial import ConvexHull

    hair = THINNEST_M / 4 * np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)])
    wider = (points[:, None] + hair[None]).reshape(-1, 2)
    return wider[ConvexHull(wider).vertices]
