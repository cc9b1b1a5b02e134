"""Polytopes: they hold the hull, closely, and their corners and half-spaces are one body."""

import itertools

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from blendgen.draw.polytope import box, enclosing
from blendgen.geometry.projection import rigid, rotation_about_z
from tests.conftest import box_hull, sphere_hull

CARD = np.array([(x, y, 0.0) for x in (-0.04, 0.04) for y in (-0.03, 0.03)])
THREAD = np.array([(0.0, 0.0, 0.0), (0.1, 0.0, 0.0)])
WEDGE = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1.0)])


@pytest.mark.parametrize(
    "hull",
    [box_hull((0.1, 0.06, 0.03)), sphere_hull(0.06), CARD, THREAD, WEDGE],
    ids=["box", "ball", "card", "thread", "wedge"],
)
def test_it_holds_the_hull_and_is_hardly_larger(hull):
    body = enclosing(hull)
    size = np.ptp(hull, axis=0).max()
    assert (hull @ body.normals.T <= body.offsets_m + 1e-12).all()
    assert (body.corners_m @ body.normals.T <= body.offsets_m + 1e-6 * size).all()
    reach = np.ptp(body.corners_m, axis=0) - np.ptp(hull, axis=0)
    assert (reach >= 0).all() and reach.max() <= 0.001 * size
    volume = ConvexHull(hull).volume if np.linalg.matrix_rank(hull - hull[0]) == 3 else 0.0
    assert ConvexHull(body.corners_m).volume <= 1.12 * volume + 1e-3 * size**3


def test_a_wider_one_is_wider_on_all_sides():
    body = enclosing(box_hull((0.1, 0.06, 0.03)))
    wider = body.wider(0.002)
    assert np.ptp(wider.corners_m, axis=0) == pytest.approx(np.ptp(body.corners_m, axis=0) + 0.004, abs=1e-6)


def test_a_moved_one_holds_the_moved_points():
    to_world = rigid(rotation_about_z(30), (1, 2, 3))
    body = enclosing(WEDGE).placed(to_world)
    moved = WEDGE @ to_world[:3, :3].T + to_world[:3, 3]
    assert (moved @ body.normals.T <= body.offsets_m + 1e-12).all()
    assert (body.corners_m @ body.normals.T <= body.offsets_m + 1e-6).all()


def test_a_box_has_the_corners_of_its_sides():
    body = box((-1, -2, 0), (1, 2, 5))
    expected = itertools.product((-1, 1), (-2, 2), (0, 5))
    assert sorted(map(tuple, body.corners_m)) == sorted(expected)
    assert (body.corners_m @ body.normals.T <= body.offsets_m).all()
