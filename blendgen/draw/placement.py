"""Placement: the positions of the products of a shot next to each other.

In: a spec, the products and the streams of a shot. Out: an Arrangement on the plane z = 0. Products keep
apart by their convex outlines from above, which is a safe bound; the distance at which two outlines just miss
each other is solved for, not searched.
"""

from __future__ import annotations

import math

import numpy as np

from blendgen.draw.arrangement import Arrangement
from blendgen.draw.products import Drawn
from blendgen.draw.sampler import Sampler
from blendgen.geometry.arrays import Array2, Matrix3x3, Matrix4x4, PointsN2, PointsN3
from blendgen.geometry.projection import rigid, transform_points
from blendgen.models.class_table import ClassTable
from blendgen.models.product import Product
from blendgen.scene.shot import PlacedProduct
from blendgen.spec.model import Spec

THINNEST_M = 0.0002


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
