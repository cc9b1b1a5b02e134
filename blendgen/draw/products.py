"""Products: which ones are in a shot, in which rotation, condition and case.

In: a spec, the catalogue and the streams of a shot. Out: products without positions, the subject first;
assignment.py chooses their classes and variants. placement.py puts them next to each other, pile.py drops
them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from blendgen.draw.assignment import random_variant, subject_variant
from blendgen.draw.condition import draw_condition
from blendgen.draw.sampler import Sampler
from blendgen.geometry.arrays import Matrix3x3, Matrix4x4
from blendgen.geometry.projection import rotation_about_z, rows_of
from blendgen.models.class_table import ClassTable, Variant
from blendgen.models.product import Catalog, Product
from blendgen.scene.condition import Condition
from blendgen.scene.shot import PlacedProduct
from blendgen.spec.model import Spec


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
