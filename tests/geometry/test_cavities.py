"""Cavities: what counts as hollow, however thin the walls, and whichever way the faces point."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from blendgen.geometry.cavities import (
    concave_share,
    heights_above_hull,
    looks_convex,
    openness,
    surface_center,
    surface_points,
)
from blendgen.geometry.hull import convex_hull
from tests.hollow_models import box, cup, peg, ring, sheet_box, triangles


def triangles_of(mesh):
    return mesh[0], triangles(mesh)


CONVEX = [box(), box((1.0, 0.2, 0.001))]
HOLLOW = [ring(), peg(), cup(), cup(wall=0.0005)]


@pytest.mark.parametrize("mesh", CONVEX)
def test_a_box_is_convex_whichever_way_its_faces_point(mesh):
    corners, faces = triangles_of(mesh)
    turned = faces.copy()
    turned[::2] = turned[::2, ::-1]
    for winding in (faces, turned):
        assert looks_convex(corners, winding, convex_hull(corners), 0.02)
    assert concave_share(corners, faces, convex_hull(corners), 0.02) == 0


@pytest.mark.parametrize("mesh", HOLLOW)
def test_a_hollow_mesh_faces_its_cavity_with_a_good_part_of_its_surface(mesh):
    corners, faces = triangles_of(mesh)
    assert not looks_convex(corners, faces, convex_hull(corners), 0.02)
    assert concave_share(corners, faces, convex_hull(corners), 0.02) > 0.15


def test_a_box_without_a_lid_does_not_look_convex():
    corners, faces = triangles_of(sheet_box())
    assert not looks_convex(corners, faces, convex_hull(corners), 0.02)


def test_points_are_spread_by_area_and_have_the_normals_of_their_triangles():
    corners, faces = triangles_of(box((1.0, 2.0, 3.0)))
    points, normals = surface_points(corners, faces, 11_000)
    assert np.isclose(heights_above_hull(points, corners), 0, atol=1e-12).all()
    on_top = (normals[:, 2] > 0.5).sum()
    assert on_top == pytest.approx(11_000 * 2 / 22, abs=2)
    assert points[normals[:, 2] > 0.5, 2] == pytest.approx(3.0)
    assert points.mean(axis=0) == pytest.approx([0, 0, 1.5], abs=0.01)


def test_points_fill_a_large_triangle_evenly():
    corners = np.array([(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)])
    points = surface_points(corners, [(0, 1, 2)], 500)[0]
    x, y = np.meshgrid(*[np.linspace(0, 1, 101)] * 2)
    places = np.stack([x, y, 0 * x], axis=2)[x + y <= 1]
    farthest = cKDTree(points).query(places)[0].max()
    assert farthest < 2 * np.sqrt(0.5 / 500)  # twice the side of the square that each point has


def test_heights_are_negative_inside_and_positive_outside():
    corners = box((1.0, 1.0, 1.0))[0]
    assert heights_above_hull(np.array([[0, 0, 0.5], [0, 0, 1.25]]), corners) == pytest.approx([-0.5, 0.25])


def test_the_centre_of_a_surface_is_that_of_its_sheets():
    corners, faces = triangles_of(sheet_box((2.0, 2.0, 1.0)))
    assert surface_center(corners, faces) == pytest.approx([0, 0, 8 * 0.5 / 12])
    assert openness(corners, faces) == pytest.approx(4 / 12)
    assert openness(*triangles_of(cup())) == pytest.approx(0, abs=1e-9)
