"""Stable poses obey statics: each one is stable, and how often it occurs follows from solid angles."""

from __future__ import annotations

import numpy as np
import pytest

from blendgen.geometry.hull import center_of_mass, convex_hull, hull_triangles, is_watertight
from blendgen.models.stable_poses import MAX_POSES, rotation_to_down, stable_poses
from tests.hollow_models import box, cup, sheet_box, triangles

CUBE = np.array([[x, y, z] for x in (0.0, 1.0) for y in (0.0, 1.0) for z in (0.0, 1.0)])


def cloud(seed: int, count: int = 20) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 3)) * [1.0, 0.6, 0.4]


def cylinder(sides: int, height: float) -> np.ndarray:
    turn = np.arange(sides) * 2 * np.pi / sides
    ring = np.column_stack([np.cos(turn), np.sin(turn)])
    return np.vstack([np.column_stack([ring, np.full(sides, z)]) for z in (0.0, height)])


def rotation(seed: int) -> np.ndarray:
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return q if np.linalg.det(q) > 0 else -q


def down(pose) -> np.ndarray:
    """The direction in the product frame that points down in the pose."""
    return -np.array(pose.rotation)[2]


def lying(vertices, pose) -> np.ndarray:
    return vertices @ np.array(pose.rotation).T


@pytest.mark.parametrize("seed", range(8))
def test_a_pose_stands_on_a_facet_below_its_centre_of_mass(seed):
    hull = convex_hull(cloud(seed))
    center = center_of_mass(hull, hull_triangles(hull)[0])
    for pose in stable_poses(hull):
        world = lying(hull, pose)
        support = world[world[:, 2] < world[:, 2].min() + 1e-6][:, :2]
        assert len(support) >= 3
        flat = np.pad(np.vstack([support, lying(center[None], pose)[0, :2]]), ((0, 0), (0, 1)))
        assert tuple(flat[-1]) not in {tuple(row) for row in convex_hull(flat)}


@pytest.mark.parametrize("seed", range(8))
def test_rotations_are_proper_and_probabilities_descend_to_a_sum_of_one(seed):
    poses = stable_poses(cloud(seed))
    chances = [pose.probability for pose in poses]
    assert chances == sorted(chances, reverse=True) and np.isclose(sum(chances), 1)
    for pose in poses:
        matrix = np.array(pose.rotation)
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-10)
        assert np.isclose(np.linalg.det(matrix), 1)


@pytest.mark.parametrize("seed", range(20))
def test_the_rotation_is_the_smallest_that_turns_a_direction_down(seed):
    direction = rotation(seed)[0]
    matrix = rotation_to_down(direction)
    np.testing.assert_allclose(matrix @ direction, [0, 0, -1], atol=1e-10)
    angle = np.arccos(np.clip((np.trace(matrix) - 1) / 2, -1, 1))
    assert np.isclose(angle, np.arccos(-direction[2]), atol=1e-6)


def test_upright_is_not_rotated_and_upside_down_turns_about_x():
    np.testing.assert_array_equal(rotation_to_down([0, 0, -1]), np.eye(3))
    np.testing.assert_array_equal(rotation_to_down([0, 0, 1]), np.diag([1, -1, -1]))


def test_a_box_lands_on_each_face_as_often_as_its_solid_angle_says():
    size = np.array([1.0, 1.2, 1.5])
    for pose in stable_poses(CUBE * size):
        axis = int(np.abs(down(pose)).argmax())
        h, (a, b) = size[axis] / 2, np.delete(size, axis) / 2
        expected = 4 * np.arctan(a * b / (h * np.sqrt(a * a + b * b + h * h))) / (4 * np.pi)
        assert np.isclose(pose.probability, expected, atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_poses_do_not_depend_on_scale_place_or_vertex_order(seed):
    vertices = cloud(seed)
    order = np.random.default_rng(seed).permutation(len(vertices))
    reference = stable_poses(vertices)
    for other in (vertices * 0.001, vertices * 50 + 3, vertices[order]):
        poses = stable_poses(other)
        for a, b in zip(reference, poses, strict=True):
            np.testing.assert_allclose(a.rotation, b.rotation, atol=1e-6)
            assert np.isclose(a.probability, b.probability, atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_turning_the_product_turns_its_poses(seed):
    vertices, turn = cloud(seed), rotation(seed)
    for a, b in zip(stable_poses(vertices), stable_poses(vertices @ turn.T), strict=True):
        np.testing.assert_allclose(turn @ down(a), down(b), atol=1e-6)
        assert np.isclose(a.probability, b.probability, atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_the_most_probable_poses_agree_with_an_independent_program(seed):
    trimesh = pytest.importorskip("trimesh")
    pytest.importorskip("networkx")
    hull = trimesh.Trimesh(cloud(seed)).convex_hull
    transforms, chances = hull.compute_stable_poses(seed=0)
    best = max(stable_poses(hull.vertices), key=lambda pose: pose.probability)
    likely = -transforms[chances > 0.5 * chances[0], 2, :3]
    assert (likely @ down(best)).max() > np.cos(np.radians(5))


def test_improbable_poses_of_an_angular_product_are_left_out():
    tall = stable_poses(CUBE * [1.0, 1.0, 4.0])
    assert len(tall) == 4 and all(abs(down(pose)[2]) < 1e-9 for pose in tall)


def test_a_round_side_counts_as_a_whole_however_finely_it_is_divided():
    for sides in (24, 64, 200):
        poses = stable_poses(cylinder(sides, height=3))
        rolling = sum(pose.probability for pose in poses if abs(down(pose)[2]) < 0.1)
        assert 0.8 < rolling < 0.9
        assert len(poses) <= MAX_POSES


def test_poses_of_a_ball_are_spread_over_all_directions():
    points = np.random.default_rng(0).normal(size=(3000, 3))
    poses = stable_poses(points / np.linalg.norm(points, axis=1, keepdims=True))
    assert 30 < len(poses) <= MAX_POSES
    mean = sum(pose.probability * down(pose) for pose in poses)
    assert np.linalg.norm(mean) < 0.05


@pytest.mark.parametrize("seed", range(4))
def test_a_sheet_lies_on_either_face(seed):
    sheet = np.random.default_rng(seed).normal(size=(30, 3)) * [1, 2, 0]
    poses = stable_poses(sheet @ rotation(seed).T)
    assert [pose.probability for pose in poses] == [0.5, 0.5]
    for pose in poses:
        assert np.ptp(lying(sheet @ rotation(seed).T, pose)[:, 2]) < 1e-9


def test_a_rod_lies_flat():
    rod = np.outer(np.linspace(0, 2, 9), [1.0, 1.0, 1.0])
    assert np.ptp(lying(rod, stable_poses(rod)[0])[:, 2]) < 1e-9


def test_the_centre_of_mass_is_that_of_the_solid_where_the_mesh_is_closed():
    tetrahedron = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    faces = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])
    assert is_watertight(tetrahedron, faces) and not is_watertight(tetrahedron, faces[:3])
    np.testing.assert_allclose(center_of_mass(tetrahedron, faces), tetrahedron.mean(axis=0))
    split = tetrahedron[faces].reshape(-1, 3)  # as exporters write it, each face with its own vertices
    assert is_watertight(split, np.arange(12).reshape(-1, 3))


def test_the_hull_holds_every_vertex_and_only_vertices():
    vertices = cloud(3, 500)
    hull = convex_hull(vertices)
    triangles, _, normals = hull_triangles(hull)
    heights = np.einsum("ij,ij->i", normals, hull[triangles[:, 0]])
    assert (vertices @ normals.T <= heights + 1e-9).all()
    assert {tuple(row) for row in hull} <= {tuple(row) for row in vertices}


def chance_of(poses, direction) -> float:
    """How often the product rests with a direction of its frame pointing down."""
    return sum(pose.probability for pose in poses if down(pose) @ direction > 0.999)


UP, DOWN = np.array([0, 0, 1]), np.array([0, 0, -1])


def test_an_open_box_of_sheets_lies_on_its_bottom_more_often_than_on_its_rim():
    lidless = stable_poses(sheet_box()[0], triangles(sheet_box()))
    assert chance_of(lidless, DOWN) > 1.3 * chance_of(lidless, UP)


def test_a_hollow_solid_with_cracks_has_its_own_centre_of_mass_and_not_that_of_the_hull():
    corners, faces = cup()[0], triangles(cup())
    whole = stable_poses(corners, faces)
    shift = np.where(np.arange(len(faces) * 3).reshape(-1, 1) % 2, 1e-7, 0.0)
    cracked = stable_poses(corners[faces].reshape(-1, 3) + shift, np.arange(faces.size).reshape(-1, 3))
    assert chance_of(whole, DOWN) > 1.2 * chance_of(whole, UP)
    assert chance_of(cracked, DOWN) == pytest.approx(chance_of(whole, DOWN), rel=0.02)


def test_a_convex_product_with_faces_that_point_anywhere_rests_as_its_hull_does():
    faces = triangles(box())
    faces[::2] = faces[::2, ::-1]
    assert stable_poses(box()[0], faces) == stable_poses(box()[0])
