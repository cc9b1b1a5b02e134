"""Clutter: distractors that lie about the products, touching the surface and nothing else.

In: the placed products and a shot's streams. Out: Distractors. Those for which there is no room on
the surface in the drawn direction are left out. Chance decides as for products; the products
themselves are drawn as if there were no clutter.
"""

from __future__ import annotations

import math

import numpy as np

from blendgen.catalog.product import Catalog, Product
from blendgen.draw.placement import clearance, corners, resting_rotation, standing
from blendgen.draw.sampler import Sampler
from blendgen.geometry import rotation_about_z, rows_of, transform_points
from blendgen.shot import Distractor, Surface
from blendgen.spec.model import Spec
from blendgen.vocabulary import SURFACE_RIM_M, WITHOUT_EDGES


def draw_distractors(
    spec: Spec, catalog: Catalog, products, surface: Surface, sampler: Sampler
) -> tuple[Distractor, ...]:
    """The distractors of one shot, each beside what lies there already."""
    if spec.distractors is None or not catalog.distractors:
        return ()
    outlines = [_outline(catalog.standing_for(placed), placed.object_to_world) for placed in products]
    middle = np.mean(np.concatenate(outlines), axis=0)
    found: list[Distractor] = []
    for number in range(int(sampler.value(spec.distractors.count, "distractors.count"))):
        distractor = _beside(spec, catalog, outlines, middle, sampler, number)
        outline = _outline(catalog.standing_for(distractor), distractor.object_to_world)
        if _on(surface, outline):
            found.append(distractor)
            outlines.append(outline)
    return tuple(found)


def _beside(spec: Spec, catalog: Catalog, outlines, middle, sampler: Sampler, number: int) -> Distractor:
    prefix = f"distractors.{number}"
    model, colorway, pose, bearing = sampler.units(f"{prefix}.choice", 4)
    product = catalog.distractors[int(model * len(catalog.distractors))]
    (yaw,) = sampler.units(f"{prefix}.yaw_deg", 1)
    transform = standing(product, rotation_about_z(360 * yaw) @ resting_rotation(product, pose))
    transform[:2, 3] += middle
    gap = sampler.value(spec.distractors.gap_m, f"{prefix}.gap_m")
    direction = np.array([math.cos(2 * math.pi * bearing), math.sin(2 * math.pi * bearing)])
    outline = _outline(product, transform)
    transform[:2, 3] += direction * (max(clearance(other, outline, direction) for other in outlines) + gap)
    return Distractor(
        product=product.name,
        colorway=product.colorways[int(colorway * len(product.colorways))].name,
        object_to_world=rows_of(transform),
    )


def _outline(product: Product, object_to_world) -> np.ndarray:
    return corners(transform_points(object_to_world, product.hull_m)[:, :2])


def _on(surface: Surface, outline: np.ndarray) -> bool:
    if surface.kind in WITHOUT_EDGES:
        return True
    yaw = math.radians(surface.yaw_deg)
    across = outline @ np.array([math.cos(yaw), math.sin(yaw)])
    return bool(np.abs(across).max() <= surface.width_m / 2 - SURFACE_RIM_M)
