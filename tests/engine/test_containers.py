"""Containers have the sampled inner size, stand on the surface, and contain products."""

import numpy as np
import pytest

from blendgen.draw.arrangement import walls
from blendgen.scene.ground import Container
from blendgen.scene.kinds.containers import CONTAINER_KINDS
from tests.engine import conformance

bpy = pytest.importorskip("bpy")


def container(kind="tote", **changes):
    values = {
        "kind": kind, "size_m": (0.2, 0.3, 0.1), "wall_m": 0.003, "middle_m": (0.05, -0.02), "yaw_deg": 20.0,
        "color_srgb": "#2456a0",
    }  # fmt: skip
    return Container(**{**values, **changes})


def built(one):
    """(vertices in the world (n, 3), faces) of the container's object."""
    from blendgen.engine.blender.surfaces.containers import build_container

    bpy.ops.wm.read_factory_settings(use_empty=True)
    box = build_container(one, conformance.make_shot([]).surface)
    to_world = np.array(box.matrix_world)
    vertices = np.array([v.co for v in box.data.vertices]) @ to_world[:3, :3].T + to_world[:3, 3]
    return vertices, [tuple(face.vertices) for face in box.data.polygons]


def inside(one, margin_m):
    """The free space as a closed box: (vertices in the world, faces)."""
    x, y, height = np.array(one.size_m) / (2, 2, 1)
    low, high = (-x, -y, one.wall_m), (x, y, height)
    corners = np.array([[(low, high)[(i >> axis) & 1][axis] for axis in range(3)] for i in range(8)])
    corners += margin_m * np.sign(corners.mean(axis=0) - corners)
    yaw = np.radians(one.yaw_deg)
    turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    faces = [(0, 1, 3, 2), (4, 5, 7, 6), (0, 1, 5, 4), (2, 3, 7, 6), (0, 2, 6, 4), (1, 3, 7, 5)]
    return corners @ turn.T + (*one.middle_m, 0), faces


def meet(one, other) -> bool:
    from mathutils.bvhtree import BVHTree

    trees = [BVHTree.FromPolygons(vertices.tolist(), faces) for vertices, faces in (one, other)]
    return bool(trees[0].overlap(trees[1]))


@pytest.mark.parametrize("kind", CONTAINER_KINDS)
def test_it_does_not_reach_into_the_free_space_of_the_physics(kind):
    one = container(kind)
    shell = built(one)
    assert not meet(shell, inside(one, 0.0002))
    assert meet(shell, inside(one, -0.003))  # and the walls are directly behind it


@pytest.mark.parametrize("kind", CONTAINER_KINDS)
def test_it_stands_on_the_surface_with_the_sampled_height(kind):
    one = container(kind)
    heights = built(one)[0][:, 2]
    assert 0 < heights.min() < 0.001 and heights.max() == pytest.approx(0.1, abs=0.001)


def test_the_walls_of_the_physics_are_at_its_position():
    one = container()
    corners = np.concatenate([wall.corners_m for wall in walls(one)])
    assert corners[:, :2].mean(axis=0) == pytest.approx(one.middle_m, abs=1e-9)
    assert corners[:, 2].max() == 0.1 and corners[:, 2].min() == 0


@pytest.mark.slow
def test_a_product_in_it_is_visible_from_above_and_hidden_from_a_low_angle(stock, engine):
    lying = conformance.place(1, stock.product("box"), x=0.05, y=-0.02)
    lifted = np.array(lying.object_to_world)
    lifted[2, 3] += 0.0032
    lying = lying.model_copy(update={"object_to_world": tuple(map(tuple, lifted.tolist()))})
    above, low = (
        conformance.make_camera(0, elevation, distance_m=0.9, target=(0.05, -0.02, 0.02))
        for elevation in (89, 12)
    )
    for camera, hidden in ((above, False), (low, True)):
        shot = conformance.make_shot([lying], camera).model_copy(update={"container": container()})
        film = engine.render(shot)
        visible = (film.instance_id == 1).sum() / film.amodal_masks[1].sum()
        assert (visible < 0.3) == hidden and (hidden or visible > 0.99)


def test_every_kind_has_a_builder():
    from blendgen.engine.blender.surfaces import containers

    assert set(containers._BUILDERS) == set(CONTAINER_KINDS)
