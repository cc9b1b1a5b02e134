"""A convex hull of very many vertices leaves out those that hardly stick out."""

from __future__ import annotations

import numpy as np

from blendgen.geometry.cavities import heights_above_hull
from blendgen.geometry.hull import COARSE, convex_hull


def ball(count: int) -> np.ndarray:
    points = np.random.default_rng(5).normal(size=(count, 3))
    return 0.05 * points / np.linalg.norm(points, axis=1, keepdims=True)


def test_a_hull_of_too_many_vertices_is_coarser_by_a_bounded_distance():
    points = ball(30_000)
    coarse = convex_hull(points, most=20_000)
    assert len(coarse) < 20_000
    assert {tuple(row) for row in coarse.tolist()} <= {tuple(row) for row in points.tolist()}
    assert heights_above_hull(points[::10], coarse).max() <= 1.01 * COARSE * np.ptp(points, axis=0).max()


def test_a_hull_of_few_vertices_is_complete():
    points = ball(500)
    assert len(convex_hull(points)) == 500
    assert np.array_equal(convex_hull(points, most=500), convex_hull(points))


def test_a_flat_hull_of_too_many_vertices_is_flat():
    around = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    disc = np.column_stack([np.cos(around), np.sin(around), np.zeros(2000)])
    assert 100 < len(convex_hull(disc, most=1000)) < 1000
