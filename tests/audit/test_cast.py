"""The ray cast equals closed forms, and a loop over all triangles."""

import numpy as np
import pytest

from blendgen.errors import ExitCode, SetupError
from blendgen.verification.rays import cast
from blendgen.verification.rays.cast import RayScene, Solid, require_embree
from tests.audit.boxes import make_mesh

pytest.importorskip("embreex")
REACH = (0.5, 0.5)
STEPS = np.linspace(-0.45, 0.45, 61)
RAYS = np.stack(np.meshgrid(STEPS, STEPS), axis=-1)


def sphere(radius: float, middle, rings: int = 400):
    """A mesh with all vertices on a sphere."""
    up, turn = np.linspace(0, np.pi, rings + 1), np.linspace(0, 2 * np.pi, 2 * rings, endpoint=False)
    ring = np.stack([np.outer(np.sin(up), np.cos(turn)), np.outer(np.sin(up), np.sin(turn))], axis=-1)
    heights = np.broadcast_to(np.cos(up)[:, None, None], (*ring.shape[:2], 1))
    vertices = np.concatenate([ring, heights], axis=-1).reshape(-1, 3) * radius + middle
    low = (np.arange(rings)[:, None] * 2 * rings + np.arange(2 * rings)).ravel()
    neighbour = low - low % (2 * rings) + (low + 1) % (2 * rings)
    above = 2 * rings
    return vertices, np.concatenate(
        [
            np.column_stack([low, neighbour, neighbour + above]),
            np.column_stack([low, neighbour + above, low + above]),
        ]
    )


def placed(instance_id, vertices, triangles, **more):
    return Solid(instance_id, make_mesh("one", vertices, triangles, **more), np.eye(4))


@pytest.mark.slow
def test_rays_hit_a_sphere_at_the_closed_form():
    middle, radius = np.array((0.03, -0.02, 1.0)), 0.3
    hits = RayScene([placed(7, *sphere(radius, middle))], np.eye(4), REACH).first_hits(RAYS)
    directions = np.concatenate([RAYS, np.ones((*RAYS.shape[:2], 1))], axis=-1)
    a, b = (directions**2).sum(axis=-1), directions @ middle
    inside = b * b - a * (middle @ middle - radius**2)
    # between its rings the mesh is up to 5 micrometres below the sphere; more at a slant
    clear = np.abs(inside) > 1e-3
    assert np.array_equal((hits.instance_id == 7)[clear], (inside > 0)[clear]) and clear.mean() > 0.95
    wanted = (b - np.sqrt(np.maximum(inside, 0))) / a
    steep = clear & (inside > 0.01)
    assert np.abs(hits.depth_m - wanted)[steep].max() < 5e-5 and steep.mean() > 0.2
    assert np.isinf(hits.depth_m[inside < -1e-3]).all()


def one_by_one(corners, rays):
    """Depth of the first triangle on each ray, in double precision, by a loop over all triangles.

    source: Moeller and Trumbore, Fast, minimum storage ray-triangle intersection (1997)
    """
    directions = np.column_stack([rays, np.ones(len(rays))])[:, None]
    edge, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    across = np.cross(directions, other)
    determinant = (edge * across).sum(axis=-1)
    u = (-corners[:, 0] * across).sum(axis=-1) / determinant
    turned = np.cross(-corners[:, 0], edge)
    v = (directions * turned).sum(axis=-1) / determinant
    depth = (other * turned).sum(axis=-1) / determinant
    inside = (u > 0) & (v > 0) & (u + v < 1) & (depth > 0)
    return np.where(inside, depth, np.inf).min(axis=1)


def test_rays_hit_a_pile_of_triangles_as_in_a_loop_over_all():
    heap = np.random.Generator(np.random.Philox(3)).uniform(-1, 1, (300, 3, 3)) * 0.4 + (0, 0, 1.5)
    solid = placed(1, heap.reshape(-1, 3), np.arange(900).reshape(-1, 3))
    hits = RayScene([solid], np.eye(4), REACH).first_hits(RAYS)
    wanted = one_by_one(heap, RAYS.reshape(-1, 2)).reshape(hits.depth_m.shape)
    same = np.isclose(hits.depth_m, wanted, rtol=0, atol=1e-7) | (np.isinf(hits.depth_m) & np.isinf(wanted))
    assert same.mean() > 0.999 and np.isfinite(wanted).mean() > 0.4


def wall(z, half=2.0):
    return [(-half, -half, z), (half, -half, z), (half, half, z), (-half, half, z)], [(0, 1, 2), (0, 2, 3)]


def test_rays_do_not_pass_between_triangles():
    """A wall of many triangles, with rays at their edges."""
    side = np.linspace(-1, 1, 62)
    grid = np.stack([*np.meshgrid(side, side), np.ones((62, 62))], axis=-1).reshape(-1, 3)
    low = (np.arange(61)[:, None] * 62 + np.arange(61)).ravel()
    triangles = np.concatenate(
        [np.column_stack([low, low + 1, low + 63]), np.column_stack([low, low + 63, low + 62])]
    )
    middles = np.stack(np.meshgrid(side[20:40], side[20:40]), axis=-1)
    assert (
        RayScene([placed(1, grid, triangles)], np.eye(4), REACH).first_hits(middles).instance_id == 1
    ).all()


def test_occluders_have_their_own_id_and_do_not_change_amodal_masks():
    scene = RayScene([placed(1, *wall(2.0, 0.4)), placed(0, *wall(1.0, 0.1))], np.eye(4), REACH)
    hits, amodal = scene.first_hits(RAYS), scene.amodal_mask(1, RAYS)
    inside = np.abs(RAYS).max(axis=-1)
    assert np.array_equal(amodal, inside < 0.2)
    assert np.array_equal(hits.instance_id == 1, (inside < 0.2) & (inside > 0.1))
    assert hits.depth_m[30, 30] == pytest.approx(1.0)


def test_transparent_surfaces_leave_their_rays_undecided():
    scene = RayScene([placed(1, *wall(2.0)), placed(2, *wall(1.0, 0.1), see_through=[0])], np.eye(4), REACH)
    hits = scene.first_hits(RAYS)
    assert np.array_equal(hits.unsure, np.abs(RAYS).max(axis=-1) < 0.1)


def test_leaving_out_meshes_outside_the_view_does_not_change_the_result():
    things = [placed(1, *sphere(0.3, (0.4, 0.1, 1.0), 40)), placed(2, *wall(3.0)), placed(3, *wall(-1.0))]
    narrow, wide = (RayScene(things, np.eye(4), (reach, reach)).first_hits(RAYS) for reach in (0.46, 1000))
    assert np.array_equal(narrow.instance_id, wide.instance_id)
    assert np.array_equal(narrow.depth_m, wide.depth_m) and set(np.unique(wide.instance_id)) == {1, 2}


def test_a_missing_ray_caster_is_reported_with_the_fix(monkeypatch):
    monkeypatch.setattr(cast, "find_spec", lambda name: None)
    with pytest.raises(SetupError, match=r"pip install 'blendgen\[audit\]'") as raised:
        require_embree()
    assert raised.value.exit_code is ExitCode.SETUP
